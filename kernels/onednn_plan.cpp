// Builds oneDNN 2.x primitives (operation descriptors) for convolutions.
#ifdef DACTYL_ONEDNN
#include "kernels/onednn_plan.h"

#include <unordered_map>

namespace dactyl::onednn {
namespace {

using Dims = memory::dims;

// Everything that distinguishes two convolutions.
struct Key {
  std::array<i64, 24> v{};
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& k) const {
    std::uint64_t h = 1469598103934665603u;
    for (const i64 v : k.v) h = (h ^ static_cast<std::uint64_t>(v)) * 1099511628211u;
    return static_cast<std::size_t>(h ^ (h >> 29));
  }
};

Key key_of(Pass pass, const Shape& x, i64 outputs, const ConvOptions& o) {
  Key key;
  std::size_t at = 0;
  for (const i64 v : {static_cast<i64>(pass), i64{x.rank()}, outputs, o.groups, i64{o.bias.defined()}, i64{o.relu}})
    key.v[at++] = v;
  for (int i = 0; i < x.rank(); ++i) key.v[at++] = x[i];
  for (const Shape* s : {&o.window.kernel, &o.window.stride, &o.window.low, &o.window.high})
    for (int i = 0; i < s->rank(); ++i) key.v[at++] = (*s)[i];
  return key;
}

// oneDNN names extents in the order N, C, spatial; the strides say that channels come last.
memory::desc channels_last(const Shape& s) {
  Dims dims{s[0], s[-1]}, strides{s.count() / std::max<i64>(1, s[0]), 1};
  i64 stride = s.count() / std::max<i64>(1, s[0]);
  for (int i = 1; i + 1 < s.rank(); ++i) {
    stride /= s[i];
    dims.push_back(s[i]);
    strides.push_back(stride);
  }
  return {dims, memory::data_type::f32, strides};
}

// Filters (O, k…, I / groups) as (groups, O / groups, I / groups, k…), or without the first for one group.
memory::desc filters(const Shape& w, i64 groups, bool any) {
  const i64 filter = w.count() / w[0];
  Dims dims, strides;
  if (groups > 1) {
    dims.push_back(groups);
    strides.push_back(w[0] / groups * filter);
  }
  dims.insert(dims.end(), {w[0] / groups, w[-1]});
  strides.insert(strides.end(), {filter, 1});
  i64 stride = filter;
  for (int i = 1; i + 1 < w.rank(); ++i) {
    stride /= w[i];
    dims.push_back(w[i]);
    strides.push_back(stride);
  }
  if (any) return {dims, memory::data_type::f32, memory::format_tag::any};
  return {dims, memory::data_type::f32, strides};
}

Dims dims_of(const Shape& s) {
  Dims d;
  for (int i = 0; i < s.rank(); ++i) d.push_back(s[i]);
  return d;
}

dnnl::primitive_attr attributes(bool relu) {
  dnnl::primitive_attr a;
  a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops after;
    after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
    a.set_post_ops(after);
  }
  return a;
}

constexpr auto direct = dnnl::algorithm::convolution_direct;

using Forward = dnnl::convolution_forward;
Forward::primitive_desc forward_descriptor(const Shape& x, const Shape& w, const Shape& y, const ConvOptions& o) {
  const Window& v = o.window;
  const auto xd = channels_last(x), wd = filters(w, o.groups, true), yd = channels_last(y);
  const auto kind = dnnl::prop_kind::forward_training;  // backward descriptors need it as a hint; the speed is the same
  const Dims stride = dims_of(v.stride), low = dims_of(v.low), high = dims_of(v.high);
  if (!o.bias.defined())
    return {Forward::desc(kind, direct, xd, wd, yd, stride, low, high), attributes(o.relu), engine()};
  const memory::desc bd({w[0]}, memory::data_type::f32, memory::format_tag::a);
  return {Forward::desc(kind, direct, xd, wd, bd, yd, stride, low, high), attributes(o.relu), engine()};
}

Plan forward_plan(const Shape& x, const Shape& w, const Shape& y, const ConvOptions& o) {
  const auto d = forward_descriptor(x, w, y, o);
  Plan plan;
  plan.bind(d, d.src_desc(), d.weights_desc(), d.dst_desc(), filters(w, o.groups, false));
  if (o.bias.defined()) plan.bias = memory(d.bias_desc(), engine(), nullptr);
  plan.primitive = dnnl::primitive(d.get());
  return plan;
}

Plan data_plan(const Shape& x, const Shape& w, const Shape& y, const ConvOptions& o) {
  using Data = dnnl::convolution_backward_data;
  const Window& v = o.window;
  const Data::primitive_desc d(Data::desc(direct, channels_last(x), filters(w, o.groups, true), channels_last(y),
                                          dims_of(v.stride), dims_of(v.low), dims_of(v.high)),
                               attributes(false), engine(), forward_descriptor(x, w, y, o));
  Plan plan;
  plan.bind(d, d.diff_src_desc(), d.weights_desc(), d.diff_dst_desc(), filters(w, o.groups, false));
  plan.primitive = dnnl::primitive(d.get());
  return plan;
}

Plan weights_plan(const Shape& x, const Shape& w, const Shape& y, const ConvOptions& o) {
  using Weights = dnnl::convolution_backward_weights;
  const Window& v = o.window;
  const Weights::primitive_desc d(Weights::desc(direct, channels_last(x), filters(w, o.groups, true), channels_last(y),
                                                dims_of(v.stride), dims_of(v.low), dims_of(v.high)),
                                  attributes(false), engine(), forward_descriptor(x, w, y, o));
  Plan plan;
  plan.bind(d, d.src_desc(), d.diff_weights_desc(), d.diff_dst_desc(), filters(w, o.groups, false));
  plan.primitive = dnnl::primitive(d.get());
  return plan;
}

Plan built(Pass pass, const Shape& x, const Shape& w, const Shape& y, const ConvOptions& o) {
  if (pass == Pass::forward) return forward_plan(x, w, y, o);
  return pass == Pass::data ? data_plan(x, w, y, o) : weights_plan(x, w, y, o);
}

// oneDNN 2.6 writes through a null pointer where memory for a primitive's code and tables is refused. Asking for more
// than it takes beforehand turns that end of the process into std::bad_alloc. Nothing is touched, so it costs nothing.
void probe_memory() {
  constexpr std::size_t generous = std::size_t{64} << 20;
  ::operator delete(::operator new(generous));
}

}  // namespace

// Primitives belong to one thread, so that no lock is held while one runs.
dnnl::engine& engine() {
  static thread_local dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}
dnnl::stream& stream() {
  static thread_local dnnl::stream queue(engine());
  return queue;
}

Plan& plan(Pass pass, const Shape& x, const Shape& w, const Shape& y, const ConvOptions& options) {
  static thread_local std::unordered_map<Key, Plan, KeyHash> plans;
  const Key key = key_of(pass, x, w[0], options);
  const auto found = plans.find(key);
  if (found != plans.end()) return found->second;
  probe_memory();
  try {
    return plans.emplace(key, built(pass, x, w, y, options)).first->second;
  } catch (const dnnl::error& error) {
    fail(error.status == dnnl_out_of_memory ? Exit::memory : Exit::failure,
         "oneDNN: no convolution of x {} with w {}: {}", {to_text(x), to_text(w), error.what()});
  }
}

}  // namespace dactyl::onednn
#endif
