"""The step of parity_step, by PyTorch: reads DIR/step.safetensors, writes loss and gradients, in 64 bits, and how far those
in 32 bits are from them, to DIR/torch.safetensors.

    python3 tests/parity/torch_step.py DIR MODEL
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "peers"))
from torch_i3d import I3D
from torch_mobilenet import MobileNetLstm
from torch_nets import AlexNet

AFTER_FLATTEN = {"fc6.weight": (256, 6, 6), "classifier.1.weight": (256, 6, 6)}


def to_torch(name, t):
    """dactyl's layout (O, k..., I), columns in (H, W, C) order, to PyTorch's."""
    if name in AFTER_FLATTEN:
        c, h, w = AFTER_FLATTEN[name]
        return t.reshape(-1, h, w, c).permute(0, 3, 1, 2).reshape(t.shape[0], -1).contiguous()
    return t.movedim(-1, 1).contiguous() if t.dim() >= 4 else t


def to_dactyl(name, t):
    if name in AFTER_FLATTEN:
        c, h, w = AFTER_FLATTEN[name]
        return t.reshape(-1, c, h, w).permute(0, 2, 3, 1).reshape(t.shape[0], -1).contiguous()
    return t.movedim(1, -1).contiguous() if t.dim() >= 4 else t


def make(name, classes, channels):
    if name.startswith("i3d"):
        return I3D(classes, channels, dropout=0.0)
    if name.startswith("mobilenet-lstm"):
        return MobileNetLstm(classes)
    if name == "alexnet":
        return AlexNet(classes)
    import torchvision
    if name == "alexnet-torchvision":
        return torchvision.models.alexnet(weights=None, num_classes=classes, dropout=0.0)
    return torchvision.models.googlenet(weights=None, num_classes=classes, aux_logits=False, init_weights=False,
                                        transform_input=False, dropout=0.0)


def step_of(net, x, masks):
    net.zero_grad()
    labels = torch.tensor([0, 3, 9, 3])[:x.shape[0]]
    loss = torch.nn.functional.cross_entropy(net(x, *masks), labels)
    loss.backward()
    return loss.detach(), {k: p.grad.clone() for k, p in net.named_parameters()}


def end_points(net, x):
    """What an I3D shows on its way with fixed statistics."""
    seen = {}
    with torch.no_grad():
        net.eval()(x, seen)
    net.train()
    return {"end_point/" + k: to_dactyl(k, v) for k, v in seen.items()}


def training_step(net, x, masks):
    loss, gradients = step_of(net, x, masks)
    exact_loss, exact = step_of(net.double(), x.double(), [m.double() for m in masks])
    out = {"exact/" + k: to_dactyl(k, g) for k, g in exact.items()}
    out["exact/loss"] = exact_loss.reshape(1)
    # How far PyTorch's own 32-bit gradients are from its 64-bit ones: where a rounding error moves a maximum to its
    # neighbour, no two programs agree better than that.
    for k, g in gradients.items():
        out["rounding/" + k] = ((g - exact[k]).norm() / exact[k].norm()).float().reshape(1)
    print(f"PyTorch {torch.__version__}: loss {loss.item():.9g}")
    return out


def main(folder, name):
    step = load_file(f"{folder}/step.safetensors")
    x = step.pop("x").movedim(-1, 1).contiguous()
    masks = [step.pop(m) for m in ("mask6", "mask7") if m in step]
    net = make(name, 10, x.shape[1]).train()
    state = net.state_dict()
    state.update({k: to_torch(k, v) for k, v in step.items()})
    net.load_state_dict(state)
    out = end_points(net, x) if name.startswith("i3d") and not name.endswith("f64") else {}
    if name != "i3d-224":
        out.update(training_step(net, x, masks))
    save_file(out, f"{folder}/torch.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
