"""Makes formats/ and formats.json: small files of many kinds, drawn, with the SHA-256 sums of the RGB pixels Pillow reads.

    python -m venv v && v/bin/pip install pillow==9.4.0 numpy==2.4.6 ; apt-get install libjpeg-turbo-progs
    v/bin/python vision/testdata/make_formats.py

"sha256" is of Image.open(f).convert("RGB").tobytes(): rows as stored. Where there is "upright", it is of the same after
ImageOps.exif_transpose.
"""

import io
import json
import pathlib
import subprocess
import zlib
import struct

import numpy as np
from PIL import Image, ImageOps

from make_golden import digest, draw

OUT = pathlib.Path(__file__).parent / "formats"
W, H = 45, 37


def pillow(m, kind, **options):
    b = io.BytesIO()
    m.save(b, kind, **options)
    return b.getvalue()


def cjpeg(m, *options):
    ppm = pillow(m, "PPM")
    return subprocess.run(["cjpeg", *options], input=ppm, capture_output=True, check=True).stdout


def jpegs():
    m = draw(W, H)
    for name, sampling in {"444": "1x1", "422": "2x1", "420": "2x2", "440": "1x2", "411": "4x1", "410": "4x2", "441": "1x4"}.items():
        for kind, more in {"": [], "_prog": ["-progressive"], "_rst": ["-restart", "2B"]}.items():
            yield f"j{name}{kind}.jpg", cjpeg(m, "-quality", "85", "-sample", sampling, *more)
    yield "j422x.jpg", cjpeg(m, "-sample", "2x2,2x1,2x1")  # chroma as wide, half as high
    yield "j420mixed.jpg", cjpeg(m, "-sample", "2x2,1x2,2x1")
    yield "jq1.jpg", cjpeg(m, "-quality", "1")
    yield "jq100.jpg", cjpeg(m, "-quality", "100", "-sample", "2x2")
    yield "joptimized.jpg", cjpeg(m, "-optimize")
    yield "jrgb.jpg", cjpeg(m, "-rgb")
    yield "jgrey.jpg", pillow(m.convert("L"), "JPEG")
    yield "jgrey_prog.jpg", pillow(m.convert("L"), "JPEG", progressive=True)
    yield "jcmyk.jpg", pillow(m.convert("CMYK"), "JPEG", quality=90)
    for w, h in [(1, 1), (2, 2), (3, 3), (4, 1), (5, 9), (16, 16), (17, 17), (33, 2), (2, 33)]:
        yield f"j{w}x{h}.jpg", cjpeg(draw(w, h), "-sample", "2x2")
        yield f"j{w}x{h}_422.jpg", cjpeg(draw(w, h), "-sample", "2x1")
    for n in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = n
        yield f"exif{n}.jpg", pillow(m, "JPEG", exif=exif)


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def tiff(order, tags, strips):
    """A TIFF of one directory; strips are the bytes of its strips or tiles."""
    e = "<" if order == "II" else ">"
    tiled = 322 in tags
    pixels = b"".join(strips)
    tags = dict(tags)
    starts, at = [], 8
    for b in strips:
        starts.append(at)
        at += len(b)
    tags[324 if tiled else 273] = starts
    tags[325 if tiled else 279] = [len(b) for b in strips]
    pixels += b"\0" * (len(pixels) % 2)
    entries, extra, after = b"", b"", 8 + len(pixels) + 2 + 12 * len(tags) + 4
    for tag in sorted(tags):
        values = tags[tag] if isinstance(tags[tag], list) else [tags[tag]]
        body = b"".join(struct.pack(e + "I", v) for v in values) if len(values) > 1 or tag in (273, 279, 324, 325) else \
            struct.pack(e + "HH", values[0], 0)
        kind = 4 if len(body) // 4 == len(values) and (len(values) > 1 or tag in (273, 279, 324, 325)) else 3
        if len(body) > 4:
            extra, body = extra + body, struct.pack(e + "I", after + len(extra))
        entries += struct.pack(e + "HHI", tag, kind, len(values)) + body
    return (order.encode() + struct.pack(e + "HI", 42, 8 + len(pixels)) + pixels
            + struct.pack(e + "H", len(tags)) + entries + b"\0\0\0\0" + extra)


def tiffs():
    m = draw(W, H)
    a = np.asarray(m)
    base = {256: W, 257: H, 258: 8, 259: 1, 262: 2, 277: 3, 278: H}
    yield "planar.tif", tiff("II", base | {284: 2}, [a[..., c].tobytes() for c in range(3)])
    yield "bigendian.tif", tiff("MM", base | {278: 10}, [a[y:y + 10].tobytes() for y in range(0, H, 10)])
    padded = np.zeros((48, 48, 3), np.uint8)
    padded[:H, :W] = a
    tiles = [padded[y:y + 16, x:x + 16].tobytes() for y in range(0, 48, 16) for x in range(0, 48, 16)]
    yield "tiles.tif", tiff("II", base | {322: 16, 323: 16}, tiles)
    yield "tiles_deflate.tif", tiff("II", base | {322: 16, 323: 16, 259: 8}, [zlib.compress(t) for t in tiles])
    four = np.dstack([a // 2, 128 + a[..., :1] // 2])
    yield "premultiplied.tif", tiff("II", base | {277: 4, 338: 1}, [four.tobytes()])
    yield "unassociated.tif", tiff("II", base | {277: 4, 338: 2}, [four.tobytes()])
    grey = np.asarray(m.convert("L"))
    yield "white.tif", tiff("II", base | {277: 1, 262: 0}, [grey.tobytes()])
    nibbles = np.zeros((H, W + W % 2), np.uint8)
    nibbles[:, :W] = grey >> 4
    yield "grey4.tif", tiff("II", base | {258: 4, 277: 1, 262: 1}, [(nibbles[:, ::2] << 4 | nibbles[:, 1::2]).tobytes()])
    rows = np.packbits(grey > 99, axis=1)
    yield "white1.tif", tiff("II", base | {258: 1, 277: 1, 262: 0}, [rows.tobytes()])
    deep = (a.astype(np.uint16) * 257 + np.arange(W, dtype=np.uint16)[None, :, None])
    for order, e in (("II", "<u2"), ("MM", ">u2")):
        yield f"rgb16{order}.tif", tiff(order, base | {258: 16}, [deep.astype(e).tobytes()])
        steps = np.concatenate([deep[:, :1], np.diff(deep, axis=1)], axis=1).astype(np.uint16)
        yield f"rgb16{order}_predictor.tif", tiff(order, base | {258: 16, 259: 8, 317: 2}, [zlib.compress(steps.astype(e).tobytes())])
    yield "turned.tif", tiff("II", base | {274: 6}, [a.tobytes()])
    yield "ycc_jpeg.tif", pillow(m.convert("YCbCr"), "TIFF", compression="jpeg")
    yield "grey_jpeg.tif", pillow(m.convert("L"), "TIFF", compression="jpeg")
    inks = pillow(m.convert("CMYK"), "JPEG", quality=90)
    at = inks.index(b"Adobe") + 11
    yield "jycck.jpg", inks[:at] + b"\2" + inks[at + 1:]
    yield "junk.jpg", pillow(m, "JPEG") + b"what follows the end does not matter"


def others():
    m = draw(W, H)
    alpha = draw(H, W).convert("L").resize((W, H), 0)
    rgba = m.copy()
    rgba.putalpha(alpha)
    palette = m.quantize(40)
    wide = Image.frombytes("I;16", (W, H), bytes((i * 37 + i // 90) % 256 for i in range(2 * W * H)))
    yield "rgb.png", pillow(m, "PNG")
    yield "rgba.png", pillow(rgba, "PNG")
    yield "grey.png", pillow(m.convert("L"), "PNG")
    yield "greyalpha.png", pillow(rgba.convert("LA"), "PNG")
    yield "bits1.png", pillow(m.convert("1"), "PNG")
    yield "palette.png", pillow(palette, "PNG")
    yield "palette4.png", pillow(m.quantize(13), "PNG", bits=4)
    yield "palette2.png", pillow(m.quantize(4), "PNG", bits=2)
    yield "palettealpha.png", pillow(palette, "PNG", transparency=bytes(range(40)))
    yield "rgbkey.png", pillow(m, "PNG", transparency=m.getpixel((3, 4)))
    yield "grey16.png", pillow(wide, "PNG")
    exif = Image.Exif()
    exif[0x112] = 6
    yield "exif6.png", pillow(m, "PNG", exif=exif)
    rows = b"".join(b"\0" + bytes((x * 7 + y * 3 + c) % 256 for x in range(W) for c in range(8)) for y in range(H))
    yield "rgba16.png", (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, 6, 0, 0, 0))
                         + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b""))
    yield "palette.gif", pillow(palette, "GIF")
    yield "interlaced.gif", pillow(palette, "GIF", interlace=1)
    yield "grey.gif", pillow(m.convert("L"), "GIF")
    yield "transparent.gif", pillow(palette, "GIF", transparency=3)
    yield "animated.gif", pillow(palette, "GIF", save_all=True, append_images=[draw(W, H).rotate(90).quantize(9)])
    for q in (5, 80):
        yield f"lossy{q}.webp", pillow(m, "WEBP", quality=q)
    for w, h in [(1, 1), (2, 2), (3, 1), (1, 3), (16, 17), (17, 16)]:
        yield f"lossy{w}x{h}.webp", pillow(draw(w, h), "WEBP")
    yield "lossless.webp", pillow(m, "WEBP", lossless=True)
    yield "alpha.webp", pillow(rgba, "WEBP")
    yield "alphalossless.webp", pillow(rgba, "WEBP", lossless=True, exact=True)
    yield "exif6.webp", pillow(m, "WEBP", exif=exif)
    yield "animated.webp", pillow(m, "WEBP", save_all=True, append_images=[draw(W, H).rotate(180)])
    yield "rgb.bmp", pillow(m, "BMP")
    yield "rgba.bmp", pillow(rgba, "BMP")
    yield "palette.bmp", pillow(palette, "BMP")
    yield "grey.bmp", pillow(m.convert("L"), "BMP")
    yield "bits1.bmp", pillow(m.convert("1"), "BMP")
    rle = bytearray()
    for y in range(H):
        rle += bytes([20, y, 10, 3, 0, 5, 1, 2, 3, 4, 5, 0, 10, 77, 0, 0])
    rle += b"\0\1"
    table = b"".join(bytes([i, 255 - i, i // 2, 0]) for i in range(256))
    yield "rle8.bmp", (b"BM" + struct.pack("<IHHI", 54 + 1024 + len(rle), 0, 0, 54 + 1024)
                       + struct.pack("<IiiHHIIiiII", 40, W, H, 1, 8, 1, len(rle), 0, 0, 256, 0) + table + bytes(rle))
    stride = (2 * W + 3) // 4 * 4
    words = b"".join(b"".join(struct.pack("<H", (x * 1543 + y * 991) % 65536) for x in range(W)).ljust(stride, b"\0") for y in range(H))
    yield "rgb555.bmp", (b"BM" + struct.pack("<IHHI", 54 + len(words), 0, 0, 54)
                         + struct.pack("<IiiHHIIiiII", 40, W, H, 1, 16, 0, len(words), 0, 0, 0, 0) + words)
    yield "rgb565.bmp", (b"BM" + struct.pack("<IHHI", 66 + len(words), 0, 0, 66)
                         + struct.pack("<IiiHHIIiiII", 40, W, -H, 1, 16, 3, len(words), 0, 0, 0, 0)
                         + struct.pack("<III", 0xF800, 0x7E0, 0x1F) + words)
    for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield f"rgb_{name}.tif", pillow(m, "TIFF", compression=name)
    yield "predictor.tif", pillow(m, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    yield "strips.tif", pillow(m, "TIFF", compression="packbits", tiffinfo={278: 5})
    yield "rgba.tif", pillow(rgba, "TIFF")
    yield "grey.tif", pillow(m.convert("L"), "TIFF", compression="tiff_lzw")
    yield "grey16.tif", pillow(wide, "TIFF")
    yield "bits1.tif", pillow(m.convert("1"), "TIFF")
    yield "palette.tif", pillow(palette, "TIFF")
    yield "cmyk.tif", pillow(m.convert("CMYK"), "TIFF", compression="tiff_lzw")
    yield "rgb.ppm", pillow(m, "PPM")
    yield "grey.pgm", pillow(m.convert("L"), "PPM")
    yield "rgb.ico", pillow(m, "ICO", sizes=[(W, H), (16, 16)])


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    rows = []
    for make in (jpegs, others, tiffs):
        for name, data in make():
            (OUT / name).write_bytes(data)
            m = Image.open(io.BytesIO(data))
            row = {"name": name, "size": list(m.size), "sha256": digest(m.convert("RGB").tobytes())}
            upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
            if name.startswith("exif"):
                row["upright"] = digest(upright.convert("RGB").tobytes())
            if name == "turned.tif":  # Pillow turns TIFF files as it reads them (and 9.4's exif_transpose once more)
                row["upright"] = row.pop("sha256")
            rows.append(row)
    (OUT.parent / "formats.json").write_text("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
    print(len(rows))
