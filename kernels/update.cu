// One optimiser step over all learned numbers at once: stochastic gradient descent with momentum, Adam, AdamW. With
// narrow copies it reads their gradients and writes the copies in the same pass: 20 bytes per number with SGD.
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

// Neighbouring numbers that a thread moves together.
template <class T, int size>
struct alignas(size * sizeof(T)) Lanes {
  T v[size];

  HD static Lanes load(const T* from) { return *reinterpret_cast<const Lanes*>(from); }
  HD void store(T* to) const { *reinterpret_cast<Lanes*>(to) = *this; }
  template <class A>
  HD static Lanes of(const Lanes<A, size>& a) {
    Lanes made;
    for (int j = 0; j < size; ++j) made.v[j] = T(a.v[j]);
    return made;
  }
};

// rule(w, g, first, second, rate, decay): one number's step. N: the type of the narrow copies.
template <class T, class N, int size, class Rule>
struct Update {
  Rule rule;
  T *w, *first, *second;  // second: null if the rule has no second state
  const T* g;
  N* narrow;
  const N* narrow_g;
  i64 narrow_chunks;
  const std::int32_t* segment;
  const float *rate, *rates, *decays;

  HD void operator()(i64 chunk, i64 lane) const {
    const i64 i = chunk * Flat::chunk + lane * size;
    const bool is_narrow = chunk < narrow_chunks;
    const T r = T(*rate) * T(rates[segment[chunk]]), decay = T(decays[segment[chunk]]);
    using Wide = Lanes<T, size>;
    const Wide gs =
        is_narrow ? Wide::of(Lanes<N, size>::load(narrow_g + i)) : Wide::load(g + i - narrow_chunks * Flat::chunk);
    Wide ws = Wide::load(w + i), m = Wide::load(first + i), v = second ? Wide::load(second + i) : m;
    for (int j = 0; j < size; ++j) rule(ws.v[j], gs.v[j], m.v[j], v.v[j], r, decay);
    ws.store(w + i);
    m.store(first + i);
    if (second) v.store(second + i);
    if (is_narrow) Lanes<N, size>::of(ws).store(narrow + i);
  }
};

template <class T, class N, int size, class Rule>
void run_lanes(const Flat& f, const Tensor& first, const Tensor& second, const Tensor& rate, const Rule& rule) {
  const bool copies = f.narrow.defined();
  const Update<T, N, size, Rule> update{rule,
                                        f.values.data<T>(),
                                        first.data<T>(),
                                        second.defined() ? second.data<T>() : nullptr,
                                        f.grads.data<T>(),
                                        copies ? f.narrow.data<N>() : nullptr,
                                        copies ? f.narrow_grads.data<N>() : nullptr,
                                        copies ? f.narrow.count() / Flat::chunk : 0,
                                        f.segment_of_chunk.data<std::int32_t>(),
                                        rate.data<float>(),
                                        f.rates.data<float>(),
                                        f.decays.data<float>()};
  each_row(f.values.device(), f.values.count() / Flat::chunk, Flat::chunk / size, update);
}

// Two words of 16 bytes per thread of a GPU, a vector register on a CPU.
template <class T, class N, class Rule>
void run_typed(const Flat& f, const Tensor& first, const Tensor& second, const Tensor& rate, const Rule& rule) {
  if (f.values.device().is_cuda())
    run_lanes<T, N, 8>(f, first, second, rate, rule);
  else
    run_lanes<T, N, 16>(f, first, second, rate, rule);
}

template <class T, class Rule>
void run(const Flat& f, const Tensor& first, const Tensor& second, const Tensor& rate, const Rule& rule) {
  if (!f.narrow.defined()) return run_typed<T, T>(f, first, second, rate, rule);
  f.narrow.dtype() == DType::bf16 ? run_typed<T, bf16>(f, first, second, rate, rule)
                                  : run_typed<T, f16>(f, first, second, rate, rule);
}

template <class T>
struct SgdRule {
  T momentum, decay, grad_scale;
  bool nesterov;

  HD void operator()(T& w, T grad, T& v, T&, T rate, T decays) const {
    const T g = grad * grad_scale + decay * decays * w;
    v = momentum * v + g;
    w -= rate * (nesterov ? g + momentum * v : v);
  }
};

template <class T>
struct AdamRule {
  T beta1, beta2, rest1, rest2, epsilon, grad_scale, coupled, decoupled;
  const T* corrections;

  HD void operator()(T& w, T grad, T& m, T& v, T rate, T decays) const {
    const T g = grad * grad_scale + coupled * decays * w;
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    w = w - rate * decoupled * decays * w - rate * corrections[0] * m / (std::sqrt(v) * corrections[1] + epsilon);
  }
};

template <class T>
void sgd_step(const Flat& flat, const Tensor& velocity, const Tensor& rate, const SgdOptions& o) {
  run<T>(flat, velocity, {}, rate, SgdRule<T>{T(o.momentum), T(o.decay), T(o.grad_scale), o.nesterov});
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
  Tensor scratch({2}, dtype_of<T>(), step.device());
  T* corrections = scratch.data<T>();
  bias_corrections<T>(step, o, corrections);
  const T decay = T(o.decay);
  run<T>(flat, first, second, rate,
         AdamRule<T>{T(o.beta1), T(o.beta2), T(1 - o.beta1), T(1 - o.beta2), T(o.epsilon), T(o.grad_scale),
                     o.decoupled ? T(0) : decay, o.decoupled ? decay : T(0), corrections});
}

void check_state(const char* name, const Flat& flat, const Tensor& state, const Tensor& rate) {
  const i64 copied = flat.narrow.defined() ? flat.narrow.count() : 0;
  check(flat.grads.count() == flat.values.count() - copied && state.shape() == flat.values.shape() &&
            state.dtype() == flat.values.dtype() && flat.grads.dtype() == flat.values.dtype(),
        "{}: values {} {}, gradients {} {} and state {} {} do not fit", name, flat.values.dtype(), flat.values.shape(),
        flat.grads.dtype(), flat.grads.shape(), state.dtype(), state.shape());
  check(copied % Flat::chunk == 0 && (copied == 0 || flat.narrow_grads.count() == copied),
        "{}: {} narrow copies, {} gradients of them", name, copied, copied ? flat.narrow_grads.count() : 0);
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
