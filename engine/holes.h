// Which parts of a range of bytes are free.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace dactyl {

// Parts that come back beside each other are one again. Knows no memory, only where things are.
class Holes {
 public:
  // The beginning of `bytes` taken from the tightest hole that has room, of equals the first; nothing if none has.
  std::optional<std::size_t> take(std::size_t bytes) {
    const auto tightest = by_length_.lower_bound({bytes, 0});
    if (tightest == by_length_.end()) return std::nullopt;
    const auto [length, first] = *tightest;
    remove(length_.find(first));
    if (length > bytes) add(first + bytes, length - bytes);
    return first;
  }

  void give(std::size_t first, std::size_t bytes) {
    auto next = length_.lower_bound(first);
    if (next != length_.end() && next->first == first + bytes) {
      bytes += next->second;
      next = remove(next);
    }
    if (next != length_.begin())
      if (const auto before = std::prev(next); before->first + before->second == first) {
        first = before->first;
        bytes += before->second;
        remove(before);
      }
    add(first, bytes);
  }

  // Bytes free right before `end`.
  std::size_t before(std::size_t end) const {
    const auto next = length_.lower_bound(end);
    if (next == length_.begin()) return 0;
    const auto [first, length] = *std::prev(next);
    return first + length == end ? length : 0;
  }

  // Forgets `bytes` right before `end`, which are free.
  void cut(std::size_t end, std::size_t bytes) {
    if (bytes == 0) return;
    const auto last = std::prev(length_.lower_bound(end));
    const auto [first, length] = *last;
    remove(last);
    if (length > bytes) add(first, length - bytes);
  }

 private:
  using Lengths = std::map<std::size_t, std::size_t>;  // by beginning

  void add(std::size_t first, std::size_t length) {
    length_.emplace(first, length);
    by_length_.emplace(length, first);
  }
  Lengths::iterator remove(Lengths::iterator hole) {
    by_length_.erase({hole->second, hole->first});
    return length_.erase(hole);
  }

  Lengths length_;
  std::set<std::pair<std::size_t, std::size_t>> by_length_;
};

}  // namespace dactyl
