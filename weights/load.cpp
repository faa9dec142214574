// Finds every parameter's tensor first, and only then changes the store.
#include "weights/load.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/context.h"
#include "weights/bytes.h"
#include "weights/names/names.h"
#include "weights/reorder.h"

namespace dactyl {
namespace {

constexpr const char* layout_note = "dactyl.layout";

bool begins_with_any(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& p) { return name.starts_with(p); });
}

i64 nonfinite_in(const Tensor& t) {
  i64 n = 0;
  with_float(t.dtype(), [&]<class T>() {
    for (i64 i = 0; i < t.count(); ++i) n += !std::isfinite(static_cast<double>(t.data<T>()[i]));
  });
  return n;
}

i64 negative_in(const Tensor& t) {
  i64 n = 0;
  with_float(t.dtype(), [&]<class T>() {
    for (i64 i = 0; i < t.count(); ++i) n += static_cast<double>(t.data<T>()[i]) < 0;
  });
  return n;
}

// The state of one load: what was found so far, and what will be poured if all of it fits.
class Pouring {
 public:
  Pouring(Parameters& store, const Checkpoint& file, const std::string& model, const LoadOptions& options);
  LoadReport finish();

 private:
  Source source_of(const std::string& parameter) const { return foreign_ ? sources_(parameter) : Source{parameter}; }
  bool holds(const std::string& name) const { return file_.tensors.contains(name); }
  void find(Parameter& p);
  void fit(Parameter& p, const Tensor& tensor, const Source& source);
  Tensor reordered(const Parameter& p, Tensor t, const Source& source);
  void examine(const Parameter& p, const Tensor& t);
  bool is_spare_gamma(const Parameter& p) const;
  void drop_gamma(const Parameters& store, const Parameter& p);
  std::string complaints() const;

  const Checkpoint& file_;
  std::string model_;
  const LoadOptions& options_;
  bool foreign_;
  std::string channel_order_;  // as the passport says; "" if there is none
  Sources sources_;
  LoadReport report_;
  std::vector<std::string> required_, wrong_type_, nonfinite_, negative_, scaling_;
  std::vector<std::pair<Parameter*, Tensor>> ready_;
  std::set<std::string> used_;
};

Pouring::Pouring(Parameters& store, const Checkpoint& file, const std::string& model, const LoadOptions& options)
    : file_(file), model_(model), options_(options) {
  const auto layout = file.notes.find(layout_note);
  foreign_ = layout == file.notes.end();
  check(Exit::model_file, foreign_ || layout->second == "dactyl", "{}: its tensors are in the unknown layout {}",
        file.path, foreign_ ? "" : shown(layout->second));
  const Passport passport = Passport::from_notes(file.notes, file.path);
  check(Exit::model_file, passport.empty() || passport.model == model,
        "{}: holds weights of {}, not of {}; name that model or another file", file.path, shown(passport.model), model);
  if (!passport.empty()) channel_order_ = passport.channel_order;
  if (foreign_) sources_ = sources_of(model, [&](const std::string& name) { return holds(name); });
  for (Parameter& p : store.all()) find(p);
  for (const Parameter& p : store.all()) drop_gamma(store, p);
  for (const auto& [name, tensor] : file.tensors)
    if (!used_.contains(name)) report_.unexpected.push_back(name);
}

// Files of nets whose normalisation has no gamma leave it out: it is 1. Only where the layer's statistics are there.
bool Pouring::is_spare_gamma(const Parameter& p) const {
  constexpr std::string_view leaf = "bn.weight";
  if (!p.name.ends_with(leaf)) return false;
  return holds(source_of(p.name.substr(0, p.name.size() - leaf.size()) + "bn.running_mean").name);
}

// The other way round: a net without gamma takes a file with it if it is 1 everywhere.
void Pouring::drop_gamma(const Parameters& store, const Parameter& p) {
  constexpr std::string_view leaf = "bn.running_mean";
  if (!p.name.ends_with(leaf)) return;
  const std::string gamma = p.name.substr(0, p.name.size() - leaf.size()) + "bn.weight";
  const auto found = file_.tensors.find(source_of(gamma).name);
  if (store.find(gamma) || found == file_.tensors.end()) return;
  used_.insert(found->first);
  const std::vector<float> values = found->second.floats();
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::abs(v - 1) < 1e-6f; }))
    scaling_.push_back(found->first);
  else
    report_.reshaped.push_back({gamma, "1 in the file, absent from the net"});
}

void Pouring::find(Parameter& p) {
  const Source source = source_of(p.name);
  used_.insert(source.name);
  const auto found = file_.tensors.find(source.name);
  if (begins_with_any(p.name, options_.skip)) {
    report_.skipped.push_back(p.name);
  } else if (found != file_.tensors.end()) {
    fit(p, found->second, source);
  } else if (is_spare_gamma(p)) {
    report_.reshaped.push_back({p.name, "absent from the file: filled with 1"});
    ready_.emplace_back(&p, Tensor(p.value.shape(), DType::f32, Device::cpu()));
    ready_.back().second.fill(1);
  } else {
    report_.missing.push_back(p.name);
    if (!begins_with_any(p.name, options_.optional)) required_.push_back(p.name);
  }
}

// Some programs keep extents of 1 in front: vectors as (1, 1, 1, 1, C), a linear layer as a 1×1 convolution.
Tensor without_leading_ones(const Tensor& t, int rank) {
  int first = 0;
  while (t.shape().rank() - first > rank && t.shape()[first] == 1) ++first;
  std::vector<i64> extents;
  for (int i = first; i < t.shape().rank(); ++i) extents.push_back(t.shape()[i]);
  return first ? t.reshaped(Shape(extents)) : t;
}

// Numbers no training leaves behind. A net may well answer in spite of them, so nothing later would notice.
void Pouring::examine(const Parameter& p, const Tensor& t) {
  const auto note = [&](i64 count, std::vector<std::string>& where) {
    if (count > 0) where.push_back(p.name + " (" + to_text(count) + " of " + to_text(t.count()) + ")");
  };
  const i64 nonfinite = nonfinite_in(t);
  report_.nonfinite += nonfinite;
  note(nonfinite, nonfinite_);
  if (p.statistic && p.name.ends_with("running_var")) note(negative_in(t), negative_);
}

void Pouring::fit(Parameter& p, const Tensor& tensor, const Source& source) {
  const int rank = p.value.shape().rank();
  const Tensor t = foreign_ ? without_leading_ones(tensor, rank) : tensor;
  const Shape expected = foreign_ ? stored_shape(p.value.shape(), source.axes) : p.value.shape();
  if (t.shape() != expected || (source.flattened > 0 && expected[1] % source.flattened != 0)) {
    report_.mismatched.push_back({p.name, tensor.shape(), expected});
    return;
  }
  if (t.dtype() == DType::i32 || t.dtype() == DType::u8) {
    wrong_type_.push_back(p.name + " (" + to_text(t.dtype()) + ")");
    return;
  }
  const Tensor numbers = t.to(p.value.dtype());
  examine(p, numbers);
  report_.matched.push_back(p.name);
  ready_.emplace_back(&p, reordered(p, numbers, source));
}

Tensor Pouring::reordered(const Parameter& p, Tensor t, const Source& source) {
  const auto note = [&](const char* how) { report_.reshaped.push_back({p.name, how}); };
  if (foreign_ && t.shape().rank() > (source.axes == Axes::outputs_first ? 2 : 1)) {
    note(change_of(source.axes));
    t = from_stored(t, source.axes);
  }
  if (source.flattened > 0) t = channels_last_columns(t, source.flattened), note("columns (C, H, W) -> (H, W, C)");
  const bool bgr = channel_order_.empty() ? source.input == Channels::bgr : channel_order_ == "bgr";
  if (source.input == Channels::bgr && bgr) t = red_and_blue_swapped(t), note("channels BGR -> RGB");
  return t;
}

std::string joined(const std::vector<std::string>& names, std::size_t limit = SIZE_MAX) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < limit; ++i) text += (i ? ", " : "") + names[i];
  return text + (names.size() > limit ? " and " + std::to_string(names.size() - limit) + " more" : "");
}

std::string Pouring::complaints() const {
  std::string text;
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) text += "; " + std::to_string(names.size()) + " " + what + ": " + joined(names, 12);
  };
  std::vector<std::string> shapes;
  for (const LoadReport::Mismatch& m : report_.mismatched)
    shapes.push_back(m.name + " (file " + to_text(m.file) + ", expected " + to_text(m.model) + ")");
  add("missing", required_);
  add("of another shape", shapes);
  add("of a type that is no weight", wrong_type_);
  add("scales that the net does not have and that are not 1", scaling_);
  if (!text.empty() && report_.matched.empty()) text += "; the file holds: " + joined(report_.unexpected, 8);
  return text;
}

LoadReport Pouring::finish() {
  const std::string wrong = complaints();
  check(Exit::model_file, wrong.empty(), "{}: does not fit {}{}", file_.path, model_, wrong);
  check(Exit::model_file, nonfinite_.empty() || !options_.strict,
        "{}: {} of its numbers are NaN or infinite: {}; the file is damaged or its training failed: take another",
        file_.path, report_.nonfinite, joined(nonfinite_, 3));
  check(Exit::model_file, negative_.empty(), "{}: variances below 0, in {}; the file is damaged: take another",
        file_.path, joined(negative_, 3));
  for (auto& [parameter, tensor] : ready_) parameter->value.copy_from(tensor.to(parameter->value.dtype()));
  Context::current().compute().synchronize();  // the host's copies end here
  return report_;
}

}  // namespace

std::string LoadReport::text() const {
  std::string lines = std::to_string(matched.size()) + " tensors poured";
  std::map<std::string, std::vector<std::string>> changes;
  for (const Reshaped& r : reshaped) changes[r.how].push_back(r.name);
  for (const auto& [how, names] : changes) lines += "\n" + how + ": " + joined(names, 4);
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) lines += "\n" + std::to_string(names.size()) + " " + what + ": " + joined(names, 6);
  };
  add("left as they are", skipped);
  add("not in the file, initial values kept", missing);
  add("in the file, not in the net", unexpected);
  if (nonfinite > 0) lines += "\nwarning: " + std::to_string(nonfinite) + " values are NaN or Inf";
  return lines + "\n";
}

LoadReport load(Parameters& store, const Checkpoint& file, const std::string& model, const LoadOptions& options) {
  return Pouring(store, file, model, options).finish();
}

Checkpoint to_checkpoint(const Parameters& store, const Passport& passport) {
  Checkpoint c;
  for (const Parameter& p : store.all()) c.tensors.emplace(p.name, p.value.detached());
  c.notes = passport.to_notes();
  c.notes[layout_note] = "dactyl";
  c.format = "safetensors";
  return c;
}

}  // namespace dactyl
