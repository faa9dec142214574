// Convolution = gather + gemm, a chunk of rows at a time.
#include "kernels/conv_columns.h"

#include "kernels/conv_gather.h"
#include "kernels/gemm.h"
#include "kernels/rows.h"

namespace dactyl {
namespace {

constexpr i64 most_groups = 8;

// What y's rows see of x; for the data gradient, what x's rows see of dy.
Gather columns_of(const ConvProblem& p) {
  const bool data = p.pass == Pass::data;
  Gather g;
  for (std::size_t i = 0; i < 3; ++i) {
    const int in = static_cast<int>(p.in[i]), out = static_cast<int>(p.out[i]), kernel = static_cast<int>(p.kernel[i]);
    const int stride = static_cast<int>(p.stride[i]), low = static_cast<int>(p.low[i]);
    g.axis[i] =
        data ? GatherAxis{out, in, kernel, 1, low, -1, stride} : GatherAxis{in, out, kernel, stride, -low, 1, 1};
  }
  g.channels = static_cast<int>(data ? p.outs / p.groups : p.ins);
  g.pitch = static_cast<int>(data ? p.outs : p.groups * p.ins);
  g.width = static_cast<int>(up_to_eight(g.taps() * g.channels));
  return g;
}

// (rows, inner) padded with zeros to (rows, width).
template <class T>
void pad(const Tensor& from, i64 rows, i64 inner, const Tensor& to) {
  const i64 width = to.shape()[1];
  const T* f = from.data<T>();
  T* t = to.data<T>();
  each_row(to.device(), rows, width,
           [=] HD(i64 r, i64 c) { t[r * width + c] = c < inner ? f[r * inner + c] : T(compute_t<T>(0)); });
}

// w (outs, taps, ins) as (taps·outs, ins), padded with rows of zeros.
template <class T>
void turn(const Tensor& from, i64 outs, i64 taps, i64 ins, const Tensor& to) {
  const T* f = from.data<T>();
  T* t = to.data<T>();
  each_row(to.device(), to.shape()[0], ins, [=] HD(i64 r, i64 c) {
    t[r * ins + c] = r < taps * outs ? f[(r % outs * taps + r / outs) * ins + c] : T(compute_t<T>(0));
  });
}

template <class C, class T>
void accumulate(const Tensor& sums, const Tensor& part, bool first) {
  C* s = sums.data<C>();
  const T* p = part.data<T>();
  each(sums.device(), sums.count(), [=] HD(i64 i) { s[i] = (first ? C(0) : s[i]) + C(p[i]); });
}

// The first `inner` of each row's numbers.
template <class C, class T>
void place(const Tensor& sums, i64 inner, const Tensor& to) {
  const i64 width = sums.shape()[1];
  const C* s = sums.data<C>();
  T* t = to.data<T>();
  each_row(to.device(), sums.shape()[0], inner, [=] HD(i64 r, i64 c) { t[r * inner + c] = T(s[r * width + c]); });
}

class Columns {
 public:
  Columns(const ConvProblem& p, const ConvTensors& t, i64 chunk)
      : p_(p),
        t_(t),
        gather_(columns_of(p)),
        device_(t.x.device()),
        per_group_(p.outs / p.groups),
        inner_(gather_.taps() * gather_.channels),
        rows_(p.batch * gather_.places()) {
    const i64 row_bytes = gather_.width * size_of(p.dtype);
    at_once_ = std::min(rows_, std::max<i64>(1, chunk / row_bytes));
    columns_ = Tensor({at_once_, gather_.width}, p.dtype, device_);
  }

  void run() {
    for (i64 group = 0; group < p_.groups; ++group) {
      gather_.first = static_cast<int>(group * gather_.channels);
      if (p_.pass == Pass::weights)
        weights(group);
      else
        products(group);
    }
  }

 private:
  // The next rows of columns, as a matrix of its own.
  Tensor columns(i64 first, i64 rows, const Tensor& from) {
    with_float(p_.dtype,
               [&]<class T>() { gather<T>(device_, gather_, first, rows, from.data<T>(), columns_.data<T>()); });
    return view(columns_, 0, {rows, gather_.width});
  }

  // Of a group; forward (outs, width), for the data gradient (width, ins).
  Tensor group_weights(i64 group) {
    const i64 count = per_group_ * p_.taps() * p_.ins;
    const Tensor own = view(t_.w, group * count, {count});
    if (p_.pass == Pass::forward && inner_ == gather_.width) return own.reshaped({per_group_, inner_});
    const Tensor w(p_.pass == Pass::forward ? Shape{per_group_, gather_.width} : Shape{gather_.width, p_.ins}, p_.dtype,
                   device_);
    with_float(p_.dtype, [&]<class T>() {
      if (p_.pass == Pass::forward)
        pad<T>(own, per_group_, inner_, w);
      else
        turn<T>(own, per_group_, p_.taps(), p_.ins, w);
    });
    return w;
  }

  // y's or dx's channels of one group.
  void products(i64 group) {
    const bool forward = p_.pass == Pass::forward;
    const Tensor w = group_weights(group), &from = forward ? t_.x : t_.y, &to = forward ? t_.y : t_.x;
    const i64 wide = forward ? p_.outs : p_.groups * p_.ins, own = wide / p_.groups;
    const Tensor bias = forward && t_.bias.defined() ? view(t_.bias, group * own, {own}) : Tensor();
    const Tensor part = p_.groups > 1 ? Tensor({at_once_, own}, p_.dtype, device_) : Tensor();
    for (i64 first = 0; first < rows_; first += at_once_) {
      const i64 rows = std::min(at_once_, rows_ - first);
      const Tensor result = view(to, first * wide, {rows, wide});
      const Tensor product = part.defined() ? view(part, 0, {rows, own}) : result;
      gemm(product, columns(first, rows, from), false, w, forward, bias, p_.relu);
      if (part.defined()) copy_rows(result.slice(group * own, own), product);
    }
  }

  void weights(i64 group) {
    with_float(p_.dtype, [&]<class T>() {
      using C = compute_t<T>;
      const Tensor sums({per_group_, gather_.width}, dtype_of<C>(), device_),
          part({per_group_, gather_.width}, p_.dtype, device_);
      for (i64 first = 0; first < rows_; first += at_once_) {
        const i64 rows = std::min(at_once_, rows_ - first);
        gemm(part, gradient(group, first, rows), true, columns(first, rows, t_.x), false);
        accumulate<C, T>(sums, part, first == 0);
      }
      place<C, T>(sums, inner_, view(t_.w, group * per_group_ * inner_, {per_group_, inner_}));
    });
  }

  // Rows of dy, of one group's channels.
  Tensor gradient(i64 group, i64 first, i64 rows) const {
    const Tensor all = view(t_.y, first * p_.outs, {rows, p_.outs});
    return p_.groups == 1 ? all : all.slice(group * per_group_, per_group_).dense();
  }

  const ConvProblem& p_;
  const ConvTensors& t_;
  Gather gather_;
  Device device_;
  i64 per_group_, inner_, rows_, at_once_ = 1;
  Tensor columns_;
};

}  // namespace

bool columns_fit(const ConvProblem& p) {
  return p.groups <= most_groups && p.x_count() > 0 && p.y_count() > 0 && can_gather(columns_of(p), p.batch);
}

void conv_by_columns(const ConvProblem& p, const ConvTensors& t, i64 chunk) {
  check(columns_fit(p), "conv: the {} does not fit into columns", p);
  Columns(p, t, chunk).run();
}

}  // namespace dactyl
