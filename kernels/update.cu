// One optimiser step over all learned numbers at once: stochastic gradient descent with momentum, Adam, AdamW.
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

// What every body reads: the buffers, and the factors of the segment a chunk belongs to.
template <class T>
struct Buffers {
  T *w, *first, *second;
  const T* g;
  const std::int32_t* segment;
  const float *rate, *rates, *decays;

  HD T rate_of(i64 chunk) const { return T(*rate) * T(rates[segment[chunk]]); }
  HD T decay_of(i64 chunk) const { return T(decays[segment[chunk]]); }
};

template <class T>
Buffers<T> buffers(const Flat& flat, const Tensor& first, const Tensor& second, const Tensor& rate) {
  return {flat.values.data<T>(),
          first.data<T>(),
          second.data<T>(),
          flat.grads.data<T>(),
          flat.segment_of_chunk.data<std::int32_t>(),
          rate.data<float>(),
          flat.rates.data<float>(),
          flat.decays.data<float>()};
}

template <class T>
void sgd_step(const Flat& flat, const Tensor& velocity, const Tensor& rate, const SgdOptions& o) {
  const Buffers<T> b = buffers<T>(flat, velocity, velocity, rate);
  const T momentum = T(o.momentum), decay = T(o.decay), grad_scale = T(o.grad_scale);
  const bool nesterov = o.nesterov;
  each_row(flat.values.device(), flat.values.count() / Flat::chunk, Flat::chunk, [=] HD(i64 chunk, i64 j) {
    const i64 i = chunk * Flat::chunk + j;
    const T g = b.g[i] * grad_scale + decay * b.decay_of(chunk) * b.w[i];
    const T v = momentum * b.first[i] + g;
    b.first[i] = v;
    b.w[i] -= b.rate_of(chunk) * (nesterov ? g + momentum * v : v);
  });
}

// 1/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ) for the t-th update; one thread, since the powers are dear.
template <class T>
void bias_corrections(const Tensor& step, const AdamOptions& o, T* corrections) {
  const std::int32_t* updates_before = step.data<std::int32_t>();
  const double beta1 = o.beta1, beta2 = o.beta2;
  each(step.device(), 1, [=] HD(i64) {
    const double t = *updates_before + 1.0;
    corrections[0] = T(1 / (1 - std::pow(beta1, t)));
    corrections[1] = T(1 / std::sqrt(1 - std::pow(beta2, t)));
  });
}

template <class T>
void adam_step(const Flat& flat, const Tensor& first, const Tensor& second, const Tensor& step, const Tensor& rate,
               const AdamOptions& o) {
  const Buffers<T> b = buffers<T>(flat, first, second, rate);
  Tensor scratch({2}, dtype_of<T>(), step.device());
  T* corrections = scratch.data<T>();
  bias_corrections<T>(step, o, corrections);
  const T beta1 = T(o.beta1), beta2 = T(o.beta2), rest1 = T(1 - o.beta1), rest2 = T(1 - o.beta2);
  const T epsilon = T(o.epsilon), grad_scale = T(o.grad_scale);
  const T coupled = T(o.decoupled ? 0 : o.decay), decoupled = T(o.decoupled ? o.decay : 0);
  each_row(flat.values.device(), flat.values.count() / Flat::chunk, Flat::chunk, [=] HD(i64 chunk, i64 j) {
    const i64 i = chunk * Flat::chunk + j;
    const T lambda = b.decay_of(chunk), r = b.rate_of(chunk), w = b.w[i];
    const T g = b.g[i] * grad_scale + coupled * lambda * w;
    const T m = beta1 * b.first[i] + rest1 * g, v = beta2 * b.second[i] + rest2 * g * g;
    b.first[i] = m;
    b.second[i] = v;
    b.w[i] = w - r * decoupled * lambda * w - r * corrections[0] * m / (std::sqrt(v) * corrections[1] + epsilon);
  });
}

void check_state(const char* name, const Flat& flat, const Tensor& state, const Tensor& rate) {
  check(flat.grads.shape() == flat.values.shape() && state.shape() == flat.values.shape() &&
            state.dtype() == flat.values.dtype() && flat.grads.dtype() == flat.values.dtype(),
        "{}: values {} {}, gradients {} {} and state {} {} do not fit", name, flat.values.dtype(), flat.values.shape(),
        flat.grads.dtype(), flat.grads.shape(), state.dtype(), state.shape());
  check(flat.values.count() % Flat::chunk == 0 && flat.segment_of_chunk.count() == flat.values.count() / Flat::chunk,
        "{}: {} numbers need {} segment numbers, not {}", name, flat.values.count(), flat.values.count() / Flat::chunk,
        flat.segment_of_chunk.count());
  check(rate.count() == 1 && rate.dtype() == DType::f32, "{}: rate {} {} must be f32 (1)", name, rate.dtype(),
        rate.shape());
}

}  // namespace

void sgd(const Flat& flat, const Tensor& velocity, const Tensor& rate, const SgdOptions& options) {
  check_state("sgd", flat, velocity, rate);
  if (flat.values.dtype() == DType::f64)
    sgd_step<double>(flat, velocity, rate, options);
  else
    sgd_step<float>(flat, velocity, rate, options);
  Tensor(flat.values).touch();
}

void adam(const Flat& flat, const Tensor& first, const Tensor& second, const Tensor& step, const Tensor& rate,
          const AdamOptions& options) {
  check_state("adam", flat, first, rate);
  check_state("adam", flat, second, rate);
  check(step.count() == 1 && step.dtype() == DType::i32, "adam: step {} {} must be i32 (1)", step.dtype(),
        step.shape());
  if (flat.values.dtype() == DType::f64)
    adam_step<double>(flat, first, second, step, rate, options);
  else
    adam_step<float>(flat, first, second, step, rate, options);
  Tensor(flat.values).touch();
}

}  // namespace dactyl
