"""A model in numpy of the TV-L1 flow that OpenCV's CUDA version computes, written from its description: all parameters
are its defaults. Slow and plain, to check the engine's default against something that shares no code with it."""
import numpy as np

TAU, LAMBDA, THETA, SCALES, STEP, WARPS, EPSILON, ITERATIONS = 0.25, 0.15, 0.3, 5, 0.8, 5, 0.01, 300


def kernel(x):
    """Keys' cubic kernel with slope -1/2."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0)).astype(np.float32)


def bicubic(image, x, y):
    """image at (x, y); its border is continued outwards."""
    height, width = image.shape
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    total, weight = np.zeros_like(x), np.zeros_like(x)
    for j in range(-1, 3):
        for i in range(-1, 3):
            w = kernel(x - (left + i)) * kernel(y - (top + j))
            total += w * image[np.clip(top + j, 0, height - 1), np.clip(left + i, 0, width - 1)]
            weight += w
    return total / weight


def resized(image, height, width, scale_y, scale_x):
    """Linear interpolation; the upper left pixels coincide."""
    y, x = np.arange(height) * scale_y, np.arange(width) * scale_x
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    fy, fx = (y - top)[:, None], (x - left)[None]
    bottom, right = np.minimum(top + 1, image.shape[0] - 1), np.minimum(left + 1, image.shape[1] - 1)
    a, b = image[top], image[bottom]
    rows = a * (1 - fy) + b * fy
    return (rows[:, left] * (1 - fx) + rows[:, right] * fx).astype(np.float32)


def centred(image):
    wide = np.pad(image, 1, mode="edge")
    return 0.5 * (wide[1:-1, 2:] - wide[1:-1, :-2]), 0.5 * (wide[2:, 1:-1] - wide[:-2, 1:-1])


def forward(u):
    dx, dy = np.zeros_like(u), np.zeros_like(u)
    dx[:, :-1] = u[:, 1:] - u[:, :-1]
    dy[:-1] = u[1:] - u[:-1]
    return dx, dy


def divergence(px, py):
    d = px + py
    d[:, 1:] -= px[:, :-1]
    d[1:] -= py[:-1]
    return d


def solve_warp(first, second, gx, gy, flow, duals):
    height, width = first.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = flow
    ix, iy = bicubic(gx, x + u, y + v), bicubic(gy, x + u, y + v)
    rho_c = bicubic(second, x + u, y + v) - ix * u - iy * v - first
    grad = ix * ix + iy * iy
    limit, step, bound = np.float32(LAMBDA * THETA), np.float32(TAU / THETA), EPSILON**2 * first.size
    change, last = np.inf, 0.0
    for n in range(ITERATIONS):
        u, v = flow
        rho = rho_c + ix * u + iy * v
        ratio = np.where(grad > np.finfo(np.float32).eps, -rho / np.where(grad > 0, grad, 1), 0)
        pull = np.where(rho < -limit * grad, limit, np.where(rho > limit * grad, -limit, ratio))
        new = [u + pull * ix + np.float32(THETA) * divergence(*duals[0]),
               v + pull * iy + np.float32(THETA) * divergence(*duals[1])]
        if n % 2 == 1 and last < bound:
            change = last = float(sum(((a - b).astype(np.float64)**2).sum() for a, b in zip(new, flow)))
        else:
            change, last = np.inf, last - bound
        flow[:] = new
        for k in range(2):
            dx, dy = forward(flow[k])
            norm = 1 + step * np.hypot(dx, dy)
            duals[k] = ((duals[k][0] + step * dx) / norm, (duals[k][1] + step * dy) / norm)
        if not change > bound:
            break


def flow(first, second):
    """u, v from first to second: (H, W, 2)."""
    levels = [(first.astype(np.float32), second.astype(np.float32))]
    while len(levels) < SCALES:
        height, width = (int(np.rint(n * STEP)) for n in levels[-1][0].shape)
        if min(height, width) < 16:
            break
        levels.append(tuple(resized(f, height, width, 1 / STEP, 1 / STEP) for f in levels[-1]))
    current = [np.zeros_like(levels[-1][0]) for _ in range(2)]
    for a, b in reversed(levels):
        if current[0].shape != a.shape:
            scale = [s / n for s, n in zip(current[0].shape, a.shape)]
            current = [resized(c, *a.shape, *scale) * np.float32(1 / STEP) for c in current]
        duals = [(np.zeros_like(a), np.zeros_like(a)) for _ in range(2)]
        gx, gy = centred(b)
        for _ in range(WARPS):
            solve_warp(a, b, gx, gy, current, duals)
    return np.stack(current, -1)
