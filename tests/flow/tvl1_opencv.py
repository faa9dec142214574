"""Pairs of grey frames and the TV-L1 flow that others compute for them, as one safetensors file.

    python3 tests/flow/tvl1_opencv.py DATA OUT.safetensors

DATA holds asl-clips/*/*/*.mp4 and single/v_CricketShot_g04_c01_rgb.gif. Per pair: from, to; `cpu`: OpenCV's DualTVL1
with its defaults; `plain`: the same without median, one round of 300 iterations; `cuda`: a model in numpy of OpenCV's
CUDA version, which needs a GPU and is in no Debian package; `truth` where the second frame was rendered from the first.
Needs Debian's python3-opencv (4.6 with contrib). Prints nothing but the versions.
"""
import glob
import json
import os
import struct
import sys

import cv2
import numpy as np

import tvl1_model


def frames_of(path, at):
    video, found = cv2.VideoCapture(path), {}
    for i in range(max(at) + 1):
        good, frame = video.read()
        if not good:
            break
        if i in at:
            found[i] = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return found


def real_pairs(data):
    clips = sorted(glob.glob(os.path.join(data, "asl-clips/*/*/*.mp4")))
    for number, clip in enumerate(clips[:: max(1, len(clips) // 14)][:14]):
        first = 4 + number % 20
        frames = frames_of(clip, (first, first + 1))
        name = "/".join(clip.split(os.sep)[-3:])
        if number % 5 == 0:  # the size that speed is measured at
            frames = {i: cv2.resize(f, (340, 256)) for i, f in frames.items()}
        if len(frames) == 2:
            yield f"{name} {first}", frames[first], frames[first + 1]
    frames = frames_of(os.path.join(data, "single/v_CricketShot_g04_c01_rgb.gif"), range(79))
    for first in range(3, 75, 8):
        if first in frames and first + 1 in frames:
            yield f"CricketShot {first}", frames[first], frames[first + 1]


def rendered_pairs(data):
    """A picture displaced by a smooth flow: from(x) = to(x + flow(x)), so the flow is known everywhere."""
    pictures = [cv2.imread(os.path.join(data, "single/cat.jpg"), cv2.IMREAD_GRAYSCALE)]
    gif = frames_of(os.path.join(data, "single/v_CricketShot_g04_c01_rgb.gif"), (20,))
    pictures += list(gif.values())
    random = np.random.default_rng(1)
    for number, picture in enumerate(p for p in pictures if p is not None):
        to = cv2.resize(picture, (340, 256), interpolation=cv2.INTER_AREA)
        to = cv2.GaussianBlur(to.astype(np.float32), (0, 0), 0.8)
        for strength in (1, 3):
            flow = cv2.resize(random.normal(size=(4, 5, 2)).astype(np.float32), (340, 256),
                              interpolation=cv2.INTER_CUBIC) * strength
            y, x = np.mgrid[0:256, 0:340].astype(np.float32)
            first = tvl1_model.bicubic(to, x + flow[..., 0], y + flow[..., 1])
            yield f"rendered {number} x{strength}", first.round().clip(0, 255).astype(np.uint8), \
                to.round().astype(np.uint8), flow


def opencv(first, second, plain):
    flow = cv2.optflow.createOptFlow_DualTVL1()
    if plain:
        flow.setMedianFiltering(1)
        flow.setOuterIterations(1)
        flow.setInnerIterations(300)
    return flow.calc(first, second, None)


def write(path, tensors, notes):
    header, offset = {"__metadata__": notes}, 0
    for name, a in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [offset, offset + a.nbytes]}
        offset += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for a in tensors.values():
            f.write(a.tobytes())


def main():
    data, out = sys.argv[1:3]
    cv2.setNumThreads(1)
    print(f"OpenCV {cv2.__version__}, numpy {np.__version__}")
    tensors, notes = {}, {}
    pairs = [(n, a, b, None) for n, a, b in real_pairs(data)] + list(rendered_pairs(data))
    for i, (name, first, second, truth) in enumerate(pairs):
        key = f"p{i:02d}"
        notes[key] = name
        made = {"from": first, "to": second, "cpu": opencv(first, second, False),
                "plain": opencv(first, second, True), "cuda": tvl1_model.flow(first, second)}
        if truth is not None:
            made["truth"] = truth
        tensors.update({f"{key}.{what}": np.ascontiguousarray(a, np.float32) for what, a in made.items()})
    write(out, tensors, notes)


if __name__ == "__main__":
    main()
