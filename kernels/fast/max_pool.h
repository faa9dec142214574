// Max-pooling by packs of 16 bytes of channels, on either device; a GPU takes it where it fits. Internal to the
// kernels.
#pragma once

#include "kernels/geometry.h"

namespace dactyl::fast {

constexpr i64 strips_on_a_gpu = 132 * 4 * 5 * 32;  // five warps for each scheduler of an H100

// Whether windows over x with result y (or dx and dy) can be pooled by packs: narrow types and f32, whole packs of
// channels on 16-byte boundaries, a byte per tap and 32-bit numbers for places.
bool pools_by_packs(const Geometry&, const Tensor& x, const Tensor& y);

// The bits of max_pool's plain bodies. taps: null or a byte per number of y.
void max_pool_forward(const Geometry&, const Tensor& x, const Tensor& y, std::uint8_t* taps);
void max_pool_backward(const Geometry&, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx);

// The same for 3×3×3 with stride 1 on a GPU: by blocks that keep planes in shared memory, or by scattering. False where
// that cannot be: on the CPU, for other windows, for rows 2 GB apart, with too little shared memory.
bool max_pool_forward_by_planes(const Geometry&, const Tensor& x, const Tensor& y, std::uint8_t* taps);
bool max_pool_backward_by_planes(const Geometry&, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx);
bool max_pool_backward_by_scattering(const Geometry&, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx);

// The same for 3×3 of planes with stride 1, forward also with 2, on either device. Columns are cut into strips until
// there are `enough`, or as many as can be. False for other windows.
bool max_pool_forward_by_strips(const Geometry&, const Tensor& x, const Tensor& y, std::uint8_t* taps,
                                i64 enough = strips_on_a_gpu);
bool max_pool_backward_by_strips(const Geometry&, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx,
                                 i64 enough = strips_on_a_gpu);

}  // namespace dactyl::fast
