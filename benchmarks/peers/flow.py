"""Dense optical flow: dactyl against OpenCV on the same frames and the same machine, in rounds that take turns.

    python3 benchmarks/peers/flow.py [--bench build/bench_flow] [--video FILE…] [--size 340x256] [--threads 1]
    python3 benchmarks/peers/flow.py --device cuda --processes 16 --pairs 64

The first form times single pairs on the CPU, the same number of threads on both sides. With --device cuda, or with
--processes, dactyl works on all pairs at once, on a GPU by replaying a captured graph, and OpenCV on as many cores as
there are processes: each on a core of its own with one thread, warmed up, let go by a barrier, taking the next pair from
a common counter. Above 1, dactyl is faster.

Both sides get the same frames: neighbouring frames of the videos, or of made-up scenes. tvl1-cpu, farneback and
farneback-sample are the same computation on both sides; tvl1, OpenCV's CUDA variant, meets DualTVL1 without median and
with one round of 300 iterations, the nearest that its CPU version offers. DualTVL1 needs OpenCV with contrib (Debian:
python3-opencv; pip: opencv-contrib-python-headless); without, its rows say so and Farnebäck is measured.
"""
import argparse
import json
import multiprocessing
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

FARNEBACK = {"farneback": (0.5, 5, 13, 10, 5, 1.1, 0), "farneback-sample": (0.5, 3, 15, 3, 5, 1.2, 0)}
ALGORITHMS = ("tvl1-cpu", "tvl1", *FARNEBACK)
PATIENCE = 120  # seconds that processes wait for each other before the run is given up


def scene(width, height, count, seed):
    """Pairs of a textured background and a disc that moves over it; count: up to 32."""
    random = np.random.default_rng(seed)
    texture = [cv2.GaussianBlur(random.uniform(0, 255, (height + 64, width + 64)).astype(np.float32), (0, 0), s)
               for s in (1.5, 4)]
    picture = cv2.normalize(texture[0] + 3 * texture[1], None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    frames = []
    for i in range(count + 1):
        frame = picture[32:32 + height, 32 + i:32 + i + width].copy()
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 3 + 3 * i, height // 2 - 2 * i), height // 5, 255, -1)
        frame[mask > 0] = np.roll(picture, (-2 * i, 3 * i), (0, 1))[:height, :width][mask > 0]
        frames.append(frame)
    return list(zip(frames, frames[1:]))


def made_up(size, count):
    """A new scene every eight pairs: the disc stays in the picture."""
    return [pair for i in range(0, count, 8) for pair in scene(*size, min(8, count - i), 1 + i // 8)]


def pairs_of(video, size, count):
    reader, frames = cv2.VideoCapture(video), []
    while True:
        good, frame = reader.read()
        if not good:
            break
        frames.append(cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), size))
    if len(frames) < 2:
        sys.exit(f"{video}: fewer than two frames can be read")
    step = max(1, (len(frames) - 1) // count)
    return [(frames[i], frames[i + 1]) for i in range(0, len(frames) - 1, step)][:count]


def write(path, pairs):
    """As bench_flow reads it."""
    arrays = {name: np.stack([p[i] for p in pairs]).astype(np.float32) for i, name in enumerate(("from", "to"))}
    size = arrays["from"].nbytes
    header = json.dumps({name: {"dtype": "F32", "shape": list(a.shape), "data_offsets": [i * size, (i + 1) * size]}
                         for i, (name, a) in enumerate(arrays.items())}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header + arrays["from"].tobytes() + arrays["to"].tobytes())


def lacks(algorithm):
    """What this OpenCV would need for the algorithm; empty: nothing."""
    return "" if algorithm in FARNEBACK or hasattr(cv2, "optflow") else "no cv2.optflow here (contrib)"


def opencv_flow(algorithm):
    if algorithm in FARNEBACK:
        return lambda a, b: cv2.calcOpticalFlowFarneback(a, b, None, *FARNEBACK[algorithm])
    flow = cv2.optflow.DualTVL1OpticalFlow_create()
    if algorithm == "tvl1":
        flow.setMedianFiltering(1)
        flow.setOuterIterations(1)
        flow.setInnerIterations(300)
    return lambda a, b: flow.calc(a, b, None)


def theirs(pairs, algorithm, seconds):
    """Seconds per pair, one after the other."""
    flow, times, end = opencv_flow(algorithm), [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        for a, b in pairs:
            flow(a, b)
        times.append((time.perf_counter() - start) / len(pairs))
    return statistics.median(times)


def work(core, path, algorithm, warm, gate, taken, wanted, said):
    """One of OpenCV's processes: says how long a warm pair takes, and when it found nothing more to do."""
    os.sched_setaffinity(0, {core})
    cv2.setNumThreads(1)
    pairs, flow = np.load(path), opencv_flow(algorithm)
    for _ in range(2):
        start = time.monotonic()
        flow(*pairs[0])
    said.put(time.monotonic() - start)
    warm.wait(PATIENCE)
    gate.wait(PATIENCE)
    while True:
        with taken.get_lock():
            i, taken.value = taken.value, taken.value + 1
        if i >= wanted.value:
            break
        flow(*pairs[i % len(pairs)])
    said.put(time.monotonic())


def theirs_on_cores(path, count, algorithm, seconds, processes):
    """Pairs per second of all processes together: whole rounds over the pairs, from the barrier to the last one's end."""
    mp = multiprocessing.get_context("spawn")
    cores = sorted(os.sched_getaffinity(0))
    warm, gate, said = mp.Barrier(processes + 1), mp.Barrier(processes + 1), mp.Queue()
    taken, wanted = mp.Value("q", 0), mp.Value("q", 0)
    children = [mp.Process(target=work, daemon=True, args=(cores[i % len(cores)], path, algorithm, warm, gate, taken,
                                                           wanted, said)) for i in range(processes)]
    for child in children:
        child.start()
    warm.wait(PATIENCE)
    pair = statistics.median(said.get(timeout=PATIENCE) for _ in children)
    rounds = max(1, round(seconds * processes / pair / count), -(-4 * processes // count))  # its end wastes little
    wanted.value = rounds * count
    start = time.monotonic()
    gate.wait(PATIENCE)
    end = max(said.get(timeout=PATIENCE + 2 * rounds * count * pair) for _ in children)
    for child in children:
        child.join()
    return wanted.value / (end - start)


def ours(a, path, algorithm):
    command = [a.bench, "--frames", path, "--algo", algorithm, "--device", a.device, "--seconds", str(a.seconds), "--json"]
    if a.device.startswith("cuda"):
        command.append("--graph")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()}")
    got = json.loads(done.stdout)
    return got["median_ms"] / 1e3 / got["pairs"]


def said_by(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return ""


def machine(a):
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    gpu = said_by("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader") if a.device != "cpu" else ""
    dactyl = said_by(os.path.join(os.path.dirname(a.bench), "dactyl"), "--version") or "dactyl"
    versions = f"{dactyl}; OpenCV {cv2.__version__} (optimized {cv2.useOptimized()}), numpy {np.__version__}"
    return f"{gpu + '; ' if gpu else ''}{cpu}, {len(os.sched_getaffinity(0))} cores; {versions}, {platform.python_version()}"


def turns(a, name, pairs, path, arrays):
    """One pair after the other on both sides: a row for each algorithm."""
    for algorithm in a.algo:
        mine, peer, lack = [], [], lacks(algorithm)
        for _ in range(a.rounds):
            mine.append(ours(a, path, algorithm))
            if not lack:
                peer.append(theirs(pairs, algorithm, a.seconds))
        us = statistics.median(mine)
        them = statistics.median(peer) if peer else 0
        yield (f"| {name} | {len(pairs)} | {algorithm} | {us * 1e3:.2f} | "
               + (f"{lack} | |" if lack else f"{them * 1e3:.2f} | {them / us:.2f} |"))


def together(a, name, pairs, path, arrays):
    """All pairs at once against all cores: a row for each algorithm."""
    for algorithm in a.algo:
        mine, peer, lack = [], [], lacks(algorithm)
        for _ in range(a.rounds):
            mine.append(1 / ours(a, path, algorithm))
            if not lack:
                peer.append(theirs_on_cores(arrays, len(pairs), algorithm, a.seconds, a.processes))
        us = statistics.median(mine)
        them = statistics.median(peer) if peer else 0
        yield (f"| {name} | {len(pairs)} | {algorithm} | {us:.1f} | "
               + (f"{lack} | |" if lack else f"{them:.1f} | {us / them:.2f} |"))


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", default="build/bench_flow")
    p.add_argument("--device", default="cpu", help="dactyl's: cpu, cuda or cuda:N")
    p.add_argument("--processes", type=int, default=0, help="OpenCV's; default on a GPU: one for each core; 0: taking turns")
    p.add_argument("--video", nargs="*", default=[])
    p.add_argument("--size", default="340x256")
    p.add_argument("--algo", nargs="*", default=ALGORITHMS, choices=ALGORITHMS)
    p.add_argument("--pairs", type=int, default=0, help="per video; default: 4, with processes 64")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=1)
    p.add_argument("--threads", type=int, default=1, help="of both sides where they take turns")
    a = p.parse_args()
    if a.device != "cpu" and not a.processes:
        a.processes = len(os.sched_getaffinity(0))
    a.pairs = a.pairs or (64 if a.processes else 4)
    if min(a.pairs, a.rounds, a.threads) < 1 or a.processes < 0:
        p.error("--pairs, --rounds, --threads: expected 1 or more; --processes: 0 or more")
    return a


def main():
    a = options()
    cv2.setNumThreads(a.threads)
    if not a.processes:
        os.environ["OMP_NUM_THREADS"] = str(a.threads)
    size = tuple(map(int, a.size.split("x")))
    sources = {os.path.basename(v): pairs_of(v, size, a.pairs) for v in a.video} or {"made up": made_up(size, a.pairs)}
    print(f"{machine(a)}; {a.size}; medians of {a.rounds} alternating rounds\n")
    if a.processes:
        print(f"| frames | pairs | algorithm | dactyl, {a.device}, pairs/s | OpenCV, {a.processes} processes, pairs/s | ratio |")
    else:
        print(f"| frames | pairs | algorithm | dactyl ms/pair, {a.threads} thread(s) | OpenCV ms/pair | ratio |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, pairs in sources.items():
            path, arrays = os.path.join(folder, "frames.safetensors"), os.path.join(folder, "frames.npy")
            write(path, pairs)
            np.save(arrays, np.stack([np.stack(p) for p in pairs]))
            for row in (together if a.processes else turns)(a, name, pairs, path, arrays):
                print(row, flush=True)


if __name__ == "__main__":
    main()
