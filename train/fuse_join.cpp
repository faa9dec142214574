// Which samples streams have in common.
#include <algorithm>
#include <map>

#include "train/data/labelled.h"
#include "train/fuse.h"
#include "weights/text.h"

namespace dactyl {
namespace {

using Index = std::map<std::string, i64>;  // a name's row

Index index_of(const std::vector<std::string>& names) {
  Index index;
  for (const std::string& name : names) index.emplace(name, static_cast<i64>(index.size()));
  return index;
}

void check_labels(const LogitStream& a, const LogitStream& b) {
  const auto &x = a.logits.labels, &y = b.logits.labels;
  check(Exit::data, x.size() == y.size(), "fuse: {} has {} classes, {} has {}; both must know the same ones", a.name,
        x.size(), b.name, y.size());
  const auto at = static_cast<std::size_t>(std::mismatch(x.begin(), x.end(), y.begin()).first - x.begin());
  check(Exit::data, at == x.size(), "fuse: class {} is {} in {} and {} in {}; both must have the same, in one order",
        at + 1, shown(x[std::min(at, x.size() - 1)]), a.name, shown(y[std::min(at, x.size() - 1)]), b.name);
}

std::vector<std::string> common(const std::vector<Index>& streams) {
  std::vector<std::string> names;
  for (const auto& [name, row] : streams.front())
    if (std::all_of(streams.begin(), streams.end(), [&](const Index& s) { return s.contains(name); }))
      names.push_back(name);
  return names;
}

std::vector<Index> indices_of(const std::vector<LogitStream>& streams, bool shorten) {
  std::vector<Index> all;
  for (const LogitStream& s : streams)
    all.push_back(index_of(shorten ? without_common_folder(s.logits.names) : s.logits.names));
  return all;
}

Logits chosen(const Logits& from, const Index& rows, const std::vector<std::string>& names) {
  Logits to{from.path, from.labels, names, {}, {}};
  for (const std::string& name : names) {
    const i64 row = rows.at(name);
    to.truth.push_back(from.truth[static_cast<std::size_t>(row)]);
    to.values.insert(to.values.end(), from.row(row), from.row(row) + from.classes());
  }
  return to;
}

std::vector<Missing> missing(const std::vector<LogitStream>& streams, const std::vector<Index>& indices) {
  Index all;
  for (const Index& index : indices) all.insert(index.begin(), index.end());
  std::vector<Missing> found;
  for (std::size_t s = 0; s < streams.size(); ++s) {
    Missing m{streams[s].name, 0, ""};
    for (const auto& [name, row] : all)
      if (!indices[s].contains(name) && m.samples++ == 0) m.example = name;
    if (m.samples > 0) found.push_back(m);
  }
  return found;
}

void check_truths(const LogitStream& a, const LogitStream& b) {
  const auto at = static_cast<std::size_t>(
      std::mismatch(a.logits.truth.begin(), a.logits.truth.end(), b.logits.truth.begin()).first -
      a.logits.truth.begin());
  if (at == a.logits.truth.size()) return;
  const auto label = [&](const LogitStream& s) {
    return shown(s.logits.labels[static_cast<std::size_t>(s.logits.truth[at])]);
  };
  fail(Exit::data, "fuse: sample {} is {} in {} and {} in {}; all streams must be evaluated on the same data",
       {shown(a.logits.names[at]), label(a), a.name, label(b), b.name});
}

}  // namespace

std::vector<Missing> join(std::vector<LogitStream>& streams) {
  check(!streams.empty(), "fuse: no streams");
  for (const LogitStream& s : streams) check_labels(streams.front(), s);
  std::vector<Index> indices = indices_of(streams, false);
  std::vector<std::string> names = common(indices);
  if (names.empty()) {
    indices = indices_of(streams, true);
    names = common(indices);
  }
  for (const LogitStream& s : streams) {
    const LogitStream& first = streams.front();
    check(Exit::data, s.logits.samples() > 0, "{}: holds no sample", s.logits.path);
    check(Exit::data, !names.empty(), "fuse: no sample is in all streams; {} has {}, {} has {}", first.name,
          shown(first.logits.names.front()), streams.back().name,
          streams.back().logits.names.empty() ? "none" : shown(streams.back().logits.names.front()));
  }
  const std::vector<Missing> left_out = missing(streams, indices);
  for (std::size_t s = 0; s < streams.size(); ++s) streams[s].logits = chosen(streams[s].logits, indices[s], names);
  for (const LogitStream& s : streams) check_truths(streams.front(), s);
  return left_out;
}

}  // namespace dactyl
