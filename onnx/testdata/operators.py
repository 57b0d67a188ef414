"""Prints the rows of the table in operators.go from the operator definitions that the onnx package carries.

    pip install onnx==1.20.0 && python testdata/operators.py

Kept are the versions that opsets 7 to 23 can mean, and of those only the ones that change a count or an attribute.
"""
from collections import defaultdict

from onnx import defs

FIRST, LAST, MANY = 7, 23, 2**31 - 1


def count(n):
    return "many" if n == MANY else str(n)


def row(schema):
    if schema.deprecated:
        return "gone, 0, 0, 0, \"\""
    attributes = sorted(a.name + ("!" if a.required else "") for a in schema.attributes.values())
    counts = schema.min_input, schema.max_input, schema.min_output, schema.max_output
    return ", ".join(map(count, counts)) + ', "' + " ".join(attributes) + '"'


history = defaultdict(dict)
for schema in defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= LAST:
        history[schema.name][schema.since_version] = schema

for name in sorted(history):
    versions = sorted(history[name])
    old = [v for v in versions if v <= FIRST]
    last = None
    for version in old[-1:] + [v for v in versions if v > FIRST]:
        text = row(history[name][version])
        if text != last:
            print(f'\t{{"{name}", {version}, {text}}},')
        last = text
