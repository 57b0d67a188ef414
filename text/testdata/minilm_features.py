#!/usr/bin/env python3
"""Writes minilm_features.json: what sentence-transformers makes of 500 texts with all-MiniLM-L6-v2.

The reference runs in PyTorch, from the hub's files alone where they hold PyTorch weights. The folder this project is
tested with holds an ONNX export instead; then its weights are put back into transformers' BertModel first.

    pip install torch sentence-transformers onnx
    python3 minilm_features.py SHARED > minilm_features.json

Texts are rows of SHARED/assets/text-data; only their places are written, not the texts. Of each row the file keeps
PROJECTIONS scalar products with fixed vectors of ±1/√384, and of every 25th row all 384 numbers. If a row is off by a
vector of norm d, the mean square of its products is off by d²/384 in expectation, so their root mean square times √384
measures d, and no single number is off by more than d.
"""
import csv
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel

PROJECTIONS = 16


def torch_weights(model_dir, out):
    """Rebuilds the PyTorch model of an ONNX export: dense weights by the names of the nodes that use them."""
    model = BertModel(BertConfig.from_pretrained(model_dir))
    graph = onnx.load(model_dir / 'onnx' / 'model.onnx').graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    state = model.state_dict()
    for name in state:
        if name in tensors:
            state[name] = torch.tensor(tensors[name])
    for node in graph.node:
        if node.op_type == 'MatMul' and node.input[1] in tensors:
            path = node.name.strip('/').replace('/', '.').removesuffix('.MatMul')
            state[path + '.weight'] = torch.tensor(tensors[node.input[1]].T.copy())
    missing = [n for n in state if n not in tensors and not n.endswith('.weight') and 'pooler' not in n]
    assert not missing, missing
    assert len([n for n in graph.node if n.op_type == 'MatMul' and n.input[1] in tensors]) == 36  # six layers of six
    model.load_state_dict(state)
    for f in model_dir.iterdir():
        if f.name != 'onnx':
            (shutil.copytree if f.is_dir() else shutil.copy)(f, out / f.name)
    model.save_pretrained(out)


def rows(shared):
    """Yields 500 texts and where they are: long and short, English and Chinese."""
    for data, count in (('sst2', 300), ('banking77', 80), ('trec6', 60), ('chnsenticorp_htl', 60)):
        path = shared / 'assets' / 'text-data' / data / 'test.tsv'
        with open(path, encoding='utf-8', newline='') as f:
            lines = list(csv.reader(f, delimiter='\t', quoting=csv.QUOTE_NONE))[1:]
        for i in range(count):
            yield data, i, lines[i][1]


def sign(row, i):
    """The sign of element i of projection row: a bit of a 64-bit mix (splitmix64), the same in every language."""
    x = (row * 384 + i + 1) * 0x9E3779B97F4A7C15 & (1 << 64) - 1
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    x = (x ^ x >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
    return 1 if (x ^ x >> 31) & 1 else -1


def main():
    shared = Path(sys.argv[1])
    places = list(rows(shared))
    with tempfile.TemporaryDirectory() as tmp:
        torch_weights(shared / 'assets' / 'text-models' / 'minilm-l6', Path(tmp))
        model = SentenceTransformer(tmp, device='cpu')
        assert model.max_seq_length == 256
        x = model.encode([t for _, _, t in places], batch_size=32, show_progress_bar=False).astype(np.float64)
    projection = np.array([[sign(r, i) for i in range(384)] for r in range(PROJECTIONS)]) / np.sqrt(384)
    y = x @ projection.T
    round7 = lambda v: [float('%.7f' % a) for a in v]
    out = {'rows': [[d, i] for d, i, _ in places], 'projected': [round7(v) for v in y],
           'full': {str(i): round7(x[i]) for i in range(0, len(places), 25)}}
    json.dump(out, sys.stdout, separators=(',', ':'))
    print()


main()
