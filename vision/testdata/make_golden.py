"""Makes resize.json and processors.json: what Pillow and Hugging Face's image processors make of drawn pictures.

    python -m venv v && v/bin/pip install pillow==9.4.0 numpy==2.4.6 transformers==5.23.0
    v/bin/python vision/testdata/make_golden.py

Pillow 9.4 resizes rows first, then columns, always; Pillow 13.0 takes whichever order is less work, which changes some
values of some shapes by one.

No picture is stored: draw() is a formula that golden_test.go computes too. Answers are SHA-256 sums of the exact bytes.
processors/*.json are preprocessor_config.json files in the styles found on the hub; exported/*.json is what graft writes
for each of them (go test ./vision -run TestProcessors -update). Both must give the same tensor.
"""

import hashlib
import json
import pathlib

import numpy as np
from PIL import Image
from transformers.models.beit.image_processing_pil_beit import BeitImageProcessorPil
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.efficientnet.image_processing_pil_efficientnet import EfficientNetImageProcessorPil
from transformers.models.levit.image_processing_pil_levit import LevitImageProcessorPil
from transformers.models.mobilenet_v1.image_processing_pil_mobilenet_v1 import MobileNetV1ImageProcessorPil
from transformers.models.mobilenet_v2.image_processing_pil_mobilenet_v2 import MobileNetV2ImageProcessorPil
from transformers.models.mobilevit.image_processing_pil_mobilevit import MobileViTImageProcessorPil
from transformers.models.poolformer.image_processing_pil_poolformer import PoolFormerImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

HERE = pathlib.Path(__file__).parent
CLASSES = {
    "Beit": BeitImageProcessorPil, "Bit": BitImageProcessorPil, "CLIP": CLIPImageProcessorPil,
    "ConvNext": ConvNextImageProcessorPil, "DeiT": DeiTImageProcessorPil, "EfficientNet": EfficientNetImageProcessorPil,
    "Levit": LevitImageProcessorPil, "MobileNetV1": MobileNetV1ImageProcessorPil,
    "MobileNetV2": MobileNetV2ImageProcessorPil, "MobileViT": MobileViTImageProcessorPil,
    "PoolFormer": PoolFormerImageProcessorPil, "Siglip": SiglipImageProcessorPil, "ViT": ViTImageProcessorPil,
}
FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]


def draw(w, h):
    """A picture with slopes, edges and noise: a quadratic form, taken modulo 256."""
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    v = (x * x * 3 + y * y * 5 + x * y * (7 + c) + 40 * c + 977 * ((x // 9 + y // 7) % 3)) // 16
    return Image.fromarray((v % 256).astype(np.uint8), "RGB")


def digest(b):
    return hashlib.sha256(b).hexdigest()


def resizes():
    rows = []
    for (w, h), (ow, oh) in [
        ((97, 61), (31, 17)), ((97, 61), (96, 61)), ((97, 61), (97, 40)), ((97, 61), (230, 150)), ((97, 61), (1, 1)),
        ((640, 3), (7, 90)), ((1, 1), (5, 4)), ((500, 375), (341, 256)), ((500, 375), (224, 224)), ((1021, 767), (129, 97)),
        ((97, 61), (97, 61)), ((3, 500), (224, 224)), ((300, 301), (299, 300)),
    ]:
        m = draw(w, h)
        for n, name in enumerate(FILTERS):
            rows.append({"from": [w, h], "to": [ow, oh], "filter": name, "sha256": digest(m.resize((ow, oh), n).tobytes())})
    return rows


def processor(config):
    name = config.get("image_processor_type") or config.get("feature_extractor_type") or "ViTImageProcessor"
    for end in ("Fast", "ImageProcessor", "FeatureExtractor"):
        name = name.removesuffix(end)
    return CLASSES[name](**{k: v for k, v in config.items() if not k.endswith("_type")})


def processors():
    rows = []
    for path in sorted((HERE / "processors").glob("*.json")):
        for w, h in [(97, 61), (61, 98), (300, 201), (201, 303), (40, 40), (500, 375)]:
            config = json.loads(path.read_text())
            x = processor(config)(draw(w, h), return_tensors="np")["pixel_values"].astype("<f4")
            exported = HERE / "exported" / path.name
            if exported.exists():
                ours = processor(json.loads(exported.read_text()))(draw(w, h), return_tensors="np")["pixel_values"]
                assert ours.shape == x.shape and (ours == x).all(), (path.name, w, h, np.abs(ours - x).max())
            else:
                print("not exported yet:", path.name)
            rows.append({"config": path.name, "picture": [w, h], "shape": list(x.shape), "sha256": digest(x.tobytes())})
    return rows


if __name__ == "__main__":
    for name, rows in (("resize.json", resizes()), ("processors.json", processors())):
        (HERE / name).write_text("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
        print(name, len(rows))
