// Filters in another layout, kept while the plain ones do not change (Tensor::stamp). Internal to the kernels.
#pragma once

#include <unordered_map>
#include <vector>

#include "engine/tensor.h"

namespace dactyl {

// By the address of the plain filters, and by layout. Belongs to one thread.
template <class Layout>
class Kept {
 public:
  // The filters `w` in this layout: those kept, or what make() gives.
  template <class Make>
  Tensor get(const Tensor& w, const Layout& layout, const Make& make) {
    std::vector<Entry>& entries = all_[w.raw()];
    std::erase_if(entries, [&](const Entry& e) {
      const bool stale = e.stamp != w.stamp();
      held_ -= stale ? e.numbers.bytes() : 0;
      return stale;
    });
    for (const Entry& e : entries)
      if (e.layout == layout) return e.numbers;
    const Tensor numbers = make();
    keep(w, layout, numbers);
    return numbers;
  }

 private:
  static constexpr i64 limit = i64{512} << 20;  // bytes; past it everything is forgotten and made anew
  struct Entry {
    std::uint64_t stamp;
    Layout layout;
    Tensor numbers;
  };

  void keep(const Tensor& w, const Layout& layout, const Tensor& numbers) {
    if (held_ + numbers.bytes() > limit) {
      all_.clear();
      held_ = 0;
    }
    held_ += numbers.bytes();
    all_[w.raw()].push_back({w.stamp(), layout, numbers});
  }

  std::unordered_map<const void*, std::vector<Entry> > all_;
  i64 held_ = 0;
};

}  // namespace dactyl
