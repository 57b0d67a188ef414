"""Training steps in PyTorch: AdamW (fused), decay on matrices alone, a faster head, clipping by global norm, no dropout."""

import time

import numpy as np
import torch
from torch import nn

from peer import versions


class LoRA(nn.Module):
    """A linear layer with a product of two narrow ones beside it."""

    def __init__(self, base, rank):
        super().__init__()
        self.base, self.scale = base, 2.0
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + self.scale * nn.functional.linear(nn.functional.linear(x, self.a), self.b)


def adapt(module, rank):
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, LoRA(child, rank))
        else:
            adapt(child, rank)


class Texts:
    def __init__(self, model, read):
        import bert

        self.network = bert.Encoder(model)
        self.ids, self.lengths = torch.from_numpy(read("ids")), torch.from_numpy(read("lengths"))

    def features(self, rows):
        lengths = self.lengths[rows]
        long = int(lengths.max())
        mask = (torch.arange(long)[None, :] < lengths[:, None]).long()
        return self.network(self.ids[rows, :long], mask)


class Pictures:
    def __init__(self, model, read):
        import resnet

        self.network = resnet.Backbone(model).to(memory_format=torch.channels_last)
        self.pixels = torch.from_numpy(read("pixels"))

    def features(self, rows):
        return self.network(self.pixels[rows].contiguous(memory_format=torch.channels_last))


class Peer:
    def load(self, kind, model, folder, trainable, rank, rate, head_scale, decay, clip, threads, rows, **_):
        torch.set_num_threads(threads)
        torch.manual_seed(1)

        def read(name):
            return np.load(f"{folder}/{name}.npy")

        self.data = {"text": Texts, "image": Pictures}[kind](model, read)
        network = self.data.network
        self.classes = torch.from_numpy(read("classes"))
        weight, bias = torch.from_numpy(read("weight")), torch.from_numpy(read("bias"))
        self.head = nn.Linear(weight.shape[1], weight.shape[0])
        self.head.load_state_dict({"weight": weight, "bias": bias})
        if rank:
            adapt(network, rank)
        groups = {}
        for name, p in network.named_parameters():
            moves = name.endswith((".a", ".b")) if rank else name.startswith(tuple(trainable))
            p.requires_grad_(moves)
            if moves:
                groups.setdefault((rate, decay if p.dim() > 1 else 0.0), []).append(p)
        for p in self.head.parameters():
            groups.setdefault((rate * head_scale, decay if p.dim() > 1 else 0.0), []).append(p)
        settings = [{"params": ps, "lr": lr, "weight_decay": wd} for (lr, wd), ps in groups.items()]
        self.parameters = [p for g in settings for p in g["params"]]
        self.optimizer = torch.optim.AdamW(settings, fused=True)
        self.clip = clip
        first = self._step(rows[0])
        trained = sum(p.numel() for p in self.parameters)
        return {"losses": [first], "trained": trained, "versions": versions("torch", "transformers")}

    def _step(self, rows):
        rows = torch.tensor(rows)
        self.optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(self.head(self.data.features(rows)), self.classes[rows])
        loss.backward()
        if self.clip > 0:
            nn.utils.clip_grad_norm_(self.parameters, self.clip, foreach=True)
        self.optimizer.step()
        return float(loss.detach())

    def steps(self, rows):
        seconds, losses, cpu = [], [], time.process_time()
        for one in rows:
            start = time.perf_counter()
            losses.append(self._step(one))
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds, "losses": losses, "cpu": time.process_time() - cpu}

    def reset(self):
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")

    def memory(self):
        with open("/proc/self/status") as f:
            return {"mb": next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))}
