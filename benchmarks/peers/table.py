"""dactyl against PyTorch's best mode, one after the other on the same device in one run: a Markdown table with ratios.

    python3 benchmarks/peers/table.py --dactyl build/dactyl --rows i3d-20 --pass training --batches 8,32 --seconds 1
    python3 benchmarks/peers/table.py --device cpu --rows alexnet --pass inference --batches 1 --seconds 1

Before a row is timed, dactyl's scores in the row's precision are compared with its scores in fp32 on the same numbers:
where they differ by more than --tolerance of the largest score, the row is not timed and says so. Above 1, dactyl is
faster. On a GPU dactyl computes in each of --ours, PyTorch in each of --precisions, and the best of each side counts.
--budget ends the run in time: rows that did not fit are named.
"""
import argparse
import json
import subprocess
import sys
import time

import torch

from torch_bench import add_options, best, wanted


class Refused(Exception):
    pass


def words(row, side):
    """The row as `dactyl bench model` is told it."""
    more = ["--input", str(side)] if side else []
    if not row.startswith("i3d"):
        return [row, *more]
    return ["i3d", "--frames", row.split("-")[1], "--channels", "2" if row.endswith("flow") else "3", *more]


def dactyl(a, row, precision, *more):
    command = [a.dactyl, "bench", "model", *words(row, a.input), "--device", a.device, "--precision", precision, "--json", *more]
    if a.threads:
        command += ["--threads", str(a.threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Refused((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout)


def checked(a, row, precision, errors):
    """The difference of the scores to those in fp32, measured once for each row and precision."""
    key = row, precision
    if key not in errors:
        errors[key] = dactyl(a, row, precision, "--batch", "1", "--seconds", "0", "--check")["error_fp32"]
    if not errors[key] <= a.tolerance:
        raise Refused(f"{precision}: scores differ from fp32 by {errors[key]:.2g} of the largest")
    return errors[key]


def ours(a, row, batch, training, errors):
    """The fastest of our precisions."""
    results = []
    for precision in (a.ours.split(",") if a.device == "cuda" else ["fp32"]):
        error = checked(a, row, precision, errors)
        more = ["--batch", str(batch), "--seconds", str(a.seconds)] + (["--train"] if training else [])
        results.append({**dactyl(a, row, precision, *more), "error": error})
    return min(results, key=lambda r: r["median_ms"])


def line(row, batch, training, mine, peer):
    ms = lambda r: f"{r['median_ms']:.4g}"
    gib = lambda r: f"{r['peak_bytes'] / 2**30:.2f}" if r.get("peak_bytes") else "–"
    return (f"| {row} | {'training' if training else 'inference'} | {batch} | {ms(mine)} | {mine['precision']} | "
            f"{mine['roof_percent']:.0f} % | {mine['error']:.1e} | {ms(peer)} | {peer['mode']} | "
            f"**{peer['median_ms'] / mine['median_ms']:.2f}** | {gib(mine)} | {gib(peer)} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p)
    p.add_argument("--dactyl", default="build/dactyl")
    p.add_argument("--ours", default="bf16", help="dactyl's precisions on a GPU; on the CPU it is fp32")
    p.add_argument("--tolerance", type=float, default=0.1, help="of scores against fp32, of the largest; random weights in "
                   "bf16 differ by a few hundredths")
    p.add_argument("--budget", type=float, default=0, help="seconds for everything; 0: as long as it takes")
    p.add_argument("--json", default="", help="file that gets every figure, a line each")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    where = torch.cuda.get_device_name() if a.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{where}; PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}; medians, {a.seconds} s each\n\n"
          "| row | pass | batch | dactyl ms | precision | of roof | against fp32 | PyTorch ms | mode | ratio | GiB | its GiB |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    start, errors, left_out = time.monotonic(), {}, []
    for row, batch, training in wanted(a, p):
        name = f"{row} {'training' if training else 'inference'} {batch}"
        if a.budget and time.monotonic() - start > a.budget:
            left_out.append(name)
            continue
        try:
            mine = ours(a, row, batch, training, errors)
        except Refused as e:
            print(f"| {name} | | | not timed: {e} |", flush=True)
            continue
        peer = best(row, batch, training, a.device, a.precisions.split(","), a.seconds, a.compile, a.input)
        if a.json:
            with open(a.json, "a") as f:
                f.write(json.dumps(mine) + "\n" + json.dumps(peer) + "\n")
        for mode, why in peer["failed"].items():
            print(f"<!-- {name}: PyTorch {mode}: {why} -->")
        print(line(row, batch, training, mine, peer) if "mode" in peer else f"| {name} | | | no mode of PyTorch runs |",
              flush=True)
    if left_out:
        print("\nleft out, the time was up: " + ", ".join(left_out))


if __name__ == "__main__":
    sys.exit(main())
