"""BERT in PyTorch with the weights of an ONNX export."""

import numpy as np
import onnx
import torch
from onnx import numpy_helper


def state(path):
    """The export's weights under PyTorch's names. The exporter renames and transposes the weights of linear layers: each is
    found by the bias that is added to its product."""
    graph = onnx.load(path).graph
    weights = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    adds = {}
    for node in graph.node:
        if node.op_type == "Add":
            for name in node.input:
                adds.setdefault(name, node)
    out = {name: w for name, w in weights.items() if "::" not in name}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            bias = next(name for name in adds[node.output[0]].input if name in weights)
            out[bias.removesuffix(".bias") + ".weight"] = weights[node.input[1]].T
    return {name: torch.from_numpy(np.ascontiguousarray(w).copy()) for name, w in out.items() if w.dtype == np.float32}


def load(folder, **config):
    """A BertModel of the folder's config.json and onnx/model.onnx, without the pooler, which nothing here reads."""
    from transformers import BertConfig, BertModel

    model = BertModel(BertConfig.from_pretrained(folder, **config), add_pooling_layer=False)
    missing, unexpected = model.load_state_dict(state(f"{folder}/onnx/model.onnx"), strict=False)
    if missing or unexpected:
        raise ValueError(f"weights missing: {missing}, unexpected: {unexpected}")
    return model.eval()


class Encoder(torch.nn.Module):
    """Mean of the tokens, divided by its length, as sentence encoders' modules.json says."""

    def __init__(self, folder, **config):
        super().__init__()
        self.bert = load(folder, **config)

    def forward(self, input_ids, attention_mask):
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1)
