#!/usr/bin/env python3
"""Golden bytes of tests/train/resize_test.cpp: PIL's bilinear resize of a computed picture. Needs Pillow, numpy."""
import numpy as np
from PIL import Image


def picture(height, width):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * 7 + y * 13 + c * 29 + x * y % 31 * 5) % 256).astype(np.uint8)


small = np.asarray(Image.fromarray(picture(37, 53)).resize((5, 4), Image.BILINEAR))
print(", ".join(str(byte) for byte in small.ravel()))
