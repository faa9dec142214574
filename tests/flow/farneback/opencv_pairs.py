"""Pairs of frames with OpenCV's Farnebäck flow, for compare.cpp: real footage, and textures moved by a known flow.

    python3 tests/flow/farneback/opencv_pairs.py DATA OUT.safetensors

DATA holds asl-clips/SIGNER/LETTER/*.mp4 and single/*.gif. Needs OpenCV (Debian's python3-opencv).
"""
import json
import sys
from pathlib import Path

import cv2
import numpy as np

# scale, levels, window, iterations, poly_n, poly_sigma, flags
CALLS = {
    "default": (0.5, 5, 13, 10, 5, 1.1, 0),
    "sample": (0.5, 3, 15, 3, 5, 1.2, 0),
    "gaussian": (0.5, 3, 15, 3, 5, 1.2, cv2.OPTFLOW_FARNEBACK_GAUSSIAN),
    "others": (0.7, 4, 20, 4, 7, 1.5, 0),
}


def write(path, tensors):
    """A safetensors file: length of the header, header, numbers."""
    header, at = {}, 0
    for name, x in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for x in tensors.values():
            f.write(np.ascontiguousarray(x, np.float32).tobytes())


def grey_frames(path, size=None):
    clip, frames = cv2.VideoCapture(str(path)), []
    while True:
        good, frame = clip.read()
        if not good:
            return frames
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        frames.append(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR) if size else grey)


def real_pairs(data):
    """16 letters at their own size, 8 at 340x256, 8 of a sports clip, and cut pieces of odd sizes."""
    clips = sorted(data.glob("asl-clips/*/*/*.mp4"))[::12]
    for i, path in enumerate(clips[:24]):
        frames = grey_frames(path, None if i < 16 else (340, 256))
        name = "-".join(path.with_suffix("").parts[-3:])
        yield name, frames[4 + i % 20], frames[5 + i % 20]
    sports = grey_frames(data / "single" / "v_CricketShot_g04_c01_rgb.gif")
    for i in range(0, 72, 9):
        yield f"cricket-{i}", sports[i], sports[i + 1]
    for height, width in ((151, 97), (33, 200), (16, 16), (64, 11)):
        yield f"cut-{height}x{width}", sports[20][20:20 + height, 10:10 + width], sports[21][20:20 + height, 10:10 + width]


def smooth_flow(height, width, size, random):
    """A sum of low waves of up to about `size` pixels, and its value anywhere."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    flow = np.zeros((height, width, 2))
    for k in range(2):
        for _ in range(3):
            fy, fx, phase = random.uniform(-1.5, 1.5), random.uniform(-1.5, 1.5), random.uniform(0, 6.28)
            flow[..., k] += size / 3 * np.sin(6.28 * (fy * y + fx * x) + phase)
    return flow


def true_pairs(data):
    """The second frame is a picture; the first reads it where the flow leads: first(y, x) = second(y + v, x + u)."""
    random = np.random.default_rng(1)
    photo = cv2.cvtColor(cv2.imread(str(data / "single" / "cat.jpg")), cv2.COLOR_BGR2GRAY)
    photo = cv2.GaussianBlur(cv2.resize(photo, (340, 256)).astype(np.float32), (0, 0), 0.8)
    height, width = photo.shape
    noise = sum(cv2.resize(random.normal(size=(height // s, width // s)), (width, height), interpolation=cv2.INTER_CUBIC) * s**0.7
                for s in (3, 6, 12, 24, 48)).astype(np.float32)
    noise = 128 + 45 * (noise - noise.mean()) / noise.std()
    y, x = np.mgrid[:height, :width]
    for texture, second in (("photo", photo), ("noise", noise)):
        for size in (1, 3, 6):
            flow = smooth_flow(height, width, size, random)
            places = (np.stack([x, y], -1) + flow).astype(np.float32)
            first = cv2.remap(second, places, None, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101)
            yield f"{texture}-moved-{size}", first.clip(0, 255).round(), second.clip(0, 255).round(), flow


def main():
    data, out = Path(sys.argv[1]), sys.argv[2]
    cv2.setNumThreads(1)
    tensors = {}

    def add(name, first, second):
        first, second = first.astype(np.uint8), second.astype(np.uint8)
        tensors[f"{name}/from"], tensors[f"{name}/to"] = first.astype(np.float32), second.astype(np.float32)
        for call, arguments in CALLS.items():
            tensors[f"{name}/{call}"] = cv2.calcOpticalFlowFarneback(first, second, None, *arguments)

    for pair in real_pairs(data):
        add(*pair)
    for name, first, second, flow in true_pairs(data):
        add(name, first, second)
        tensors[f"{name}/true"] = flow.astype(np.float32)
    write(out, tensors)
    print(f"{sum(name.endswith('/from') for name in tensors)} pairs, OpenCV {cv2.__version__}")


if __name__ == "__main__":
    main()
