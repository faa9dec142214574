"""PyTorch's half of finetune.py: ImageFolder, DataLoader, the step, and what the device waited."""
import os
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler
from torchvision.datasets import ImageFolder

from torch_nets import make

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def by_pil(path):
    from PIL import Image
    return Image.open(path).convert("RGB")


def by_torchvision(path):
    from torchvision.io import ImageReadMode, decode_jpeg, read_file
    return decode_jpeg(read_file(path), mode=ImageReadMode.RGB)


DECODERS = {"pil": by_pil, "torchvision": by_torchvision}


def prepared(image, side):
    """Short side to `side`, the square in the middle: uint8 (side, side, 3)."""
    from torchvision.transforms.v2 import functional as T
    image = T.center_crop(T.resize(image, side, antialias=True), side)
    return (image if torch.is_tensor(image) else T.pil_to_tensor(image)).permute(1, 2, 0)


def cropped(image, side):
    top, left = (int(torch.randint(0, n - side + 1, ())) for n in image.shape[:2])
    image = image[top:top + side, left:left + side]
    return (image.flip(1) if torch.rand(()) < 0.5 else image).contiguous()


class Prepare:
    def __init__(self, resize, side=0):
        self.resize, self.side = resize, side

    def __call__(self, image):
        image = prepared(image, self.resize)
        return cropped(image, self.side) if self.side else image.contiguous()


class Kept(Dataset):
    """Pictures that were decoded once; forked workers share their memory."""

    def __init__(self, pictures, labels, side):
        self.pictures, self.labels, self.side = pictures, labels, side

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return cropped(self.pictures[i], self.side), int(self.labels[i])


def quiet(_):
    torch.set_num_threads(1)  # in a worker: the cores are the workers' already


def endless(data, a):
    return iter(DataLoader(data, a.batch, sampler=RandomSampler(data, num_samples=10**9), num_workers=a.workers,
                           pin_memory=a.device == "cuda", persistent_workers=True, prefetch_factor=a.prefetch,
                           drop_last=True, worker_init_fn=quiet))


def faster_decoder(folder, a):
    """By a hundred pictures on one thread."""
    times = {}
    for name, loader in DECODERS.items():
        data = ImageFolder(folder, Prepare(a.resize, a.input), loader=loader)
        picked = torch.linspace(0, len(data) - 1, min(100, len(data))).long().tolist()
        data[0]
        start = time.perf_counter()
        for i in picked:
            data[i]
        times[name] = (time.perf_counter() - start) / len(picked)
    print("<!-- ms of a picture: " + ", ".join(f"{k} {1e3 * v:.3g}" for k, v in times.items()) + " -->", flush=True)
    return min(times, key=times.get)


def keep(folder, a):
    """Every picture of the folder, read by the workers."""
    data = ImageFolder(folder, Prepare(a.resize), loader=DECODERS[a.decode])
    found = [(x.clone(), y) for x, y in DataLoader(data, 32, num_workers=a.workers, worker_init_fn=quiet)]  # fewer files open
    return Kept(torch.cat([x for x, _ in found]), torch.cat([y for _, y in found]), a.input)


class Step:
    """Forward, loss, backward, update of a batch of bytes."""

    def __init__(self, net, classes, a):
        net.fc = nn.Linear(net.fc.in_features, classes)
        self.cuda = a.device == "cuda"
        self.net = net.to(a.device, memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1e-3, momentum=0.9, fused=True)
        numbers = lambda v: torch.tensor(v, device=a.device).view(1, 3, 1, 1)
        self.scale, self.mean = 1 / (255 * numbers(STD)), 255 * numbers(MEAN)
        self.device = a.device

    def __call__(self, x, y):
        x = (x.permute(0, 3, 1, 2).float() - self.mean) * self.scale  # NHWC in memory: channels last without a copy
        with torch.autocast(self.device, torch.bfloat16, enabled=self.cuda):
            loss = F.cross_entropy(self.net(x).float(), y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss


class Replayed:
    """A step captured as a graph."""

    def __init__(self, step, x, y):
        self.x, self.y = x.clone(), y.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step(self.x, self.y)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            step(self.x, self.y)

    def __call__(self, x, y):
        self.x.copy_(x)
        self.y.copy_(y)
        self.graph.replay()


class Host:
    """A CPU is done when the call returns."""
    elapsed_time = lambda self, later: 1e3 * (later.at - self.at)
    synchronize = lambda self: None

    def record(self):
        self.at = time.perf_counter()
        return self


class Feed:
    """Batches on the device, the next one copied while the step computes."""

    def __init__(self, batches, device):
        self.batches, self.device, self.cuda = batches, torch.device(device), device == "cuda"
        self.side = torch.cuda.Stream() if self.cuda else None
        self.pauses, self.blocked, self.behind = [], 0, []

    def event(self):
        event = torch.cuda.Event(enable_timing=True) if self.cuda else Host()
        event.record()
        return event

    def next(self):
        """The device has been given all work so far, and has at most two steps left to do."""
        self.behind = [*self.behind, self.event()][-3:]
        self.behind[0].synchronize()
        dry, start = self.event(), time.perf_counter()
        batch = next(self.batches)
        self.blocked += time.perf_counter() - start
        self.pauses.append((dry, self.event()))
        if not self.cuda:
            return batch
        with torch.cuda.stream(self.side):
            batch = [t.to(self.device, non_blocking=True) for t in batch]
        torch.cuda.current_stream().wait_stream(self.side)
        for t in batch:
            t.record_stream(torch.cuda.current_stream())
        return batch

    def restart(self):
        self.pauses, self.blocked = [], 0

    def waited(self):
        return sum(dry.elapsed_time(there) for dry, there in self.pauses) / 1e3


def sync(a):
    if a.device == "cuda":
        torch.cuda.synchronize()


def torch_training(batches, step, a):
    """The rate and what the device waited, after the queues of the workers have turned over."""
    feed = Feed(batches, a.device)
    for _ in range(a.warm):
        step(*feed.next())
    sync(a)
    feed.restart()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() < start + a.seconds or steps < 3:
        step(*feed.next())
        steps += 1
    sync(a)
    seconds = time.perf_counter() - start
    return {"images_per_s": steps * a.batch / seconds, "wait": feed.waited() / seconds, "blocked": feed.blocked / seconds,
            "steps": steps}


def torch_loading(batches, a):
    for _ in range(a.warm):
        next(batches)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() < start + a.seconds / 2 or steps < 3:
        next(batches)
        steps += 1
    return steps * a.batch / (time.perf_counter() - start)


def require_shared_memory(a):
    """Workers hand over batches through it; where it is full they die of a bus error."""
    room = os.statvfs("/dev/shm")
    free, needed = room.f_bavail * room.f_frsize, 3 * a.batch * a.input**2 * a.workers * a.prefetch
    if free < needed:
        raise RuntimeError(f"/dev/shm has {free >> 20} MiB free, the queues of {a.workers} workers take {needed >> 20}")


def torch_side(data, weights, a):
    """{"images_per_s", "wait", "mode", "loader"} of a data set."""
    require_shared_memory(a)
    batches = endless(data, a)
    x, y = next(batches)
    result = {"loader": torch_loading(batches, a), "modes": {}, "failed": {}}
    torch.backends.cudnn.benchmark = True
    for mode in ("graph", "eager") if a.device == "cuda" else ("eager",):
        try:
            net = make("googlenet-bn")
            net.load_state_dict(weights)
            step = Step(net, a.classes, a)
            if mode == "graph":
                step = Replayed(step, x.to(a.device), y.to(a.device))
            result["modes"][mode] = torch_training(batches, step, a)
        except Exception as e:  # a mode this PyTorch cannot do is named, not hidden
            result["failed"][mode] = (str(e).splitlines() or [type(e).__name__])[0][:160]
    if not result["modes"]:
        raise RuntimeError(f"no mode runs: {result['failed']}")
    best = max(result["modes"], key=lambda m: result["modes"][m]["images_per_s"])
    return {**result, "mode": best, **result["modes"][best]}
