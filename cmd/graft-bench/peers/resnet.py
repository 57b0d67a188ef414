"""ResNet-18 through layer3 in PyTorch, batch normalisation folded, with the weights of an ONNX export."""

import torch
from onnx import load, numpy_helper
from torch import nn


class Block(nn.ModuleList):
    def forward(self, x):
        y = self[1](torch.relu_(self[0](x)))
        return torch.relu_(y.add_(self[2](x) if len(self) > 2 else x))


class Backbone(nn.Module):
    """N×3×H×W to N×256. Names are those of the export: c is the stem, b.I.0 and b.I.1 a block, b.I.2 its shortcut."""

    def __init__(self, path):
        super().__init__()
        weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in load(path).graph.initializer}

        def conv(name, stride, padding):
            cout, cin, k, _ = weights[name + ".weight"].shape
            return nn.Conv2d(cin, cout, k, stride, padding)

        self.c = conv("c", 2, 3)
        self.b = nn.ModuleList()
        for i in range(6):
            shortcut = f"b.{i}.2.weight" in weights
            block = Block([conv(f"b.{i}.0", 2 if shortcut else 1, 1), conv(f"b.{i}.1", 1, 1)])
            if shortcut:
                block.append(conv(f"b.{i}.2", 2, 0))
            self.b.append(block)
        self.load_state_dict(weights)
        self.eval()

    def stages(self):
        """The layers from the input on, as they freeze: the stem and each of the three stages."""
        return [self.c, self.b[0:2], self.b[2:4], self.b[4:6]]

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu_(self.c(x)), 3, 2, 1)
        for block in self.b:
            x = block(x)
        return x.mean((2, 3))
