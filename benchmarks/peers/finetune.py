"""Fine-tuning from JPEG files, end to end: dactyl train against PyTorch with its DataLoader, on one machine in one run.

    python3 benchmarks/peers/finetune.py --dactyl build/dactyl --device cuda --batch 128 --seconds 6
    OMP_WAIT_POLICY=passive python3 benchmarks/peers/finetune.py --device cpu --input 64 --resize 72 --batch 8 --classes 8

Both sides train GoogLeNet with batch normalisation from the same weights on the same folder per class: short side to
--resize, a random crop, a random mirror, momentum SGD; on a GPU in bf16, on a CPU in fp32. Rows: `decoded`, every picture
in every epoch; `kept`, pictures held in memory as they are before the crop; and the loader alone, decoding. With `-gpu` dactyl
decodes by nvJPEG (`--decode gpu`; `kept-gpu` holds files) and PyTorch's figures are those of the row without it; a program that
cannot is named. The loader's line then says how many pictures the CPU decoded all the same. Photos have no packed store:
`dactyl data pack` is for clips. Above 1, dactyl is faster.

PyTorch: ImageFolder and DataLoader with a worker per thread, persistent, pinned; one endless epoch, so that it never
starts anew; batches are copied on a stream of their own and made numbers on the device; channels last, autocast, fused
SGD, no .item(); eager and as a captured graph, the better one counts. Decoders: --decode pil, torchvision, or the faster.

Left out on both sides: the first steps (searching plans, filling queues), dactyl's whole first epoch. "waited" is the share
of the time in which the device had nothing to do because no batch was there: by events on the device on both sides.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torchvision.datasets import ImageFolder

from torch_finetune import DECODERS, Prepare, faster_decoder, keep, torch_side
from torch_nets import make

WARM = 40  # steps of dactyl; on a GPU its rows come by twenties


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def rows_of(path):
    """(step, samples/s, share waited) of train.csv; its last line may be half written."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[1:-1]
    return [(int(f[0]), float(f[4]), float(f[5])) for f in (line.split(",") for line in lines)]


def measured(rows, skip, batch):
    """Seconds, images per second and share waited behind the first `skip` steps."""
    late = [(batch / rate, wait) for step, rate, wait in rows if step > skip and rate > 0]
    seconds = sum(t for t, _ in late)
    return seconds, len(late) * batch / max(seconds, 1e-9), sum(t * w for t, w in late) / max(seconds, 1e-9), len(late)


def dactyl_training(folder, weights, memory, decode, out, a):
    """Runs until enough has been measured, then asks it to stop."""
    command = [a.dactyl, "train", "--model", "googlenet-bn", "--weights", weights, "--data", folder, "--batch", a.batch,
               "--stage", "all:1000000it@1e-3", "--sched", "const", "--val-every", "1000000it", "--save-every", "1000000it",
               "--aug", "reflect-x,crop", "--input", a.input, "--resize", f"short{a.resize}-antialias", "--split", 0.95,
               "--device", a.device, "--precision", "bf16" if a.device == "cuda" else "fp32", "--threads", a.threads,
               "--picture-memory", memory, "--decode", decode, "--out", out]
    with open(Path(out).with_suffix(".err"), "w+") as said:
        run = subprocess.Popen([str(c) for c in command], stderr=said, stdout=subprocess.DEVNULL)
        try:
            epoch = int(0.95 * a.pictures) // a.batch
            skip, patience = max(WARM if a.device == "cuda" else 3, epoch + 1), time.monotonic() + a.patience
            while run.poll() is None and time.monotonic() < patience:
                time.sleep(0.2)
                if measured(rows_of(Path(out, "train.csv")), skip, a.batch)[0] >= a.seconds:
                    break
        finally:
            if run.poll() is None:
                run.send_signal(signal.SIGINT)
            code = run.wait(60)
        said.seek(0)
        text = said.read()
    seconds, rate, wait, steps = measured(rows_of(Path(out, "train.csv")), skip, a.batch)
    if code != 130 or not steps:
        sys.exit(f"dactyl train: exit code {code}, {steps} steps measured: {text.strip()[-400:]}")
    verdict = [line for line in text.splitlines() if "waited for data" in line]
    return {"images_per_s": rate, "wait": wait, "steps": steps, "seconds": seconds, "verdict": (verdict or [""])[0]}


def dactyl_loading(folder, decode, a):
    said = call(a.dactyl, "bench", "data", folder, "--model", "googlenet-bn", "--batch", a.batch, "--threads", a.threads,
                "--seconds", a.seconds / 2, "--device", a.device, "--decode", decode, "--json")
    return json.loads(said)


def why_not(folder, decode, a):
    """Why dactyl cannot decode there, in its own words; empty: it can."""
    tried = [a.dactyl, "bench", "data", folder, "--batch", "2", "--seconds", "0", "--device", a.device, "--decode", decode]
    done = subprocess.run(tried, capture_output=True, text=True)
    return done.stderr.strip()[-300:] or f"exit code {done.returncode}" if done.returncode else ""


def torch_row(row, folder, weights, a):
    """A PyTorch that cannot do this here is named, and dactyl's figures stand alone."""
    try:
        if row == "kept":
            return torch_side(keep(folder, a), weights, a)
        return torch_side(ImageFolder(folder, Prepare(a.resize, a.input), loader=DECODERS[a.decode]), weights, a)
    except (RuntimeError, OSError) as e:
        return {"failed": {"here": (str(e).splitlines() or [type(e).__name__])[0][:200]}}


def line(name, mine, peer):
    """Of two rates; "wait" and "mode" where there is such a thing."""
    wait = lambda r: f"{100 * r['wait']:.0f} %" if "wait" in r else "–"
    rate = lambda r: f"{r['images_per_s']:.0f}" if r.get("images_per_s") else "–"
    ratio = f"**{mine['images_per_s'] / peer['images_per_s']:.2f}**" if peer.get("images_per_s") else "–"
    return f"| {name} | {rate(mine)} | {wait(mine)} | {rate(peer)} | {wait(peer)} | {peer.get('mode', '–')} | {ratio} |"


def data_of(a, work):
    if a.data:
        return a.data
    call(a.dactyl, "data", "synth", "--kind", "letters", "--classes", a.classes, "--per-class", a.per_class, "--size", a.size,
         "--out", work / "letters")
    return str(work / "letters")


def compare(a, work):
    folder = data_of(a, work)
    images = ImageFolder(folder)
    a.classes, a.pictures = len(images.classes), len(images)
    if a.pictures < 2 * a.batch:
        sys.exit(f"{folder}: {a.pictures} pictures are too few for batches of {a.batch}; two batches make an epoch at least")
    if a.decode == "auto":
        a.decode = faster_decoder(folder, a)
    torch.manual_seed(1)
    weights = make("googlenet-bn").state_dict()
    save_file(weights, work / "start.safetensors")
    where = torch.cuda.get_device_name() if a.device == "cuda" else "CPU"
    print(f"{where}, {os.cpu_count()} cores; PyTorch {torch.__version__}, {a.workers} workers, {a.decode}; {a.pictures} JPEGs "
          f"of {a.classes} classes, batch {a.batch}, input {a.input}; {a.seconds:g} s each\n")
    print("| images/s | dactyl | waited | PyTorch | waited | mode | ratio |\n|---|---|---|---|---|---|---|", flush=True)
    results, peers = {}, {}
    for row in a.rows.split(","):
        kind, decode = row.removesuffix("-gpu"), "gpu" if row.endswith("-gpu") else "cpu"
        if lacking := decode == "gpu" and why_not(folder, decode, a):
            print(f"<!-- {row}: {lacking} -->", flush=True)
            continue
        peer = peers[kind] = peers.get(kind) or torch_row(kind, folder, weights, a)
        mine = dactyl_training(folder, work / "start.safetensors", 0 if kind == "decoded" else 1 << 20, decode, work / row, a)
        results[row] = {"dactyl": mine, "torch": peer}
        print(line(f"training, {row}", mine, peer), flush=True)
        if kind == "decoded":
            loader = dactyl_loading(folder, decode, a)
            results[row]["dactyl_loader"] = {k: v for k, v in loader.items() if k != "ms"}
            print(line(f"loader alone, {row}", {"images_per_s": loader["samples_per_s"]}, {"images_per_s": peer.get("loader", 0)}),
                  flush=True)
            if decode == "gpu":
                print(f"<!-- {loader['decoder']}: {loader['decoded_on_gpu']} pictures, the CPU {loader['decoded_on_cpu']} -->")
        for mode, why in peer["failed"].items():
            print(f"<!-- {row}: PyTorch {mode}: {why} -->")
        if mine["verdict"]:
            print(f"<!-- {row}: {mine['verdict']} -->")
    return results


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dactyl", default="build/dactyl")
    p.add_argument("--data", default="", help="folder per class of JPEGs; none: rendered letters")
    p.add_argument("--classes", type=int, default=26, help="of rendered letters")
    p.add_argument("--per-class", type=int, default=200)
    p.add_argument("--size", type=int, default=256, help="their side")
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--threads", type=int, default=0, help="that read, on both sides; 0: one per core")
    p.add_argument("--prefetch", type=int, default=2, help="batches that each of PyTorch's workers reads ahead")
    p.add_argument("--seconds", type=float, default=6, help="of measuring each training; loaders take half of it")
    p.add_argument("--patience", type=float, default=120, help="seconds until a training of dactyl is given up")
    p.add_argument("--rows", default="", help="of decoded, decoded-gpu, kept, kept-gpu; none given: on a GPU all but the last")
    p.add_argument("--decode", default="auto", choices=("auto", *DECODERS))
    p.add_argument("--input", type=int, default=224, help="side of the net's input")
    p.add_argument("--resize", type=int, default=256, help="short side before the crop")
    p.add_argument("--json", default="", help="file that gets every figure")
    a = p.parse_args()
    a.rows = a.rows or ("decoded,decoded-gpu,kept" if a.device == "cuda" else "decoded,kept")
    for row in a.rows.split(","):
        if row not in ("decoded", "decoded-gpu", "kept", "kept-gpu"):
            p.error(f"--rows {row}: there are decoded, decoded-gpu, kept, kept-gpu")
    a.threads = a.workers = a.threads or len(os.sched_getaffinity(0))
    a.warm = a.workers * a.prefetch + 8 if a.device == "cuda" else 2
    a.dactyl = str(Path(a.dactyl).resolve())
    return a


def main():
    a = options()
    with tempfile.TemporaryDirectory(prefix="finetune-") as work:
        results = compare(a, Path(work))
    if a.json:
        Path(a.json).write_text(json.dumps({"options": vars(a), "torch": torch.__version__, "rows": results}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
