"""PyTorch with Pillow: pictures decoded and prepared by a DataLoader, the network with the weights of the ONNX file, at its
best number of workers, memory format and batch size."""

import itertools
import time

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

import resnet
from peer import versions

PREPARE = transforms.Compose([
    transforms.Resize(256),
    transforms.CenterCrop(224),
    transforms.ToTensor(),
    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])


class Pictures(torch.utils.data.Dataset):
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        with Image.open(self.files[i]) as picture:
            return PREPARE(picture.convert("RGB"))


class Peer:
    def load(self, model, files, threads):
        torch.set_num_threads(threads)
        self.model = resnet.Backbone(model)
        trial = Pictures(files[:: max(1, len(files) // 96)])
        tried = {}
        for last, workers, batch in itertools.product((False, True), (0, 2), (8, 32)):
            self._format(last)
            loader = self._loader(trial, workers, batch)
            self._timed(loader)
            tried[self._timed(loader), last, workers, batch] = None
        _, last, workers, batch = min(tried)
        self._format(last)
        self.loader = self._loader(Pictures(files), workers, batch)
        about = f"{workers} workers, {'channels_last' if last else 'contiguous'}, batch {batch}, the best of 8 settings"
        return {"about": about, "versions": versions("torch", "torchvision", "pillow")}

    def _format(self, last):
        self.format = torch.channels_last if last else torch.contiguous_format
        self.model = self.model.to(memory_format=self.format)

    def _loader(self, pictures, workers, batch):
        return torch.utils.data.DataLoader(pictures, batch_size=batch, num_workers=workers, persistent_workers=workers > 0)

    @torch.inference_mode()
    def _timed(self, loader):
        start = time.perf_counter()
        self.features = torch.cat([self.model(x.to(memory_format=self.format)) for x in loader])
        return time.perf_counter() - start

    def run(self):
        return {"wall": self._timed(self.loader)}

    def save(self, file):
        np.save(file, np.ascontiguousarray(self.features.numpy()))
