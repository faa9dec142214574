"""TV-L1 flow on one CPU thread: dactyl against OpenCV's DualTVL1, alternately on the same machine in one run.

    python3 benchmarks/peers/flow_cpu.py --bench build/bench_flow [--video FILE…] [--size 340x256]

Needs OpenCV with contrib for Python (Debian: python3-opencv). Both sides get the same frames: neighbouring frames of
the videos, or of a made-up scene. `median 5`: the same variant on both sides; `no median`: dactyl's default (OpenCV's
CUDA variant) against DualTVL1 without median and with one round of 300 iterations, the nearest that OpenCV's CPU
version offers. Each side is timed in rounds that take turns; the medians are compared.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"
import cv2
import numpy as np


def scene(width, height, count):
    """Textured background and a disc that moves over it."""
    random = np.random.default_rng(1)
    texture = [cv2.GaussianBlur(random.uniform(0, 255, (height + 64, width + 64)).astype(np.float32), (0, 0), s)
               for s in (1.5, 4)]
    picture = cv2.normalize(texture[0] + 3 * texture[1], None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    frames = []
    for i in range(count):
        frame = picture[32:32 + height, 32 + i:32 + i + width].copy()
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 3 + 3 * i, height // 2 - 2 * i), height // 5, 255, -1)
        frame[mask > 0] = np.roll(picture, (-2 * i, 3 * i), (0, 1))[:height, :width][mask > 0]
        frames.append(frame)
    return list(zip(frames, frames[1:]))


def pairs_of(video, size, count):
    reader, frames = cv2.VideoCapture(video), []
    while True:
        good, frame = reader.read()
        if not good:
            break
        frames.append(cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), size))
    step = max(1, (len(frames) - 1) // count)
    return [(frames[i], frames[i + 1]) for i in range(0, len(frames) - 1, step)][:count]


def write(path, pairs):
    arrays = {name: np.stack([p[i] for p in pairs]).astype(np.float32) for i, name in enumerate(("from", "to"))}
    size = arrays["from"].nbytes
    header = json.dumps({name: {"dtype": "F32", "shape": list(a.shape), "data_offsets": [i * size, (i + 1) * size]}
                         for i, (name, a) in enumerate(arrays.items())}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header + arrays["from"].tobytes() + arrays["to"].tobytes())


def opencv(pairs, median):
    flow = cv2.optflow.createOptFlow_DualTVL1()
    if not median:
        flow.setMedianFiltering(1)
        flow.setOuterIterations(1)
        flow.setInnerIterations(300)
    start = time.perf_counter()
    for a, b in pairs:
        flow.calc(a, b, None)
    return (time.perf_counter() - start) / len(pairs)


def ours(bench, path, median, seconds):
    command = [bench, "--frames", path, "--median", str(median), "--device", "cpu", "--seconds", str(seconds), "--json"]
    got = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return got["median_ms"] / 1e3 / got["pairs"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", default="build/bench_flow")
    p.add_argument("--video", nargs="*", default=[])
    p.add_argument("--size", default="340x256")
    p.add_argument("--pairs", type=int, default=4, help="per video")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=1)
    a = p.parse_args()
    cv2.setNumThreads(1)
    size = tuple(map(int, a.size.split("x")))
    sources = {os.path.basename(v): pairs_of(v, size, a.pairs) for v in a.video} or {"made up": scene(*size, a.pairs + 1)}
    print(f"OpenCV {cv2.__version__} (optimized {cv2.useOptimized()}), {a.size}, one thread; medians of {a.rounds} "
          "alternating rounds\n\n| frames | pairs | variant | dactyl ms/pair | OpenCV ms/pair | ratio |\n"
          "|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, pairs in sources.items():
            path = os.path.join(folder, "frames.safetensors")
            write(path, pairs)
            for median in (5, 0):
                mine, theirs = [], []
                for _ in range(a.rounds):
                    mine.append(ours(a.bench, path, median, a.seconds))
                    theirs.append(opencv(pairs, median))
                us, them = statistics.median(mine), statistics.median(theirs)
                print(f"| {name} | {len(pairs)} | {'median 5' if median else 'no median'} | {us * 1e3:.1f} "
                      f"| {them * 1e3:.1f} | {them / us:.1f} |", flush=True)


if __name__ == "__main__":
    main()
