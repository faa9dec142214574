// Long short-term memory over a sequence, from a state of zeros (Hochreiter and Schmidhuber 1997; gates in Keras'
// order):
//   z = W x_t + U h_{t−1} + b;   i, f, o = σ(z_i, z_f, z_o);   g = tanh(z_c);   c_t = f·c_{t−1} + i·g;   h_t =
//   o·tanh(c_t)
// W x for all steps is one matrix product, and so is each gradient of W, U and x; only U h goes step by step.
#include "engine/reduce.h"
#include "kernels/gemm.h"

namespace dactyl {
namespace {

struct Extents {
  i64 batch, steps, units;
};

template <class C>
HD C sigmoid(C x) {
  return 1 / (1 + std::exp(-x));
}

// What the steps compute and backward reads: gates (N, T, 4U), z before and i, f, g, o after its step; the states c (in
// the type sums are made in) and h, (N, T, U).
struct States {
  Tensor gates, c, h;
};

// One step: `recurrent` (N, 4U) holds U h_{t−1}, `now` (N, U) receives h_t.
template <class T>
void step(Extents e, i64 t, const States& s, const Tensor& recurrent, const Tensor& now) {
  using C = compute_t<T>;
  T *gates = s.gates.data<T>(), *hs = s.h.data<T>(), *out = now.data<T>();
  C* cs = s.c.data<C>();
  const T* r = recurrent.data<T>();
  each(now.device(), e.batch * e.units, [=] HD(i64 index) {
    const i64 n = index / e.units, k = index % e.units, row = n * e.steps + t;
    T* z = gates + row * 4 * e.units + k;
    C v[4];
    for (int gate = 0; gate < 4; ++gate)
      v[gate] = C(z[gate * e.units]) + (t > 0 ? C(r[(n * 4 + gate) * e.units + k]) : C(0));
    const C i = sigmoid(v[0]), f = sigmoid(v[1]), g = std::tanh(v[2]), o = sigmoid(v[3]);
    const C c = i * g + (t > 0 ? f * cs[(row - 1) * e.units + k] : C(0));
    z[0] = T(i);
    z[e.units] = T(f);
    z[2 * e.units] = T(g);
    z[3 * e.units] = T(o);
    cs[row * e.units + k] = c;
    hs[row * e.units + k] = out[index] = T(o * std::tanh(c));
  });
}

// What a step hands to the one before it: dz (N, 4U) of this step, and of the next one dh (N, U) through U and dc (N,
// U).
struct Carry {
  Tensor dz, dh, dc;
};

// dz of one step, into `all` (N, T, 4U) and into the carry. dy: of every step or of the last one alone.
template <class T>
void step_back(Extents e, i64 t, const States& s, const Tensor& dys, bool every, const Tensor& all,
               const Carry& carry) {
  using C = compute_t<T>;
  const T *gates = s.gates.data<T>(), *dy = dys.data<T>(), *dh_next = carry.dh.data<T>();
  const C* cs = s.c.data<C>();
  T *dz_all = all.data<T>(), *dz_now = carry.dz.data<T>();
  C* dcs = carry.dc.data<C>();
  const bool last = t == e.steps - 1;
  each(dys.device(), e.batch * e.units, [=] HD(i64 index) {
    const i64 n = index / e.units, k = index % e.units, row = n * e.steps + t;
    const T* gate = gates + row * 4 * e.units + k;
    const C i = C(gate[0]), f = C(gate[e.units]), g = C(gate[2 * e.units]), o = C(gate[3 * e.units]);
    const C tanh_c = std::tanh(cs[row * e.units + k]), before = t > 0 ? cs[(row - 1) * e.units + k] : C(0);
    C dh = every ? C(dy[row * e.units + k]) : last ? C(dy[index]) : C(0);
    if (!last) dh += C(dh_next[index]);
    const C dc = (last ? C(0) : dcs[index]) + dh * o * (1 - tanh_c * tanh_c);
    dcs[index] = dc * f;
    const C dz[4] = {dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)};
    for (int part = 0; part < 4; ++part) {
      dz_all[(row * 4 + part) * e.units + k] = T(dz[part]);
      dz_now[(n * 4 + part) * e.units + k] = T(dz[part]);
    }
  });
}

// h_{t−1} beside each step, zeros beside the first.
template <class T>
void shifted(Extents e, const Tensor& hs, const Tensor& results) {
  const T* h = hs.data<T>();
  T* to = results.data<T>();
  each(hs.device(), hs.count(),
       [=] HD(i64 index) { to[index] = index / e.units % e.steps == 0 ? T(0.0f) : h[index - e.units]; });
}

template <class T>
void column_sums(const Tensor& rows, const Tensor& sums) {
  using C = compute_t<T>;
  const T* x = rows.data<T>();
  T* y = sums.data<T>();
  const i64 columns = rows.shape()[1];
  fold_channels<C>(
      rows.device(), rows.shape()[0], columns, [=] HD(i64 r, i64 c) { return C(x[r * columns + c]); },
      [=] HD(i64 c, C sum) { y[c] = T(sum); });
}

Extents check_arguments(const Tensor& x, const Tensor& w, const Tensor& u, const Tensor& b) {
  const Shape &xs = x.shape(), &ws = w.shape(), &us = u.shape();
  check(xs.rank() == 3 && xs.count() > 0, "lstm: x {} is not a batch of sequences (N, T, F)", xs);
  check(us.rank() == 2 && us[0] == 4 * us[1] && ws == Shape{us[0], xs[2]} && b.shape() == Shape{us[0]},
        "lstm: x {} with w {}, u {}, b {}; expected (4U, F), (4U, U), (4U)", xs, ws, us, b.shape());
  return {xs[0], xs[1], us[1]};
}

States run_forward(Extents e, const Tensor& x, const Tensor& w, const Tensor& u, const Tensor& b, const Tensor& now,
                   Algorithm algorithm) {
  const DType type = x.dtype(), wide = type == DType::f64 ? DType::f64 : DType::f32;
  const i64 rows = e.batch * e.steps;
  States s{Tensor({rows, 4 * e.units}, type, x.device()), Tensor({rows, e.units}, wide, x.device()),
           Tensor({e.batch, e.steps, e.units}, type, x.device())};
  gemm(s.gates, x.reshaped({rows, x.shape()[2]}), false, w, true, b, false, algorithm);
  const Tensor recurrent({e.batch, 4 * e.units}, type, x.device());
  for (i64 t = 0; t < e.steps; ++t) {
    if (t > 0) gemm(recurrent, now, false, u, true, {}, false, algorithm);
    with_float(type, [&]<class T>() { step<T>(e, t, s, recurrent, now); });
  }
  return s;
}

// dz (N·T, 4U) of all steps.
Tensor run_backward(Extents e, const States& s, const Tensor& u, const Tensor& dy, bool every, Algorithm algorithm) {
  const Tensor all(s.gates.shape(), dy.dtype(), dy.device());
  const Carry carry{Tensor({e.batch, 4 * e.units}, dy.dtype(), dy.device()),
                    Tensor({e.batch, e.units}, dy.dtype(), dy.device()),
                    Tensor({e.batch, e.units}, s.c.dtype(), dy.device())};
  for (i64 t = e.steps - 1; t >= 0; --t) {
    with_float(dy.dtype(), [&]<class T>() { step_back<T>(e, t, s, dy, every, all, carry); });
    if (t > 0) gemm(carry.dh, carry.dz, false, u, false, {}, false, algorithm);
  }
  return all;
}

}  // namespace

Tensor lstm(const Tensor& x, const Tensor& w, const Tensor& u, const Tensor& b, const LstmOptions& options) {
  const Extents e = check_arguments(x, w, u, b);
  const Tensor rows = x.dense().detached(), now({e.batch, e.units}, x.dtype(), x.device());
  const Algorithm algorithm = options.algorithm;
  const bool every = options.sequence;
  const States s = run_forward(e, rows, w, u, b, now, algorithm);
  const Tensor y = every ? s.h.detached() : now;
  return record("lstm", {x, w, u, b}, y,
                [e, s, every, algorithm, x = rows, w = w.detached(), u = u.detached()](const Tensor& dy) {
                  const Tensor dz = run_backward(e, s, u, dy.dense(), every, algorithm);
                  const i64 n = e.batch * e.steps;
                  const Tensor before(s.h.shape(), s.h.dtype(), s.h.device());
                  const Grads grads{Tensor(x.shape(), x.dtype(), x.device()), Tensor(w.shape(), x.dtype(), x.device()),
                                    Tensor(u.shape(), x.dtype(), x.device()),
                                    Tensor({4 * e.units}, x.dtype(), x.device())};
                  with_float(x.dtype(), [&]<class T>() {
                    shifted<T>(e, s.h, before);
                    column_sums<T>(dz, grads[3]);
                  });
                  gemm(grads[0].reshaped({n, x.shape()[2]}), dz, false, w, false, {}, false, algorithm);
                  gemm(grads[1], dz, true, x.reshaped({n, x.shape()[2]}), false, {}, false, algorithm);
                  gemm(grads[2], dz, true, before.reshaped({n, e.units}), false, {}, false, algorithm);
                  return grads;
                });
}

}  // namespace dactyl
