"""A peer of graft-bench: reads one JSON object a line, {"do": name, "args": {...}}, and answers each with one line,
{"value": ...} or {"error": "..."}.

    peer.py NAME     serve the class Peer of NAME.py: do is one of its methods
    peer.py --check  import everything and print the versions
"""

import importlib
import json
import os
import sys
import traceback


def versions(*names):
    from importlib.metadata import version

    return {name: version(name) for name in names}


def serve(peer, requests, answers):
    for line in requests:
        request = json.loads(line)
        try:
            if request["do"].startswith("_"):
                raise ValueError("no such request")
            answer = {"value": getattr(peer, request["do"])(**(request["args"] or {}))}
        except Exception as e:
            traceback.print_exc()
            answer = {"error": f"{type(e).__name__}: {e}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main():
    if sys.argv[1:] == ["--check"]:
        for name in ("peer_text", "peer_image", "peer_heads", "peer_tune"):
            importlib.import_module(name)
        print(versions("torch", "sentence-transformers", "onnxruntime", "scikit-learn", "pillow"))
        return
    # What libraries print goes to stderr: stdout is the protocol's alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(importlib.import_module("peer_" + sys.argv[1]).Peer(), sys.stdin, answers)


if __name__ == "__main__":
    main()
