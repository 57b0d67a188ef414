"""sentence-transformers, with its default backend or its ONNX backend, at its best batch size."""

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from peer import versions


def pytorch_folder(folder):
    """The folder with PyTorch weights beside the ONNX file it was published with."""
    from transformers import BertConfig, BertModel

    import bert

    out = tempfile.mkdtemp(prefix="graft-bench-st-")
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("onnx"))
    model = BertModel(BertConfig.from_pretrained(folder))
    model.load_state_dict(bert.state(f"{folder}/onnx/model.onnx"), strict=False)
    model.save_pretrained(out)
    return out


class Peer:
    def load(self, folder, backend, threads, texts):
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self.texts = texts
        folder = str(Path(folder).resolve())
        if backend == "onnx":
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            settings = {"provider": "CPUExecutionProvider", "session_options": options, "file_name": "onnx/model.onnx"}
            self.model = SentenceTransformer(folder, backend="onnx", model_kwargs=settings, device="cpu")
        else:
            made = pytorch_folder(folder)
            self.model = SentenceTransformer(made, device="cpu")
            shutil.rmtree(made)
        best, batch = min((self._timed(self.texts[::4], size), size) for size in (16, 32, 64))
        self.batch = batch
        libraries = ["sentence-transformers", "transformers", "torch"] + (["onnxruntime"] if backend == "onnx" else [])
        return {"about": f"batch {batch}, the best of 16, 32, 64", "versions": versions(*libraries)}

    def _timed(self, texts, batch):
        start = time.perf_counter()
        self.features = self.model.encode(texts, batch_size=batch, show_progress_bar=False)
        return time.perf_counter() - start

    def run(self):
        return {"wall": self._timed(self.texts, self.batch)}

    def save(self, file):
        np.save(file, np.ascontiguousarray(self.features, dtype=np.float32))
