// Naming, filling, freezing and packing of learned numbers.
#include "engine/parameters.h"

#include <algorithm>
#include <cmath>

#include "engine/context.h"

namespace dactyl {
namespace {

// FNV-1a: gives every name its own random stream, whatever the order of layers.
std::uint32_t hash(std::string_view text) {
  std::uint32_t h = 2166136261u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h;
}

double normal(const Philox::Block& b) {
  const double radius = std::sqrt(-2 * std::log(1 - Philox::uniform(b.v[0])));
  return radius * std::cos(6.283185307179586 * (b.v[1] * (1.0 / 4294967296.0)));
}

double drawn(const Init& init, double fan_in, const Philox::Block& b) {
  const double u = 2 * (b.v[2] * (1.0 / 4294967296.0)) - 1;
  switch (init.kind) {
    case Init::Kind::constant:
      return init.a;
    case Init::Kind::normal:
      return init.a * normal(b);
    case Init::Kind::uniform:
      return init.a * u;
    case Init::Kind::xavier:
      return std::sqrt(3 / fan_in) * u;
    case Init::Kind::he:
      return std::sqrt(2 / fan_in) * normal(b);
    case Init::Kind::second_quarter:
      return 0;  // placed by index
  }
  return 0;
}

}  // namespace

Parameter& Parameters::add(std::string name, Shape shape, Init init, i64 fan_in) {
  check(find(name) == nullptr, "parameters: the name {} is taken", name);
  Parameter p;
  p.name = std::move(name);
  p.value = Tensor(shape, DType::f32, Device::cpu());
  p.value.watch();
  p.init = init;
  p.fan_in = fan_in;
  return list_.emplace_back(std::move(p));
}

Parameter& Parameters::add_statistic(std::string name, Shape shape, double value) {
  Parameter& p = add(std::move(name), shape, constant(value));
  p.statistic = true;
  p.trainable = false;
  p.value.unwatch();
  return p;
}

const Parameter* Parameters::find(std::string_view name) const {
  for (const Parameter& p : list_)
    if (p.name == name) return &p;
  return nullptr;
}

Parameter* Parameters::find(std::string_view name) {
  return const_cast<Parameter*>(static_cast<const Parameters*>(this)->find(name));
}

void Parameters::initialise(std::uint64_t seed) {
  for (Parameter& p : list_) initialise(p, seed);
}

void Parameters::initialise(Parameter& p, std::uint64_t seed) {
  const Philox philox(seed);
  const std::uint32_t stream = hash(p.name);
  Tensor host(p.value.shape(), DType::f32, Device::cpu());
  float* values = host.data<float>();
  const i64 n = host.count();
  const auto fan_in = static_cast<double>(p.fan_in);
#pragma omp parallel for schedule(static) if (n > 4096)
  for (i64 i = 0; i < n; ++i) {
    const Philox::Block block = philox(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), stream, 1);
    values[i] = static_cast<float>(drawn(p.init, fan_in, block));
    if (p.init.kind == Init::Kind::second_quarter && 4 * i / n == 1) values[i] = static_cast<float>(p.init.a);
  }
  p.value.copy_from(p.value.dtype() == DType::f32 ? host : host.to(p.value.dtype()));
  Context::current().compute().synchronize();  // the host's copy ends here
}

void Parameters::to(Device device) {
  for (Parameter& p : list_) {
    p.value = p.value.detached().to(device);
    p.narrow = Tensor();
    if (p.trainable) p.value.watch();
  }
}

void Parameters::to(DType type) {
  for (Parameter& p : list_)
    if (!p.statistic && !p.wide) {
      p.value = p.value.detached().to(type);
      p.narrow = Tensor();
    }
}

void Parameters::train_only(const std::function<bool(const Parameter&)>& select) {
  for (Parameter& p : list_) {
    p.trainable = !p.statistic && select(p);
    p.value = p.value.detached();
    p.narrow = Tensor();
    if (p.trainable) p.value.watch();
  }
}

void Parameters::freeze(std::string_view prefix) {
  train_only([&](const Parameter& p) { return p.trainable && !p.name.starts_with(prefix); });
}

void Parameters::unfreeze(std::string_view prefix) {
  train_only([&](const Parameter& p) { return p.trainable || p.name.starts_with(prefix); });
}

i64 Parameters::count(bool trainable_only) const {
  i64 n = 0;
  for (const Parameter& p : list_)
    if (!p.statistic && (p.trainable || !trainable_only)) n += p.value.count();
  return n;
}

namespace {

// Ranges and their factors, by segment.
Flat laid_out(const std::vector<Parameter*>& learned) {
  Flat flat;
  std::vector<std::int32_t> segment_of_chunk;
  std::vector<float> rates, decays;
  i64 end = 0;
  for (const Parameter* p : learned) {
    flat.ranges.push_back({p->name, end, p->value.count(), p->rate, p->decay});
    const i64 chunks = (p->value.count() + Flat::chunk - 1) / Flat::chunk;
    segment_of_chunk.insert(segment_of_chunk.end(), static_cast<std::size_t>(chunks),
                            static_cast<std::int32_t>(rates.size()));
    rates.push_back(p->rate);
    decays.push_back(p->decay);
    end += chunks * Flat::chunk;
  }
  check(end > 0, "parameters: nothing to train, everything is frozen");
  const auto segments = static_cast<i64>(rates.size());
  flat.values = Tensor::zeros({end});
  flat.segment_of_chunk = Tensor::from({end / Flat::chunk}, segment_of_chunk);
  flat.rates = Tensor::from({segments}, rates);
  flat.decays = Tensor::from({segments}, decays);
  return flat;
}

// From here on the gradient of `t` gathers in this place.
std::shared_ptr<Slot> gather(Tensor& t, const Tensor& place) {
  t.watch();
  t.slot()->grad = place;
  t.slot()->owned = true;
  return t.slot();
}

}  // namespace

Flat Parameters::pack(DType compute) {
  std::vector<Parameter*> learned;
  for (const bool wide : {false, true})
    for (Parameter& p : list_)
      if (p.trainable && p.wide == wide) learned.push_back(&p);
  Flat flat = laid_out(learned);
  for (std::size_t i = 0; i < learned.size(); ++i) {
    Tensor place = view(flat.values, flat.ranges[i].first, learned[i]->value.shape());
    place.copy_from(learned[i]->value);
    learned[i]->value = place;
  }
  const i64 all = flat.values.count();
  const auto wide = std::find_if(learned.begin(), learned.end(), [](const Parameter* p) { return p->wide; });
  const i64 narrow_end =
      wide == learned.end() ? all : flat.ranges[static_cast<std::size_t>(wide - learned.begin())].first;
  const i64 copied = compute == DType::f32 ? 0 : narrow_end;  // the first so many have narrow copies
  if (copied > 0) {
    flat.narrow = view(flat.values, 0, {copied}).to(compute);
    flat.narrow_grads = Tensor::zeros({copied}, compute);
  }
  flat.grads = Tensor::zeros({all - copied});
  for (std::size_t i = 0; i < learned.size(); ++i) {
    Parameter& p = *learned[i];
    const i64 first = flat.ranges[i].first;
    const bool narrow = first < copied;
    p.narrow = narrow ? view(flat.narrow, first, p.value.shape()) : Tensor();
    Tensor& watched = narrow ? p.narrow : p.value;
    flat.slots.push_back(gather(watched, narrow ? view(flat.narrow_grads, first, p.value.shape())
                                                : view(flat.grads, first - copied, p.value.shape())));
  }
  return flat;
}

}  // namespace dactyl
