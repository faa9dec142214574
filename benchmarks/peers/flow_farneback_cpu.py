"""Dense Farnebäck flow on the CPU: dactyl against OpenCV, alternately on the same machine in one run.

    python3 benchmarks/peers/flow_farneback_cpu.py [--bench build/bench_flow_farneback] [--clip FILE] [--threads 1]

Both read the same frames: of a clip, or rendered waves. Each side is timed in several rounds that take turns, so that
neither gets the quiet minutes; the medians are compared. Needs OpenCV (Debian's python3-opencv).
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import cv2
import numpy as np

CALLS = {"default": (0.5, 5, 13, 10, 5, 1.1, 0), "sample": (0.5, 3, 15, 3, 5, 1.2, 0)}


def grey_frames(path, size, count):
    """Frames of a clip in grey at a size; without a clip, moving waves with noise."""
    width, height = size
    if not path:
        random = np.random.default_rng(1)
        y, x = np.mgrid[:height, :width]
        return [(128 + 60 * np.sin(y / 5) * np.cos((x + n) / 7) + random.uniform(-20, 20, y.shape)).astype(np.uint8)
                for n in range(count)]
    clip, frames = cv2.VideoCapture(path), []
    while len(frames) < count:
        good, frame = clip.read()
        if not good:
            raise SystemExit(f"{path} has {len(frames)} frames, {count} are needed")
        frames.append(cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), size))
    return frames


def theirs(frames, arguments, budget):
    """Seconds for one pair, over all neighbouring pairs again and again."""
    times, end = [], time.perf_counter() + budget
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        for first, second in zip(frames, frames[1:]):
            cv2.calcOpticalFlowFarneback(first, second, None, *arguments)
        times.append((time.perf_counter() - start) / (len(frames) - 1))
    return statistics.median(times)


def ours(bench, frames, size, call, budget):
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(f.tobytes() for f in frames))
        file.flush()
        command = [bench, "--device", "cpu", "--size", f"{size[0]}x{size[1]}", "--pairs", str(len(frames) - 1),
                   "--call", call, "--frames", file.name, "--seconds", str(budget), "--json"]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return answer["median_ms"] / 1e3 / answer["pairs"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", default="build/bench_flow_farneback")
    p.add_argument("--clip", default="", help="a video; default: rendered waves")
    p.add_argument("--sizes", default="340x256,224x224")
    p.add_argument("--pairs", type=int, default=8)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    cv2.setNumThreads(a.threads)
    os.environ["OMP_NUM_THREADS"] = str(a.threads)
    print(f"OpenCV {cv2.__version__}, {a.threads} thread(s); medians of {a.rounds} alternating rounds\n")
    print("| size | call | dactyl ms/pair | OpenCV ms/pair | ratio |\n|---|---|---|---|---|")
    for text in a.sizes.split(","):
        size = tuple(map(int, text.split("x")))
        frames = grey_frames(a.clip, size, a.pairs + 1)
        for call, arguments in CALLS.items():
            mine, peer = [], []
            for _ in range(a.rounds):
                mine.append(ours(a.bench, frames, size, call, a.seconds))
                peer.append(theirs(frames, arguments, a.seconds))
            us, them = statistics.median(mine), statistics.median(peer)
            print(f"| {text} | {call} | {us * 1e3:.2f} | {them * 1e3:.2f} | {them / us:.2f} |", flush=True)


if __name__ == "__main__":
    main()
