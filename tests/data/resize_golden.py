#!/usr/bin/env python3
"""Golden checksums of tests/train/resize_test.cpp: PIL's bilinear resize of a computed picture. Needs Pillow, numpy.

Rows are resampled before columns, as Pillow long did; Pillow 13 turns this round for some shapes (tall
pictures made wider), none of them here.
"""
import numpy as np
from PIL import Image


def picture(height, width):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * 7 + y * 13 + c * 29 + x * y % 31 * 5) % 256).astype(np.uint8)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


for h, w, to_h, to_w in [(37, 53, 16, 20), (37, 53, 64, 90), (37, 53, 37, 20), (37, 53, 100, 53), (37, 53, 1, 1),
                         (1, 1, 5, 3), (300, 200, 224, 149), (200, 200, 256, 256), (150, 900, 20, 256)]:
    out = np.asarray(Image.fromarray(picture(h, w)).resize((to_w, to_h), Image.BILINEAR))
    print(f"    {{{h}, {w}, {to_h}, {to_w}, 0x{fnv(out.tobytes()):016x}u}},")
