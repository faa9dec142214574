"""A convolution's line (kernels/descriptor.h) as numbers, and without what a plain convolution has not."""
from types import SimpleNamespace

PRECISIONS = ("fp32", "tf32", "bf16", "fp16", "fp64")


def plain(line, batch, precision):
    """The same convolution at another batch and precision, without bias, ReLU, and the slice it is written to."""
    kept = []
    for word in line.split():
        key, _, value = word.partition("=")
        if key == "x":
            word = f"x={batch}x{value.split('x', 1)[1]}"
        if key not in ("bias", "relu", "into", *PRECISIONS):
            kept.append(word)
    return " ".join([*kept, precision])


def sides(text, extents, kernel, stride):
    """(low, high) padding of each extent; `same` is TensorFlow's, whose odd cell goes to the end."""
    if text == "same":
        totals = [max((-(-size // s) - 1) * s + k - size, 0) for size, k, s in zip(extents, kernel, stride)]
        return [t // 2 for t in totals], [t - t // 2 for t in totals]
    pairs = [(int(p.partition(":")[0]), int(p.rpartition(":")[2])) for p in text.split("x")]
    pairs = pairs * len(extents) if len(pairs) == 1 else pairs
    return [p[0] for p in pairs], [p[1] for p in pairs]


def numbers_of(text, count):
    """"3x3x3" or one number for all: a number for each extent."""
    numbers = [int(n) for n in text.split("x")]
    return numbers * count if len(numbers) == 1 else numbers


def parsed(line):
    """batch, channels, extents, kernel, stride, low, high, groups, outs, out extents, precision."""
    kind, *words = line.split()
    if kind not in ("conv2d", "conv3d"):
        raise ValueError(f"{line}: expected a conv2d or conv3d")
    value = dict(word.split("=", 1) for word in words if "=" in word)
    batch, *extents, channels = map(int, value["x"].split("x"))
    kernel, stride = (numbers_of(value.get(key, "1"), len(extents)) for key in "ks")
    low, high = sides(value.get("p", "0"), extents, kernel, stride)
    out = [(size + a + b - k) // s + 1 for size, a, b, k, s in zip(extents, low, high, kernel, stride)]
    return SimpleNamespace(batch=batch, channels=channels, extents=extents, kernel=kernel, stride=stride, low=low, high=high,
                           groups=int(value.get("groups", 1)), outs=int(value["out"]), out=out, precision=words[-1])
