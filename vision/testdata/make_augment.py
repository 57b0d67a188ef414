"""Makes augment.json: what Pillow makes of a drawn picture with RandAugment's operations.

    python -m venv v && v/bin/pip install pillow==13.0.0 numpy==2.4.6
    v/bin/python vision/testdata/make_augment.py

draw() is a formula that the test computes too, as in make_golden.py. The numbers are the channels' sums over each of 4×4 parts.
"""

import json
import pathlib

import numpy as np
from PIL import Image, ImageEnhance, ImageOps


def draw(w, h):
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    v = (x * x * 3 + y * y * 5 + x * y * (7 + c) + 40 * c + 977 * ((x // 9 + y // 7) % 3)) // 16
    return Image.fromarray(((v % 256) // 2 + 40).astype(np.uint8), "RGB")


def sums(picture):
    pixels = np.asarray(picture).astype(int)
    h, w, _ = pixels.shape
    return pixels.reshape(4, h // 4, 4, w // 4, 3).sum(axis=(1, 3)).ravel().tolist()


picture = draw(96, 64)
made = {
    "autocontrast": ImageOps.autocontrast(picture),
    "equalize": ImageOps.equalize(picture),
    "posterize": ImageOps.posterize(picture, 5),
    "solarize": ImageOps.solarize(picture, 100),
    "brightness": ImageEnhance.Brightness(picture).enhance(1.3),
    "contrast": ImageEnhance.Contrast(picture).enhance(0.6),
    "saturation": ImageEnhance.Color(picture).enhance(1.5),
    "sharpness": ImageEnhance.Sharpness(picture).enhance(1.8),
    "blur": ImageEnhance.Sharpness(picture).enhance(0.3),
}
out = pathlib.Path(__file__).with_name("augment.json")
out.write_text(json.dumps({name: sums(m) for name, m in made.items()}, indent=1).replace("\n  ", " ").replace("\n ]", " ]") + "\n")
