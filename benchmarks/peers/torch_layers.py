"""PyTorch's half of layers.py: a convolution's pass by the best plan that cudnn.benchmark finds, timed as dactyl times its own.

Asymmetric padding, which PyTorch's convolutions have not, is done in two ways, and the faster counts: "padded before", a
tensor that F.pad made outside the time, or "symmetric", the larger side on both where that gives as many results. On a GPU
events lie inside a captured graph; where that fails, the pass is launched while the cache is still being overwritten
("eager"), so that its launching is hidden all the same.
"""
import gc
import platform
import time

import torch
from torch.nn import functional as F

TYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "fp64": torch.float64}
SWEEP = 256 << 20  # bytes, as benchmarks/timing.cpp
REPETITIONS = 4  # in a graph


def paddings(layer):
    """(name, padding inside, padding before): what gives layer.out."""
    if layer.low == layer.high:
        return [("", layer.low, None)]
    before = [side for low, high in reversed(list(zip(layer.low, layer.high))) for side in (low, high)]
    ways = [("padded before", [0] * len(layer.low), before)]
    widest = [max(pair) for pair in zip(layer.low, layer.high)]
    out = [(size + 2 * p - k) // s + 1 for size, p, k, s in zip(layer.extents, widest, layer.kernel, layer.stride)]
    return ways + ([("symmetric", widest, None)] if out == layer.out else [])


def work_of(layer, which, device, layout, padding, before):
    """What computes the pass once, on random numbers in [−1, 1)."""
    spatial = len(layer.extents)
    memory = torch.contiguous_format
    if layout == "channels_last":
        memory = torch.channels_last if spatial == 2 else torch.channels_last_3d
    dtype = TYPES[layer.precision]
    numbers = lambda *shape: torch.rand(shape, device=device, dtype=dtype).mul_(2).sub_(1).contiguous(memory_format=memory)
    x = numbers(layer.batch, layer.channels, *layer.extents)
    if before:
        x = F.pad(x, before).contiguous(memory_format=memory)
    w = numbers(layer.outs, layer.channels // layer.groups, *layer.kernel)
    if which == "forward":
        conv = F.conv2d if spatial == 2 else F.conv3d
        return lambda: conv(x, w, None, layer.stride, padding, 1, layer.groups)
    dy = numbers(layer.batch, layer.outs, *layer.out)
    mask = [which == "data", which == "weights", False]
    ones, zeros = [1] * spatial, [0] * spatial
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, layer.stride, padding, ones, False, zeros, layer.groups,
                                                       mask)


class TorchLayers:
    def __init__(self, device, seconds, plans, layouts, threads, deterministic=False):
        self.device, self.seconds, self.layouts, self.sweep = device, seconds, layouts, None
        if threads:
            torch.set_num_threads(threads)
        if device == "cuda":
            torch.backends.cudnn.benchmark = True
            torch.backends.cudnn.benchmark_limit = plans
            torch.backends.cudnn.deterministic = deterministic
            gc.freeze()  # some versions collect garbage before every capture, a tenth of a second each
            self.sweep = torch.zeros(SWEEP // 4, device=device)

    def machine(self):
        if self.device == "cpu":
            return f"CPU ({platform.machine()}), {torch.get_num_threads()} threads; PyTorch {torch.__version__}"
        return f"{torch.cuda.get_device_name()}; PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}"

    @torch.no_grad()
    def __call__(self, layer, which):
        """Milliseconds of each repetition by how it was done, and what could not be done."""
        times, failed = {}, {}
        torch.backends.cudnn.allow_tf32 = layer.precision == "tf32"
        for layout in self.layouts:
            for name, padding, before in paddings(layer):
                how = ", ".join(filter(None, (layout if len(self.layouts) > 1 else "", name)))
                try:
                    work = work_of(layer, which, self.device, layout, padding, before)
                    for mode, ms in self.timed(work).items():
                        times[", ".join(filter(None, (mode, how)))] = ms
                except Exception as e:  # what this PyTorch cannot do is named, not hidden
                    failed[how or layout] = (str(e).splitlines() or [type(e).__name__])[0][:160]
                work = None
                if self.device == "cuda":
                    torch.cuda.empty_cache()
        return times, failed

    def timed(self, work):
        """Milliseconds of each repetition by mode."""
        return self.on_gpu(work) if self.device == "cuda" else self.on_cpu(work)

    def on_cpu(self, work):
        for _ in range(3):
            work()
        times, end = [], time.perf_counter() + self.seconds
        while time.perf_counter() < end or len(times) < 5:
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e3)
        return {"eager": times}

    def on_gpu(self, work):
        """The first call searches; by a stream of its own, as before every capture."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                work()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        try:
            return {"graph": self.replayed(work)}
        except (RuntimeError, TypeError) as e:
            if isinstance(e, torch.cuda.OutOfMemoryError):
                raise
            torch.cuda.synchronize()
            return {f"eager ({(str(e).splitlines() or [''])[0][:60]})": self.eager(work)}

    def replayed(self, work):
        events = [[torch.cuda.Event(enable_timing=True, external=True) for _ in range(2)] for _ in range(REPETITIONS)]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for before, after in events:
                self.sweep.fill_(0)
                before.record()
                work()
                after.record()
        times, end = [], time.perf_counter() + self.seconds
        while time.perf_counter() < end or len(times) < 5:
            graph.replay()
            torch.cuda.synchronize()
            times += [before.elapsed_time(after) for before, after in events]
        return times

    def eager(self, work):
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        times, end = [], time.perf_counter() + self.seconds
        while time.perf_counter() < end or len(times) < 5:
            self.sweep.fill_(0)
            before.record()
            work()
            after.record()
            torch.cuda.synchronize()
            times.append(before.elapsed_time(after))
        return times
