"""Whether speed costs accuracy: the same training steps on the CPU in fp32, on a GPU in fp32 and in bf16, loss by loss.

    python3 benchmarks/precision.py --dactyl build/dactyl --device cuda --json precision.json
    python3 benchmarks/precision.py --nets googlenet-bn --steps 20 --device cpu
    python3 benchmarks/precision.py --nets "" --data photos --seeds 1,2,3 --device cuda

AlexNet from random weights on rendered letters, GoogLeNet-BN from weights/hands.safetensors on the same, I3D from random
weights on rendered words; normalisation with frozen statistics, since those of a few samples multiply the difference of any
two programs. A row: the largest relative difference of the loss to the CPU's, up to step 50 and up to the end, and the mean
of the last 20 losses. With --data, a folder per class, GoogLeNet-BN is then fine-tuned in both precisions for each of --seeds
and the accuracies on the same photos are compared.

Exit code: 0; 1 if a training failed; 5 if fp32 leaves the CPU by more than --tolerance up to step 50, or bf16 by more than
half a point of accuracy in the mean of the seeds. On a CPU alone fp32 is compared with itself.
"""
import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HANDS = str(Path(__file__).resolve().parents[1] / "weights" / "hands.safetensors")
SYNTH = {
    "letters": ["--classes", "10", "--per-class", "40", "--size", "96"],
    "words": ["--kind", "words", "--classes", "4", "--per-class", "12", "--frames", "12", "--size", "40", "--png-frames"],
}
NETS = {
    "alexnet": ("letters", ["--batch", "8"]),
    "googlenet-bn": ("letters", ["--weights", HANDS, "--input", "64", "--bn", "frozen", "--batch", "16"]),
    "i3d": ("words", ["--frame-folders", "on", "--clips", "uniform=10", "--test-clips", "uniform=10", "--input", "32",
                      "--resize", "short36-bilinear", "--bn", "frozen", "--batch", "4"]),
}
HALF_A_POINT = 0.5


class Failed(Exception):
    pass


def call(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command[:4]))} …: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout + done.stderr


def losses(a, folder, net, number, device, precision):
    data, words = NETS[net]
    out = folder / f"{net}-{number}"
    call([a.dactyl, "train", "--model", net, *words, "--data", folder / data, "--split", "0.8", "--stage",
          f"all:{a.steps}it@1e-4", "--seed", "5", "--device", device, "--precision", precision, "--out", out])
    with open(out / "train.csv", newline="") as f:
        return [float(row["loss"]) for row in csv.DictReader(f)]


def compared(net, precision, reference, mine):
    if len(mine) != len(reference):
        raise Failed(f"{net} in {precision}: {len(mine)} losses, the CPU has {len(reference)}")
    differences = [abs(x - y) / abs(y) for x, y in zip(mine, reference)]
    mean = lambda v: sum(v[-20:]) / len(v[-20:])
    return {"net": net, "precision": precision, "steps": len(mine), "to_50": max(differences[:50]),
            "to_the_end": max(differences), "last_20": mean(mine), "last_20_cpu": mean(reference)}


def accuracy(a, folder, precision, seed):
    said = call([a.dactyl, "train", "--model", "googlenet-bn", "--weights", HANDS, "--input", "64", "--data", a.data, "--split",
                 "0.8", "--stage", "head:3ep@1e-2", "--stage", f"all:{a.epochs}ep@1e-2", "--seed", seed, "--device", a.device,
                 "--precision", precision, "--out", folder / f"photos-{precision}-{seed}"])
    return float(re.search(r"best model.*?accuracy ([0-9.]+) %", said)[1])


def steps(a, folder, precisions):
    nets, rows = list(filter(None, a.nets.split(","))), []
    for name in sorted({NETS[net][0] for net in nets}):
        call([a.dactyl, "data", "synth", *SYNTH[name], "--out", folder / name])
    print("| net | precision | steps | to step 50 | to the end | last 20 | the CPU's |\n|---|---|---|---|---|---|---|", flush=True)
    for net in nets:
        wanted = list(enumerate([("cpu", "fp32")] + [(a.device, p) for p in precisions]))
        with ThreadPoolExecutor() as side_by_side:
            reference, *others = side_by_side.map(lambda w: losses(a, folder, net, w[0], *w[1]), wanted)
        for precision, mine in zip(precisions, others):
            row = compared(net, precision, reference, mine)
            rows.append(row)
            print(f"| {net} | {precision} | {row['steps']} | {row['to_50']:.1e} | {row['to_the_end']:.1e} | {row['last_20']:.5f} | "
                  f"{row['last_20_cpu']:.5f} |", flush=True)
    return rows


def photos(a, folder, precisions):
    rows = []
    for seed in a.seeds.split(","):
        row = {"seed": int(seed), **{p: accuracy(a, folder, p, seed) for p in precisions}}
        rows.append(row)
        print(f"seed {seed}: " + ", ".join(f"{p} {row[p]:.2f} %" for p in precisions), flush=True)
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dactyl", default="build/dactyl")
    p.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    p.add_argument("--nets", default=",".join(NETS), help="none: only --data")
    p.add_argument("--steps", type=int, default=200)
    p.add_argument("--tolerance", type=float, default=1e-4, help="of fp32, relative, up to step 50")
    p.add_argument("--data", default="", help="photos, a folder per class, to fine-tune on in both precisions")
    p.add_argument("--epochs", type=int, default=25, help="of fine-tuning, after three of the head")
    p.add_argument("--seeds", default="1,2,3")
    p.add_argument("--json", default="", help="file that gets every figure")
    a = p.parse_args()
    unknown = set(filter(None, a.nets.split(","))) - set(NETS)
    if unknown:
        p.error(f"--nets: no net is called {', '.join(sorted(unknown))}; there are: {', '.join(NETS)}")
    precisions = ["fp32", "bf16"] if a.device == "cuda" else ["fp32"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            rows = steps(a, Path(folder), precisions) if a.nets else []
            tuned = photos(a, Path(folder), precisions) if a.data else []
        except Failed as e:
            sys.exit(f"precision: {e}")
    if a.json:
        Path(a.json).write_text(json.dumps({"steps": rows, "photos": tuned}, indent=1) + "\n")
    apart = [f"{r['net']} {r['to_50']:.1e}" for r in rows if r["precision"] == "fp32" and not r["to_50"] <= a.tolerance]
    lost = sum(r["fp32"] - r["bf16"] for r in tuned) / len(tuned) if tuned and "bf16" in precisions else 0
    if apart:
        print(f"fp32 leaves the CPU by more than {a.tolerance:.0e} up to step 50: {', '.join(apart)}")
    if lost > HALF_A_POINT:
        print(f"bf16 loses {lost:.2f} points")
    return 5 if apart or lost > HALF_A_POINT else 0


if __name__ == "__main__":
    sys.exit(main())
