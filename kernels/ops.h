// Every operation: its signature and one line of mathematics.
//
// Layout: images (N, H, W, C), clips (N, D, H, W, C), rows (N, C); filters (O, k…, I / groups); linear weights (O, I).
// Types: all floating-point arguments of an operation share one type unless said otherwise. All throw Error with both
// shapes when they do not fit. All are recorded on the tape unless said otherwise; none waits for the GPU.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace dactyl {

// How a kernel slides over the spatial extents. `low` and `high` pad before and after (TensorFlow's SAME is asymmetric).
struct Window {
  Shape kernel, stride, low, high;  // each of spatial rank
};
Window window(Shape kernel, Shape stride, Shape pad);  // the same padding on both sides
Window square(i64 kernel, i64 stride = 1, i64 pad = 0);  // 2-D
Window same(const Shape& x, Shape kernel, Shape stride);  // TensorFlow SAME for this input
enum class Rounding { floor, ceil };  // ceil: Caffe's and torchvision's ceil_mode; windows are clipped to the input
// Output extents of a window over x (N, spatial…, C), with `channels` channels.
Shape output_shape(const Shape& x, const Window&, i64 channels, Rounding = Rounding::floor);

enum class Algorithm { automatic, reference, library };  // reference: the plain loops; library: oneDNN or cuDNN, cuBLASLt

struct ConvOptions {
  Window window;
  i64 groups = 1;
  Tensor bias;              // (O) or undefined
  bool relu = false;        // y = max(0, ·) in the same pass
  Tensor into;              // write the result into this slice of a wider tensor instead of a new one
  Algorithm algorithm = Algorithm::automatic;
};
Tensor conv(const Tensor& x, const Tensor& w, const ConvOptions& options);  // y = w * x + b

struct LinearOptions {
  Tensor bias;              // (O) or undefined
  bool relu = false;
  Algorithm algorithm = Algorithm::automatic;
};
Tensor linear(const Tensor& x, const Tensor& w, const LinearOptions& options = {});  // y = x wᵀ + b; x (N, …) is read as rows of w's I

Tensor relu(const Tensor& x);                                         // max(0, x)
Tensor relu6(const Tensor& x);                                        // min(max(0, x), 6)
Tensor add(const Tensor& a, const Tensor& b, double scale = 1);       // a + scale·b
Tensor concat(const std::vector<Tensor>& parts);                      // joins channels; copies nothing if the parts are neighbouring slices
std::vector<Tensor> split(const Tensor& x, const std::vector<i64>& widths);  // slices of x side by side; their gradients gather side by side
Tensor concat_rows(const std::vector<Tensor>& parts);                 // joins first extents; copies nothing if the parts follow each other in memory
Tensor reshape(const Tensor& x, Shape shape);                         // the same numbers in memory order
Tensor flatten(const Tensor& x);                                      // (N, …) -> (N, rest), in memory order
Tensor cast(const Tensor& x, DType type);                             // x in another floating-point type

struct PoolOptions {
  Window window;
  Rounding rounding = Rounding::floor;
  Tensor into;
  Algorithm algorithm = Algorithm::automatic;
};
Tensor max_pool(const Tensor& x, const PoolOptions& options);         // padding is −∞; ties go to the first element
Tensor mean_pool(const Tensor& x, const PoolOptions& options);        // Caffe's divisor: the window clipped to input + padding
Tensor global_mean(const Tensor& x);                                  // (N, spatial…, C) -> (N, C)
Tensor adaptive_mean(const Tensor& x, i64 height, i64 width);         // window i covers [⌊i·H/h⌋, ⌈(i+1)·H/h⌉): (N, H, W, C) -> (N, h, w, C)

struct LrnOptions {
  i64 size = 5;
  double alpha = 1e-4, beta = 0.75, k = 1;                            // alpha is divided by size (Caffe, PyTorch)
  bool relu = false;                                                  // of max(0, x) instead of x, in the same pass
  Algorithm algorithm = Algorithm::automatic;
};
Tensor lrn(const Tensor& x, const LrnOptions& options = {});          // x · (k + α/n · Σ x²)^−β over neighbouring channels

enum class Statistics { batch, frozen };                              // whose mean and variance normalise
struct NormOptions {
  Statistics statistics = Statistics::batch;
  double epsilon = 1e-5;
  double momentum = 0.1;                                              // running = (1−m)·running + m·batch; variance unbiased
  bool relu = false;
  Tensor into;
  Algorithm algorithm = Algorithm::automatic;
};
// y = (x − mean)/√(var + ε)·γ + β per channel. γ (undefined: 1), β, mean, var are f32 (f64 for f64 x), (C).
// Statistics::batch updates mean and var in place.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor mean, Tensor var, const NormOptions&);
struct NormInput { Tensor x, gamma, beta, mean, var; NormOptions options; };
std::vector<Tensor> batch_norms(const std::vector<NormInput>& parts);  // of each; on a GPU in the same launches, if up to four have the same rows and type and the statistics of the batch
// max_pool(batch_norm(x)), on a GPU without the tensor between them; of equal x the first gets the gradient. norm.into: undefined.
Tensor batch_norm_max_pool(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor mean, Tensor var, const NormOptions& norm, const PoolOptions& pool);

// For inference: a convolution without bias followed by batch_norm with fixed statistics is the convolution with these
// weights and bias. w'[o] = w[o]·s[o], b' = β − mean·s, s = γ/√(var + ε); in the given type; not recorded.
struct Folded { Tensor weight, bias; };
Folded fold_norm(const Tensor& w, const Tensor& gamma, const Tensor& beta, const Tensor& mean, const Tensor& var,
                 double epsilon, DType type);

Tensor dropout(const Tensor& x, double drop, Random& random);         // x·keep/(1−p); keep by (seed, step, call, index); step may change only after backward
struct LstmOptions {
  bool sequence = false;                                              // every step's state (N, T, U), not the last alone (N, U)
  Algorithm algorithm = Algorithm::automatic;
};
// Long short-term memory over x (N, T, F) from a state of zeros; gates in the order i, f, c, o: w (4U, F), u (4U, U), b (4U).
Tensor lstm(const Tensor& x, const Tensor& w, const Tensor& u, const Tensor& b, const LstmOptions& options = {});
Tensor softmax(const Tensor& x);                                      // over the last extent

struct CrossEntropyOptions {
  Tensor class_weights;                                               // f32 (C) or undefined; multiplies the sample's loss
  double smoothing = 0;                                               // target = (1−s)·onehot + s/C
};
// Mean over the batch of weight·(−Σ target·log softmax(x)). x (N, C), labels i32 (N); a label < 0 counts as no sample
// (loss 0, not in the mean). Result: one number, f32 (f64 for f64 x).
Tensor cross_entropy(const Tensor& x, const Tensor& labels, const CrossEntropyOptions& options = {});

// From bytes to numbers, with the geometry and colour changes of augmentation; not recorded.
// For sample n: y[h][w][c] = (colour(x[h'][w'][c]) − mean[c])·scale[c], with (h', w') = (top + h, left + w), mirrored
// if asked. Outside the source: the fill colour, i.e. mean, so y = 0.
struct PixelOptions {
  i64 height = 0, width = 0;                                          // of the result
  std::vector<float> mean, scale;                                     // per channel, in units of bytes
  DType dtype = DType::f32;
  bool flow = false;                                                  // channels are optical flow about 127.5: mirrored, the first changes its sign; no colours
};
// One row of `geometry` f32 (N, 8): top, left (whole numbers), mirror (0/1), brightness (added, bytes), contrast (×,
// about 128), saturation (× distance from the mean of three channels), 0, 0. Neutral: 0 0 0 0 1 1 0 0. The colours are
// clamped to 0…255 before they are normalised.
Tensor pixels(const Tensor& bytes, const Tensor& geometry, const PixelOptions& options);  // u8 (N, [D,] H, W, C) -> (N, [D,] h, w, C)

// One optimiser step over a flat buffer, in place; not recorded. Rate and step count live on the device.
// grads are multiplied by `grad_scale` first; weight decay is λ·decays[segment]; rate (f32) is rate·rates[segment]. step
// (i32) counts the updates made before this one: increment it afterwards.
struct SgdOptions {
  double momentum = 0.9, decay = 0;
  bool nesterov = false;
  double grad_scale = 1;
};
void sgd(const Flat& flat, const Tensor& velocity, const Tensor& rate, const SgdOptions&);  // v = μv + (g + λw); w −= rate·v
struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0;
  bool decoupled = false;                                             // AdamW: w −= rate·λ·w, outside the moments
  double grad_scale = 1;
};
void adam(const Flat& flat, const Tensor& first, const Tensor& second, const Tensor& step, const Tensor& rate, const AdamOptions&);

// Adds to counters f64 (4): Σ loss·n, samples, top-1 hits, top-5 hits; all on the device; not recorded. loss: one number.
void count_hits(const Tensor& counters, const Tensor& loss, const Tensor& scores, const Tensor& labels);

void count_nonfinite(const Tensor& counter, const Tensor& x);  // counter f32 (1) += numbers that are NaN or infinite; on the device; not recorded
void increment(const Tensor& counter);                         // i32 (1) += 1 on the device, so that a replayed graph sees a new step; not recorded

}  // namespace dactyl
