// A net as a table of layers, read off a pass of one sample through the net itself, so that it can't drift from what is
// computed. Convolutions and matrix products, the work of a pass, are left out of it: only shapes matter.
#include <algorithm>

#include "nets/nets.h"

namespace dactyl {
namespace {

bool below(const std::string& parameter, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& p) {
    return parameter.starts_with(p) && parameter.size() > p.size() &&
           (parameter[p.size()] == '.' || parameter[p.size()] == '/');
  });
}

// Adds a layer's learnable numbers, and one multiply-accumulate per weight and position.
void weigh(LayerRow& row, const Parameters& store, i64 positions) {
  for (const Parameter& p : store.all()) {
    if (p.statistic || !p.name.starts_with(row.name + ".")) continue;
    row.parameters += p.value.count();
    if (p.value.shape().rank() > 1) row.macs += positions * p.value.count();
  }
}

// The last operation's line, if it was one of this kind.
std::string line_of(const std::string& kind, const OperationTrace& trace) {
  const auto& all = trace.operations();
  const auto last = std::find_if(all.rbegin(), all.rend(), [](const Operation& o) { return !o.what.empty(); });
  return last != all.rend() && last->name == kind ? last->what : "";
}

}  // namespace

ModelTable tabulate(const Model& model) {
  ModelTable table;
  const OperationTrace trace;
  Pass pass;
  pass.tap = [&](const std::string& name, const Tensor& y) {
    const auto kind = model.kinds.find(name);
    LayerRow row{name, kind == model.kinds.end() ? "" : kind->second, y.shape()};
    if (row.kind == "conv" || row.kind == "linear") {
      weigh(row, *model.parameters, y.shape().rows());
      row.line = line_of(row.kind, trace);
    }
    if (row.kind == "lstm") weigh(row, *model.parameters, table.rows.back().output.rows());  // the steps it came from
    table.macs += row.macs;
    table.rows.push_back(row);
  };
  Use place(Context::current().device());
  place.context().shapes_only = true;
  model.forward(Tensor::zeros(model.input.shape(1)), pass);
  for (const Parameter& p : model.parameters->all()) {
    const i64 n = p.value.count();
    const bool side = below(p.name, model.auxiliary);
    if (!p.statistic) table.parameters_with_auxiliary += n;
    if (!p.statistic && !side) table.parameters += n;
    if (!side) table.stored += n;
  }
  return table;
}

}  // namespace dactyl
