// One step of a ladder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace dactyl::ladder {

struct Rung {
  std::string name;
  std::string change;         // against the rung before, in a few words; why, and what follows, is said at its kernel
  double predicted = 0;       // how many times as fast as the rung before, by counting; 0: nothing predicted
  std::function<void()> run;  // queues the work on the current device; may take memory from the pool, waits for nothing
  bool other = false;         // not a rung: the engine's own operation, a library's
};

// All write y; the arrays lie on the current device and are dense, of bf16, their channels multiples of 8.
// x (N, D, H, W, C), w (O, 3, 3, 3, C), y (N, D, H, W, O).
std::vector<Rung> conv3d_rungs(const Tensor& x, const Tensor& w, const Tensor& y);
// x and y (N, D, H, W, C); windows of 3×3×3, stride 1, −∞ around the volume.
std::vector<Rung> max_pool3d_rungs(const Tensor& x, const Tensor& y);
// y = max(0, (x − mean)/√(variance + ε)·γ + β) by the batch's statistics; gamma and beta f32 (C), x of at least 2 rows.
std::vector<Rung> batch_norm3d_rungs(const Tensor& x, const Tensor& gamma, const Tensor& beta, float epsilon,
                                     const Tensor& y);

}  // namespace dactyl::ladder
