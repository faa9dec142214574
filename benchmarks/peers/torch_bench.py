"""PyTorch's best mode for a net, timed as dactyl times itself: one event before and behind each repetition, waited for.

    python3 benchmarks/peers/torch_bench.py --rows alexnet,i3d-20 --pass inference,training --batches 1,32 --seconds 1

Rows: alexnet and googlenet (BVLC's), googlenet-bn (torchvision's, no side classifiers), i3d-20, i3d-64, i3d-20-flow, i3d-64-flow. A
training step is forward, loss, backward and momentum SGD on data that is on the device. Prints a line of JSON for each
row, pass and batch: the best mode, and every mode's time or why it has none.

Modes: eager and graph (a captured CUDA graph), in bf16 autocast and in tf32, channels last, with cudnn.benchmark;
with --compile also compile-…: torch.compile, and the whole step, optimizer too, captured as one graph (--compile
max-autotune: its own kernels timed against the libraries', minutes for each row). On the CPU fp32: eager, channels last, for inference frozen too, and compiled with --compile.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

# What --compile asks of torch.compile; the step is captured as a graph here, not there.
INDUCTOR = {"default": None, "max-autotune": "max-autotune-no-cudagraphs"}
ROWS = ("alexnet", "googlenet", "googlenet-bn", "i3d-20", "i3d-64", "i3d-20-flow", "i3d-64-flow")


class Dropped(nn.Module):
    """AlexNet with the dropout that its training has."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        mask = lambda: F.dropout(torch.ones(x.shape[0], 4096, device=x.device, dtype=x.dtype), 0.5, self.training)
        return self.net(x, mask(), mask()) if self.training else self.net(x)


def net_of(row, side=0):
    """The net and the shape of one sample (C, [D,] H, W)."""
    if row.startswith("i3d"):
        from torch_i3d import I3D
        channels = 2 if row.endswith("flow") else 3
        return I3D(400, channels), (channels, int(row.split("-")[1]), side or 224, side or 224)
    from torch_nets import SIDE, make
    net = make(row)
    return (Dropped(net) if row == "alexnet" else net), (3, side or SIDE[row], side or SIDE[row])


class Step:
    """A pass over one batch that stays where it is."""

    def __init__(self, row, batch, training, device, precision, channels_last, side=0):
        torch.manual_seed(1)
        net, shape = net_of(row, side)
        layout = torch.contiguous_format
        if channels_last:
            layout = torch.channels_last_3d if len(shape) == 4 else torch.channels_last
        self.net = net.to(device, memory_format=layout).train(training)
        self.x = torch.rand(batch, *shape, device=device).mul(2).sub(1).contiguous(memory_format=layout)
        self.labels = torch.randint(400, (batch,), device=device)
        self.training, self.device, self.precision = training, device, precision
        if training:
            fused = {"fused": True} if device == "cuda" else {}
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1e-4, momentum=0.9, **fused)
        elif precision == "bf16":  # as dactyl: weights narrow once, not in every pass
            self.net, self.x = self.net.bfloat16(), self.x.bfloat16()

    def __call__(self):
        if not self.training:
            with torch.inference_mode():
                return self.net(self.x)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            loss = F.cross_entropy(self.net(self.x).float(), self.labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss


def captured(step):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    torch.cuda.reset_peak_memory_stats()  # a replay allocates nothing: the peak is that of the capture
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def timed(work, seconds, device):
    """Milliseconds of each repetition, at least five."""
    times, end = [], time.perf_counter() + seconds
    for _ in range(3):
        work()
    if device == "cuda":
        torch.cuda.synchronize()
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    while time.perf_counter() < end or len(times) < 5:
        if device == "cuda":
            before.record()
            work()
            after.record()
            torch.cuda.synchronize()
            times.append(before.elapsed_time(after))
        else:
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e3)
    return times


def modes(device, precisions, compiled, training):
    """(name, precision, channels last, how)."""
    if device == "cpu":
        names = ["eager", "channels-last"] + ([] if training else ["frozen"]) + (["compile"] if compiled else [])
        return [(name, "fp32", name != "eager", name if name in ("frozen", "compile") else "eager") for name in names]
    hows = ["eager", "graph"] + (["compile"] if compiled else [])
    return [(f"{how}-{precision}", precision, True, how) for precision in precisions for how in hows]


def work_of(row, batch, training, device, mode, side=0, compiled="default"):
    """What repeats a pass in one mode."""
    _, precision, channels_last, how = mode
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    torch.backends.cudnn.benchmark = True
    step = Step(row, batch, training, device, precision, channels_last, side)
    if how == "compile":
        torch._dynamo.reset()  # else the next batch size is compiled for any
        if device == "cpu":
            import torch._inductor.config as config
            config.freezing = not training
        step.net = torch.compile(step.net, mode=INDUCTOR[compiled])
    if how == "frozen":
        with torch.inference_mode():
            step.net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(step.net, step.x)))
    return captured(step) if device == "cuda" and how != "eager" else step


def run_mode(row, batch, training, device, mode, seconds, side=0, compiled="default"):
    work = work_of(row, batch, training, device, mode, side, compiled)
    if device == "cuda" and mode[3] == "eager":
        work()  # what the search of plans took is not the step's
        torch.cuda.reset_peak_memory_stats()
    times = timed(work, seconds, device)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else 0
    return {"mode": mode[0], "median_ms": statistics.median(times), "runs": len(times), "peak_bytes": peak,
            "ms": times[:300]}


def best(row, batch, training, device, precisions, seconds, compiled="", side=0):
    results, failed = [], {}
    for mode in modes(device, precisions, compiled, training):
        try:
            results.append(run_mode(row, batch, training, device, mode, seconds, side, compiled))
        except Exception as e:  # a mode this PyTorch cannot do is named, not hidden
            failed[mode[0]] = (str(e).splitlines() or [type(e).__name__])[0][:160]
        if device == "cuda":
            torch.cuda.empty_cache()
    if not results:
        return {"row": row, "batch": batch, "training": training, "failed": failed}
    chosen = min(results, key=lambda r: r["median_ms"])
    return {"row": row, "batch": batch, "training": training, "torch": torch.__version__, **chosen,
            "modes": {r["mode"]: r["median_ms"] for r in results}, "failed": failed}


def add_options(p):
    p.add_argument("--rows", default=",".join(ROWS))
    p.add_argument("--pass", dest="passes", default="inference,training")
    p.add_argument("--batches", default="1,32")
    p.add_argument("--seconds", type=float, default=1, help="of measuring each mode, after warming")
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    p.add_argument("--precisions", default="bf16,tf32", help="PyTorch's on a GPU; the best counts")
    p.add_argument("--compile", nargs="?", const="default", default="", choices=INDUCTOR,
                   help="torch.compile too: slow to warm; max-autotune is for a GPU")
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--input", type=int, default=0, help="side of the net's input; 0: its own")


def wanted(a, p):
    for row in a.rows.split(","):
        if row not in ROWS:
            p.error(f"--rows {row}: there are {', '.join(ROWS)}")
    return [(row, int(batch), kind == "training") for row in a.rows.split(",") for kind in a.passes.split(",")
            for batch in a.batches.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    for row, batch, training in wanted(a, p):
        print(json.dumps(best(row, batch, training, a.device, a.precisions.split(","), a.seconds, a.compile, a.input)),
              flush=True)


if __name__ == "__main__":
    main()
