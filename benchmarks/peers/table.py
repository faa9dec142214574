"""dactyl against PyTorch's best mode, one after the other on the same device in one run: a Markdown table with ratios.

    python3 benchmarks/peers/table.py --dactyl build/dactyl --rows i3d-20 --pass training --batches 8,32 --seconds 1
    python3 benchmarks/peers/table.py --dactyl build/dactyl --standard --precisions bf16 --seconds 0.5
    python3 benchmarks/peers/table.py --device cpu --rows alexnet,googlenet --batches 1,8 --seconds 1 --compile --rounds 3

Before a row is timed, dactyl's scores in the row's precision are compared with its scores in fp32 on the same numbers:
where they differ by more than --tolerance of the largest score, the row is not timed and says so. Above 1, dactyl is
faster. On a GPU dactyl computes in each of --ours, PyTorch in each of --precisions, and the best of each side counts.
On a CPU both sides take turns in --rounds, so that neither gets the quiet minutes. The milliseconds are the median of the
quietest round; beside them stands the CPU time of all threads per pass, which a busy machine changes least (with
OMP_WAIT_POLICY=passive, since waiting threads count otherwise). --budget ends the run in time: rows that did not fit are named.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

from torch_bench import add_options, best, modes, timed, wanted, work_of


# What a GPU is measured by: row, batches of inference, batches of training.
STANDARD = (("i3d-20", (1, 8, 32), (8, 32)), ("i3d-64", (8,), (8, 16)), ("googlenet-bn", (1, 128, 256), (128,)),
            ("alexnet", (1, 128, 256), (128,)), ("i3d-20-flow", (), (8,)))


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


def turns(a, row, batch, training, errors):
    """Both sides on a CPU, round after round: ours, and PyTorch's best mode."""
    works, failed, mine, peers = {}, {}, [], {}
    for mode in modes(a.device, [], a.compile, training):
        try:
            works[mode[0]] = work_of(row, batch, training, a.device, mode, a.input, a.compile or "default")
            timed(works[mode[0]], 0, a.device)
        except Exception as e:  # a mode this PyTorch cannot do is named, not hidden
            works.pop(mode[0], None)
            failed[mode[0]] = (str(e).splitlines() or [type(e).__name__])[0][:160]
    for _ in range(a.rounds):
        mine.append(ours(a, row, batch, training, errors))
        for name, work in works.items():
            before = time.process_time()
            ms = timed(work, a.seconds, a.device)
            cpu = (time.process_time() - before) * 1e3 / (len(ms) + 3)  # timed() warms with three
            peers.setdefault(name, []).append((statistics.median(ms), cpu))
    least = {name: min(ms for ms, _ in rounds) for name, rounds in peers.items()}
    peer = {"failed": failed, "modes": least}
    if least:
        mode = min(least, key=least.get)
        peer.update(mode=mode, median_ms=least[mode], cpu_ms=min(cpu for _, cpu in peers[mode]))
    us = min(mine, key=lambda r: r["median_ms"])
    return {**us, "cpu_ms": min(r["cpu_ms"] for r in mine)}, peer


def cpu_line(row, batch, training, mine, peer):
    return (f"| {row} | {'training' if training else 'inference'} | {batch} | {mine['median_ms']:.4g} | {mine['cpu_ms']:.4g} | "
            f"{peer['median_ms']:.4g} | {peer['cpu_ms']:.4g} | {peer['mode']} | "
            f"**{peer['median_ms'] / mine['median_ms']:.2f}** | {peer['cpu_ms'] / mine['cpu_ms']:.2f} |")


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
    p.add_argument("--rounds", type=int, default=3, help="on a CPU")
    p.add_argument("--standard", action="store_true", help="the rows, passes and batches that a GPU is measured by")
    p.add_argument("--json", default="", help="file that gets every figure, a line each")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    where = torch.cuda.get_device_name() if a.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    cpu = a.device == "cpu"
    print(f"{where}; PyTorch {torch.__version__}" + ("" if cpu else f", cuDNN {torch.backends.cudnn.version()}")
          + f"; medians, {a.seconds} s each" + (f", the quietest of {a.rounds} rounds" if cpu else "") + "\n")
    print("| row | pass | batch | dactyl ms | CPU ms | PyTorch ms | CPU ms | mode | ratio | of CPU time |\n"
          "|---|---|---|---|---|---|---|---|---|---|" if cpu else
          "| row | pass | batch | dactyl ms | precision | of roof | against fp32 | PyTorch ms | mode | ratio | GiB | its GiB |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    start, errors, left_out = time.monotonic(), {}, []
    standard = [(row, batch, training) for row, *batches in STANDARD for training in (False, True)
                for batch in batches[training]]
    for row, batch, training in standard if a.standard else wanted(a, p):
        name = f"{row} {'training' if training else 'inference'} {batch}"
        if a.budget and time.monotonic() - start > a.budget:
            left_out.append(name)
            continue
        try:
            if cpu:
                mine, peer = turns(a, row, batch, training, errors)
            else:
                mine = ours(a, row, batch, training, errors)
        except Refused as e:
            print(f"| {name} | | | not timed: {e} |", flush=True)
            continue
        if not cpu:
            peer = best(row, batch, training, a.device, a.precisions.split(","), a.seconds, a.compile, a.input)
        if a.json:
            with open(a.json, "a") as f:
                f.write(json.dumps(mine) + "\n" + json.dumps(peer) + "\n")
        for mode, why in peer["failed"].items():
            print(f"<!-- {name}: PyTorch {mode}: {why} -->")
        print((cpu_line if cpu else line)(row, batch, training, mine, peer) if "mode" in peer else f"| {name} | | | no mode of PyTorch runs |",
              flush=True)
    if left_out:
        print("\nleft out, the time was up: " + ", ".join(left_out))


if __name__ == "__main__":
    sys.exit(main())
