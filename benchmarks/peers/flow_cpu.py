"""Optical flow on the CPU: dactyl against OpenCV, alternately on the same machine in one run.

    python3 benchmarks/peers/flow_cpu.py [--bench build/bench_flow] [--video FILE…] [--size 340x256] [--threads 1]

Needs OpenCV with contrib for Python (Debian: python3-opencv). Both sides get the same frames: neighbouring frames of
the videos, or of a made-up scene. tvl1-cpu, farneback and farneback-sample are the same computation on both sides; tvl1,
OpenCV's CUDA variant, meets DualTVL1 without median and with one round of 300 iterations, the nearest that its CPU
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

import cv2
import numpy as np

FARNEBACK = {"farneback": (0.5, 5, 13, 10, 5, 1.1, 0), "farneback-sample": (0.5, 3, 15, 3, 5, 1.2, 0)}
ALGORITHMS = ("tvl1-cpu", "tvl1", *FARNEBACK)


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


def opencv_flow(algorithm):
    if algorithm in FARNEBACK:
        return lambda a, b: cv2.calcOpticalFlowFarneback(a, b, None, *FARNEBACK[algorithm])
    flow = cv2.optflow.createOptFlow_DualTVL1()
    if algorithm == "tvl1":
        flow.setMedianFiltering(1)
        flow.setOuterIterations(1)
        flow.setInnerIterations(300)
    return lambda a, b: flow.calc(a, b, None)


def theirs(pairs, algorithm, seconds):
    flow, times, end = opencv_flow(algorithm), [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        for a, b in pairs:
            flow(a, b)
        times.append((time.perf_counter() - start) / len(pairs))
    return statistics.median(times)


def ours(bench, path, algorithm, seconds):
    command = [bench, "--frames", path, "--algo", algorithm, "--device", "cpu", "--seconds", str(seconds), "--json"]
    got = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return got["median_ms"] / 1e3 / got["pairs"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", default="build/bench_flow")
    p.add_argument("--video", nargs="*", default=[])
    p.add_argument("--size", default="340x256")
    p.add_argument("--algo", nargs="*", default=ALGORITHMS, choices=ALGORITHMS)
    p.add_argument("--pairs", type=int, default=4, help="per video")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=1)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    cv2.setNumThreads(a.threads)
    os.environ["OMP_NUM_THREADS"] = str(a.threads)
    size = tuple(map(int, a.size.split("x")))
    sources = {os.path.basename(v): pairs_of(v, size, a.pairs) for v in a.video} or {"made up": scene(*size, a.pairs + 1)}
    print(f"OpenCV {cv2.__version__} (optimized {cv2.useOptimized()}), {a.size}, {a.threads} thread(s); medians of "
          f"{a.rounds} alternating rounds\n\n| frames | pairs | algorithm | dactyl ms/pair | OpenCV ms/pair | ratio |\n"
          "|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, pairs in sources.items():
            path = os.path.join(folder, "frames.safetensors")
            write(path, pairs)
            for algorithm in a.algo:
                mine, peer = [], []
                for _ in range(a.rounds):
                    mine.append(ours(a.bench, path, algorithm, a.seconds))
                    peer.append(theirs(pairs, algorithm, a.seconds))
                us, them = statistics.median(mine), statistics.median(peer)
                print(f"| {name} | {len(pairs)} | {algorithm} | {us * 1e3:.2f} | {them * 1e3:.2f} | {them / us:.2f} |",
                      flush=True)


if __name__ == "__main__":
    main()
