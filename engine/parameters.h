// The store of learned numbers: one name, written once, for every number a net learns or keeps.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/random.h"
#include "engine/tape.h"

namespace dactyl {

// Fills a new parameter. `fan_in` is the number of inputs each output sums over.
struct Init {
  enum class Kind { constant, normal, uniform, xavier, he, second_quarter } kind = Kind::constant;
  double a =
      0;  // constant: the value; normal: sigma; uniform: ±a; xavier (Caffe): ±sqrt(3/fan_in); he: sigma sqrt(2/fan_in)
};
inline Init constant(double v) { return {Init::Kind::constant, v}; }
inline Init gaussian(double sigma) { return {Init::Kind::normal, sigma}; }
inline Init uniform(double a) { return {Init::Kind::uniform, a}; }
inline Init xavier() { return {Init::Kind::xavier, 0}; }
inline Init he() { return {Init::Kind::he, 0}; }
inline Init second_quarter(double v) { return {Init::Kind::second_quarter, v}; }  // else 0: an LSTM's forget gates

struct Parameter {
  std::string name;
  Tensor value;
  Tensor narrow;  // the copy that the net computes with and gradients gather on, while packed for a narrower type
  Init init;
  i64 fan_in = 1;
  bool statistic = false;     // kept, never learned: running means and variances
  bool trainable = true;      // false while frozen
  bool wide = false;          // stays f32 when the net computes in a narrower type (normalisation)
  float rate = 1, decay = 1;  // multipliers of the learning rate and of the weight decay

  const Tensor& learned() const { return narrow.defined() ? narrow : value; }  // what a tape watches
};

// Learned numbers of all trainable parameters side by side: one optimiser kernel, a buffer or two to sum over ranks.
// Segments start at multiples of `chunk`, the wide ones last, else in order of addition to the store; gaps hold zeros.
// Packed for bf16 or f16, the net computes with copies of all but the wide ones (mixed precision, Micikevicius et al.
// 2018); the optimiser keeps them equal to the values. Whoever else writes values packs again.
struct Flat {
  static constexpr i64 chunk = 256;
  struct Range {
    std::string name;
    i64 first, count;
    float rate, decay;
  };
  Tensor values;  // f32 (n)
  Tensor narrow,
      narrow_grads;         // bf16 or f16 (m): copies of the first m values, and their gradients; or undefined, m = 0
  Tensor grads;             // f32 (n − m): of the others
  Tensor segment_of_chunk;  // i32 (n / chunk): which range a chunk belongs to
  Tensor rates, decays;     // f32 (ranges), on the device
  std::vector<Range> ranges;
  std::vector<std::shared_ptr<Slot>> slots;  // of the ranges: gradients gather in place; filled says whether one did
};

class Parameters {
 public:
  // Throws if the name is taken. Values are set by `initialise`.
  Parameter& add(std::string name, Shape, Init, i64 fan_in = 1);
  Parameter& add_statistic(std::string name, Shape, double value);
  Parameter* find(std::string_view name);
  const Parameter* find(std::string_view name) const;
  std::deque<Parameter>& all() { return list_; }  // addresses stay
  const std::deque<Parameter>& all() const { return list_; }

  // Draws every value from (seed, name): independent of the order of layers and of the device.
  void initialise(std::uint64_t seed);
  void initialise(Parameter&, std::uint64_t seed);
  void to(Device);
  void to(DType);  // for inference in a narrow type; statistics stay f32
  // Freezing is not watching. `select` says which parameters learn from now on; statistics never do.
  void train_only(const std::function<bool(const Parameter&)>& select);
  void freeze(std::string_view prefix);
  void unfreeze(std::string_view prefix);
  i64 count(bool trainable_only = false) const;  // learnable numbers (statistics excluded)
  // Moves the trainable values into one buffer and views them. `compute`: the type the net computes in.
  Flat pack(DType compute = DType::f32);

 private:
  std::deque<Parameter> list_;
};

// A place in the naming tree: where a layer creates its parameters.
struct Scope {
  Parameters& store;
  std::string path;
  char separator = '/';

  Scope operator/(const std::string& name) const {
    return {store, path.empty() ? name : path + separator + name, separator};
  }
  Parameter& add(const std::string& leaf, Shape shape, Init init, i64 fan_in = 1) const {
    return store.add(path + "." + leaf, shape, init, fan_in);
  }
};

}  // namespace dactyl
