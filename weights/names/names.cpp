// From a model's name and what a file holds to the places of its parameters there.
#include "weights/names/names.h"

#include <array>

#include "weights/names/alexnet.h"
#include "weights/names/googlenet.h"
#include "weights/names/i3d.h"
#include "weights/names/mobilenet.h"

namespace dactyl {
namespace {

// Files with our names but for a few rows.
Sources by_rows(std::span<const NameRow> rows) {
  return [rows](const std::string& parameter) {
    for (const NameRow& row : rows)
      if (row.name == parameter) return Source{std::string(row.source), Axes::outputs_first, row.flattened, row.input};
    return Source{parameter};
  };
}

struct Leaf {
  std::string_view ours;
  std::string_view Dialect::*theirs;
};
// The longer ones first: ".conv.weight" also ends with ".weight".
constexpr std::array<Leaf, 7> leaves{{{".conv.weight", &Dialect::weight},
                                      {".bn.weight", &Dialect::gamma},
                                      {".bn.bias", &Dialect::beta},
                                      {".bn.running_mean", &Dialect::mean},
                                      {".bn.running_var", &Dialect::variance},
                                      {".weight", &Dialect::weight},
                                      {".bias", &Dialect::bias}}};

// `unit_there`: a unit's name in the file, from ours.
Source by_dialect(const Dialect& dialect, const std::string& parameter,
                  const std::function<std::string_view(std::string_view)>& unit_there) {
  for (const Leaf& leaf : leaves) {
    if (!parameter.ends_with(leaf.ours)) continue;
    const std::string_view unit = std::string_view(parameter).substr(0, parameter.size() - leaf.ours.size());
    const bool weight = leaf.theirs == &Dialect::weight;
    const bool depthwise = weight && unit.find("_dw_") != unit.npos;
    return {std::string(dialect.prefix) + std::string(unit_there(unit)) +
                std::string(depthwise ? dialect.depthwise : dialect.*leaf.theirs),
            depthwise ? Axes::depthwise : dialect.axes};
  }
  return {parameter};
}

Sources i3d_sources(const std::function<bool(const std::string&)>& holds) {
  Sources first;
  for (const I3dDialect& dialect : i3d_dialects) {
    const auto unit_there = [&dialect](std::string_view unit) {
      for (const I3dUnit& u : i3d_units)
        if (u.name == unit) return u.*dialect.unit;
      return dialect.head;
    };
    const Sources sources = [&dialect, unit_there](const std::string& parameter) {
      return by_dialect(dialect.leaves, parameter, unit_there);
    };
    if (!first) first = sources;
    if (holds(sources("Conv3d_1a_7x7.conv.weight").name)) return sources;
  }
  return first;
}

}  // namespace

Sources sources_of(const std::string& model, const std::function<bool(const std::string&)>& holds) {
  if (model == "alexnet") return by_rows(alexnet_names);
  if (model == "alexnet-torchvision") return by_rows(alexnet_torchvision_names);
  if (model == "googlenet") return by_rows(googlenet_names);
  if (model == "googlenet-bn") return by_rows(googlenet_bn_names);
  if (model == "i3d") return i3d_sources(holds);
  check(Exit::usage, model.starts_with("mobilenet"),
        "foreign weights can be poured into alexnet, alexnet-torchvision, googlenet, googlenet-bn, i3d and mobilenet, "
        "not into {}",
        model);
  return [](const std::string& parameter) {
    return by_dialect(mobilenet_keras, parameter, [](std::string_view unit) { return unit; });
  };
}

}  // namespace dactyl
