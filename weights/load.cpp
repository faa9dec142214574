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
  void find(Parameter& p);
  void fit(Parameter& p, const Tensor& tensor, const NameRow& row);
  void examine(const Parameter& p, const Tensor& t);
  bool is_spare_gamma(const Parameter& p) const;
  std::string complaints() const;

  const Checkpoint& file_;
  std::string model_;
  const LoadOptions& options_;
  bool foreign_;
  std::string channel_order_;  // as the passport says; "" if there is none
  std::span<const NameRow> rows_;
  LoadReport report_;
  std::vector<std::string> required_, wrong_type_, nonfinite_, negative_;
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
  if (foreign_) rows_ = name_rows(model);
  for (Parameter& p : store.all()) find(p);
  for (const auto& [name, tensor] : file.tensors)
    if (!used_.contains(name)) report_.unexpected.push_back(name);
}

// Files of nets whose normalisation has no gamma leave it out: it is 1. Only where the layer's statistics are there.
bool Pouring::is_spare_gamma(const Parameter& p) const {
  constexpr std::string_view leaf = "bn.weight";
  if (!p.name.ends_with(leaf)) return false;
  return file_.tensors.contains(p.name.substr(0, p.name.size() - leaf.size()) + "bn.running_mean");
}

void Pouring::find(Parameter& p) {
  const NameRow row = row_of(rows_, p.name);
  const std::string source(row.source);
  used_.insert(source);
  const auto found = file_.tensors.find(source);
  if (begins_with_any(p.name, options_.skip)) {
    report_.skipped.push_back(p.name);
  } else if (found != file_.tensors.end()) {
    fit(p, found->second, row);
  } else if (is_spare_gamma(p)) {
    report_.reshaped.push_back({p.name, "absent from the file: filled with 1"});
    ready_.emplace_back(&p, Tensor(p.value.shape(), DType::f32, Device::cpu()));
    ready_.back().second.fill(1);
  } else {
    report_.missing.push_back(p.name);
    if (!begins_with_any(p.name, options_.optional)) required_.push_back(p.name);
  }
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

void Pouring::fit(Parameter& p, const Tensor& tensor, const NameRow& row) {
  const bool convolution = foreign_ && p.value.shape().rank() >= 3;
  Shape expected = p.value.shape();  // in the file's axis order
  if (convolution) {
    for (int i = 2; i < expected.rank(); ++i) expected = expected.with(i, p.value.shape()[i - 1]);
    expected = expected.with(1, p.value.shape().channels());
  }
  if (tensor.shape() != expected || (row.flattened > 0 && expected[1] % row.flattened != 0)) {
    report_.mismatched.push_back({p.name, tensor.shape(), expected});
    return;
  }
  if (tensor.dtype() == DType::i32 || tensor.dtype() == DType::u8) {
    wrong_type_.push_back(p.name + " (" + to_text(tensor.dtype()) + ")");
    return;
  }
  Tensor t = tensor.to(p.value.dtype());
  examine(p, t);
  const auto note = [&](const char* how) { report_.reshaped.push_back({p.name, how}); };
  if (convolution) t = channels_last(t), note("axes (O, I, k…) -> (O, k…, I)");
  if (row.flattened > 0) t = channels_last_columns(t, row.flattened), note("columns (C, H, W) -> (H, W, C)");
  const bool bgr = channel_order_.empty() ? row.input == Channels::bgr : channel_order_ == "bgr";
  if (row.input == Channels::bgr && bgr) t = red_and_blue_swapped(t), note("channels BGR -> RGB");
  report_.matched.push_back(p.name);
  ready_.emplace_back(&p, std::move(t));
}

std::string joined(const std::vector<std::string>& names, std::size_t limit = SIZE_MAX) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < limit; ++i) text += (i ? ", " : "") + names[i];
  return text + (names.size() > limit ? " and " + std::to_string(names.size() - limit) + " more" : "");
}

std::string Pouring::complaints() const {
  std::string text;
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) text += "; " + std::to_string(names.size()) + " " + what + ": " + joined(names);
  };
  std::vector<std::string> shapes;
  for (const LoadReport::Mismatch& m : report_.mismatched)
    shapes.push_back(m.name + " (file " + to_text(m.file) + ", expected " + to_text(m.model) + ")");
  add("missing", required_);
  add("of another shape", shapes);
  add("of a type that is no weight", wrong_type_);
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
