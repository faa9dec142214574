"""Every convolution of the nets, forward and both gradients: dactyl against the best plan PyTorch finds, taking turns.

    python3 benchmarks/peers/layers.py --dactyl build/dactyl --device cuda --budget 150 --json layers.json
    python3 benchmarks/peers/layers.py --nets i3d-64:8,googlenet --seconds 0.1 --layouts channels_last,contiguous
    OMP_WAIT_POLICY=passive python3 benchmarks/peers/layers.py --device cpu --nets alexnet --batch 1 --seconds 0.5 --rounds 3

The shapes come from `dactyl models show`: each once, with how often a net has it, as plain convolutions (no bias, ReLU or
slice), one row for each pass. What weighs most in a net comes first, the nets' first layers (stems) before all; these have
no gradient of the picture, since no net computes it. Above 1, dactyl is faster.

Ours: one process, asked line by line (`dactyl bench layer --from -`): Algorithm::automatic, its plans searched on the first
call and kept in DACTYL_CACHE. PyTorch: torch_layers.py. Both sides on a GPU: a captured graph in which 256 MiB are written,
so that the second-level cache holds nothing of the layer, then an event, the pass alone, an event; neither side's launching
counts. Medians, with 10 % to 90 %. Only dactyl must give the same bits every time; PyTorch may take
any plan, unless --deterministic.

--json gets each row as it is measured; with --resume rows that are there already are not measured again. What --budget left
no time for is named. Exit code: 0; 1 if nothing was measured; 130 and 143 if stopped, after what there was is summed up.
"""
import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

from layer_lines import parsed, plain
from layer_summary import PASSES, quantile, spread, summary, table_line

START = time.monotonic()


class Stopped(BaseException):
    """By a signal; not an error of the row that was being timed."""


def words(net):
    """A row's name as `dactyl models show` is told it: i3d-20, i3d-64-flow, or a net's own name."""
    if not net.startswith("i3d-"):
        return [net]
    return ["i3d", "--frames", net.split("-")[1], "--channels", "2" if net.endswith("flow") else "3"]


def show(a, net):
    command = [a.dactyl, "models", "show", *words(net), *(["--input", str(a.input)] if a.input else []), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)["layers"]


def shapes_of(nets, precision):
    """Unique plain shapes of [(net, batch, layers)], what weighs most first: line, uses by net, layers, stem, share."""
    shapes = {}
    for net, batch, layers in nets:
        convolutions = [r for r in layers if r["kind"] == "conv" and "descriptor" in r]
        total = sum(r["macs"] for r in convolutions)
        for i, row in enumerate(convolutions):
            line = plain(row["descriptor"], batch, precision)
            shape = shapes.setdefault(line, SimpleNamespace(line=line, uses={}, layers={}, stem=False, share=0))
            shape.uses[net] = shape.uses.get(net, 0) + 1
            shape.layers.setdefault(net, row["name"])
            shape.stem |= i == 0
            shape.share += row["macs"] / total
    return sorted(shapes.values(), key=lambda s: (not s.stem, -s.share))


class Dactyl:
    """The program, which answers a line with a line. One that ends is said, and started anew for the next shape."""

    def __init__(self, a):
        self.command = [a.dactyl, "bench", "layer", "--from", "-", "--json", "--device", a.device, "--seconds",
                        str(a.seconds), *(["--threads", str(a.threads)] if a.threads else [])]
        self.run = None

    def ask(self, line, which):
        """{"ms", "way", "flops", …} of a pass, or {"not": why}."""
        if not self.run:
            self.said = tempfile.TemporaryFile("w+")
            self.run = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True)
        try:
            self.run.stdin.write(f"{line} pass={which}\n")
            self.run.stdin.flush()
            answer = self.run.stdout.readline()
        except OSError:
            answer = ""
        return json.loads(answer) if answer.endswith("\n") else {"not": self.ended()}

    def ended(self):
        code = self.run.wait()
        self.said.seek(0)
        lines = self.said.read().strip().splitlines()
        self.close()
        return f"dactyl ended with exit code {code}: {(lines or ['it said nothing'])[-1]}"

    def close(self):
        if not self.run:
            return
        self.run.kill()
        self.run.wait()
        for file in (self.run.stdin, self.run.stdout, self.said):
            with contextlib.suppress(OSError):  # what it was not told any more
                file.close()
        self.run = None


def measured(a, dactyl, peer, shape, which):
    """A row: both sides in turns, --rounds times."""
    row = {"shape": shape.line, "pass": which, "uses": shape.uses, "layers": shape.layers, "stem": shape.stem}
    ours, theirs = [], {}
    for _ in range(a.rounds):
        said = dactyl.ask(shape.line, which)
        if "not" in said:
            row["not"] = said["not"]
        else:
            ours += said["ms"]
            row = {"way": said.get("way", ""), "roof": said["roof_percent"], "device": said["device"], "flops": said["flops"],
                   "matrix_roof": said["matrix_roof_flops_per_s"], **row}
        times, failed = peer(parsed(shape.line), which)
        row.setdefault("failed", {}).update(failed)
        for how, ms in times.items():
            theirs.setdefault(how, []).extend(ms)
    if ours:
        row["ours"] = spread(ours)
        row["of_matrix_roof"] = 100 * row["flops"] / (row["ours"]["median"] * 1e-6) / row["matrix_roof"]
    if theirs:
        row["how"] = min(theirs, key=lambda how: quantile(theirs[how], 0.5))
        row["peer"] = spread(theirs[row["how"]])
        row["modes"] = {how: 1e3 * quantile(ms, 0.5) for how, ms in theirs.items()}
    if ours and theirs:
        row["ratio"] = row["peer"]["median"] / row["ours"]["median"]
    return row


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dactyl", default="build/dactyl")
    p.add_argument("--nets", default="alexnet,googlenet-bn,i3d-20", help="names of dactyl models, i3d-20, i3d-64, …-flow; with "
                   "a batch of its own: i3d-64:8")
    p.add_argument("--batch", type=int, default=128, help="of nets of pictures")
    p.add_argument("--clip-batch", type=int, default=32, help="of i3d")
    p.add_argument("--input", type=int, default=0, help="side of the nets' input; 0: their own")
    p.add_argument("--pass", dest="passes", default=",".join(PASSES))
    p.add_argument("--precision", default="", help="default: bf16 on a GPU, fp32 on the CPU")
    p.add_argument("--device", default="cuda", help="cpu or cuda")
    p.add_argument("--seconds", type=float, default=0.05, help="of measuring, each side of each row and round")
    p.add_argument("--rounds", type=int, default=1, help="in which both sides take turns; on the CPU more are better")
    p.add_argument("--layouts", default="channels_last", help="PyTorch's: channels_last, contiguous or both; the best counts")
    p.add_argument("--deterministic", action="store_true", help="PyTorch too takes only plans that give the same bits every time")
    p.add_argument("--plans", type=int, default=10, help="that PyTorch's search tries (cudnn.benchmark_limit); 0: every one")
    p.add_argument("--budget", type=float, default=0, help="seconds for everything; 0: as long as it takes")
    p.add_argument("--only", default="", help="regular expression: shapes whose line has it")
    p.add_argument("--most", type=int, default=0, help="shapes at most, those that weigh most; 0: all")
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--json", default="", help="file that gets every row, a line each")
    p.add_argument("--resume", action="store_true", help="rows that --json holds already are taken as they are")
    a = p.parse_args()
    a.passes = a.passes.split(",")
    if not set(a.passes) <= set(PASSES):
        p.error(f"--pass {','.join(a.passes)}: there are {', '.join(PASSES)}")
    if a.device not in ("cpu", "cuda"):
        p.error(f"--device {a.device}: expected cpu or cuda")
    if a.resume and not a.json:
        p.error("--resume: expected --json FILE as well")
    if min(a.rounds, a.batch, a.clip_batch) < 1 or min(a.seconds, a.budget, a.plans, a.most) < 0:
        p.error("--rounds, --batch, --clip-batch: expected 1 or more; --seconds, --budget, --plans, --most: 0 or more")
    if not set(a.layouts.split(",")) <= {"channels_last", "contiguous"}:
        p.error(f"--layouts {a.layouts}: there are channels_last and contiguous")
    a.precision = a.precision or ("bf16" if a.device == "cuda" else "fp32")
    return a


def batch_of(net, a):
    name, _, batch = net.partition(":")
    return name, int(batch) if batch else a.clip_batch if name.startswith("i3d") else a.batch


def known_rows(a):
    if not a.resume or not os.path.exists(a.json):
        return {}
    with open(a.json) as f:
        rows = [parsed_row(line) for line in f]
    return {(r["shape"], r["pass"]): r for r in rows if "ratio" in r}


def parsed_row(line):
    """Empty where a stop has cut the line short."""
    try:
        return json.loads(line)
    except ValueError:
        return {}


def stop(number, _):
    signal.signal(number, signal.SIG_IGN)
    raise Stopped(number)


def compare(a, shapes, peer, rows):
    """Fills `rows` and prints each; yields what found no time."""
    known, dactyl = known_rows(a), Dactyl(a)
    try:
        for shape in shapes[:a.most or None]:
            for which in a.passes:
                if which == "data" and shape.stem:
                    continue
                row = known.get((shape.line, which))
                if not row and a.budget and time.monotonic() - START > a.budget:
                    yield f"{shape.line} {which}"
                    continue
                if row:
                    row.update(uses=shape.uses, layers=shape.layers, stem=shape.stem)  # as the nets of this run have it
                else:
                    row = measured(a, dactyl, peer, shape, which)
                    if a.json:
                        with open(a.json, "a") as f:
                            f.write(json.dumps(row) + "\n")
                rows.append(row)
                print(table_line(row), flush=True)
    finally:
        dactyl.close()


def main():
    a = options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    rows, left_out, code = [], [], 0
    try:
        import torch
        from torch_layers import TorchLayers
        if a.device == "cuda" and not torch.cuda.is_available():
            sys.exit(f"layers.py: PyTorch {torch.__version__} finds no GPU; --device cpu compares on the CPU")
        peer = TorchLayers(a.device, a.seconds, a.plans, a.layouts.split(","), a.threads, a.deterministic)
        nets = [batch_of(net, a) for net in a.nets.split(",")]
        shapes = [s for s in shapes_of([(net, batch, show(a, net)) for net, batch in nets], a.precision)
                  if re.search(a.only, s.line)]
        print(f"{peer.machine()}; {', '.join(f'{net} {batch}' for net, batch in nets)}, {len(shapes)} shapes; "
              f"medians (10 %–90 %), {a.seconds} s each, {a.rounds} round(s)\n\n| shape | uses | pass | dactyl µs | way | "
              "PyTorch µs | how | ratio | of the matrix roof | of roof |\n|---|---|---|---|---|---|---|---|---|---|", flush=True)
        for what in compare(a, shapes, peer, rows):
            left_out.append(what)
    except Stopped as stopped:
        code = 128 + stopped.args[0]
    print("\n" + "\n".join(summary(rows)))
    if left_out:
        print(f"\nleft out, the time was up: {len(left_out)} rows\n" + "\n".join(f"- {what}" for what in left_out))
    print(f"\n{time.monotonic() - START:.0f} s", flush=True)
    return code or (0 if any("ratio" in r for r in rows) else 1)


if __name__ == "__main__":
    sys.exit(main())
