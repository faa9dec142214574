// Max-pooling by 3×3 with stride 1: a thread walks through the rows of a column. Rims are asked for once: a column that
// is not there keeps what loses every comparison, a row that is not there is skipped. Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_strips.h"
#include "kernels/fast/peak.h"

namespace dactyl::fast {

// Down: a row's maxima of three serve three results. Earlier taps win ties at each level, so the first of all nine
// wins.
template <class T, bool with_taps>
struct SquareForward {
  Strips strips;
  PlaneRows<const T> x;
  PlaneRows<T> y;
  PlaneRows<std::uint8_t> taps;
  int low[2];  // rows and columns of padding

  HD void operator()(unsigned i) const {
    Strip s;
    if (!strips.find(i, s)) return;
    Run run(*this, s);
    Peak<T> a, b, c;
    while (run.result < run.results) {
      run.step(a, b, c);
      run.step(b, c, a);
      run.step(c, a, b);
    }
  }

  struct Run {
    const SquareForward& p;
    int results, result = -2;  // of the strip: how many; number of the next to be complete
    int h, rows;               // the row of x on its way; the end of those to come
    unsigned columns;          // of x
    std::uintptr_t x, y, taps;
    Pack<Word> row[3];

    HD Run(const SquareForward& of, const Strip& s)
        : p(of), results(s.end - s.first), h(s.first - of.low[0]), rows(h + results + 2) {
      if (rows > p.x.height) rows = p.x.height;
      columns = p.x.three_columns(s.w - p.low[1], 1);
      x = p.x.at(s.plane, h, s.w - p.low[1], s.channel);
      y = p.y.at(s.plane, s.first - 2, s.w, s.channel);
      taps = p.taps.at(s.plane, s.first - 2, s.w, s.channel);
      for (Pack<Word>& pack : row) pack = Best<T>::nothing();
      ask();
    }
    HD static bool within(int i, int n) { return static_cast<unsigned>(i) < static_cast<unsigned>(n); }
    HD unsigned there() const { return within(h, rows) ? columns : 0; }
    HD void ask() {
      const unsigned inside = there();
      for (int c = 0; c < 3; ++c)
        if (inside >> c & 1) row[c] = load_at<Pack<Word>>(x + static_cast<std::uintptr_t>(c * p.x.column));
    }
    // `two` rows were met before, of one result, and the last of them alone.
    HD void step(Peak<T>& two, Peak<T>& last, Peak<T>& now) {
      if (there()) {
        now = Peak<T>(row[0]);
        now.update(row[1], 1);
        now.update(row[2], 2);
      } else {
        now = {};
      }
      ++h;
      x += static_cast<std::uintptr_t>(p.x.row);
      ask();
      two.update(now, 6);
      last.update(now, 3);
      if (within(result, results)) {
        two.store(reinterpret_cast<T*>(y));
        if constexpr (with_taps) two.store_taps(reinterpret_cast<std::uint8_t*>(taps));
      }
      ++result;
      y += static_cast<std::uintptr_t>(p.y.row);
      taps += static_cast<std::uintptr_t>(p.taps.row);
    }
  };
};

}  // namespace dactyl::fast
