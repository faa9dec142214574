// Max-pooling by 3×3 with stride 1 or 2: a thread walks down through the rows of a column. Earlier taps win ties at
// each level, so the first of all nine wins. Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_strips.h"
#include "kernels/fast/peak.h"

namespace dactyl::fast {

// Maxima of three columns, row by row. Rims are asked for once: a column that is not there keeps what loses every
// comparison, a row that is not there has no maxima.
template <class T>
struct RowMaxima {
  const PlaneRows<const T>& from;
  std::uintptr_t x;  // the row on its way
  unsigned columns;  // those there are
  int h, end;        // of the rows there are
  Pack<Word> three[3];

  HD RowMaxima(const PlaneRows<const T>& rows, int plane, int first, int count, int w, int channel)
      : from(rows),
        x(from.at(plane, first, w, channel)),
        columns(from.three_columns(w, 1)),
        h(first),
        end(first + count < from.height ? first + count : from.height) {
    for (Pack<Word>& pack : three) pack = Best<T>::nothing();
    ask();
  }
  HD bool there() const { return static_cast<unsigned>(h) < static_cast<unsigned>(end); }
  HD void ask() {
    const unsigned inside = there() ? columns : 0;
    for (int c = 0; c < 3; ++c)
      if (inside >> c & 1) three[c] = load_at<Pack<Word>>(x + static_cast<std::uintptr_t>(c * from.column));
  }
  // The next row's; the one after it is asked for.
  HD void take(Peak<T>& peak) {
    if (there()) {
      peak = Peak<T>(three[0]);
      peak.update(three[1], 1);
      peak.update(three[2], 2);
    } else {
      peak = {};
    }
    ++h;
    x += static_cast<std::uintptr_t>(from.row);
    ask();
  }
};

template <class T, int stride, bool with_taps>
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
    if constexpr (stride == 2) run.rows.take(a);
    while (run.result < run.results) {
      if constexpr (stride == 2) {
        run.two_rows(a);
      } else {
        run.one_row(a, b, c);
        run.one_row(b, c, a);
        run.one_row(c, a, b);
      }
    }
  }

  struct Run {
    const SquareForward& p;
    int results, result = stride == 2 ? 0 : -2;  // of the strip: how many; number of the next to be complete
    std::uintptr_t y, taps;
    RowMaxima<T> rows;

    HD Run(const SquareForward& of, const Strip& s)
        : p(of),
          results(s.end - s.first),
          y(of.y.at(s.plane, s.first + result, s.w, s.channel)),
          taps(of.taps.at(s.plane, s.first + result, s.w, s.channel)),
          rows(of.x, s.plane, s.first * stride - of.low[0], (results - 1) * stride + 3, s.w * stride - of.low[1],
               s.channel) {}
    // `two` rows were met before, of one result, and the last of them alone.
    HD void one_row(Peak<T>& two, Peak<T>& last, Peak<T>& now) {
      rows.take(now);
      two.update(now, 6);
      last.update(now, 3);
      store(two);
    }
    // The row before is this window's first, its last the next window's.
    HD void two_rows(Peak<T>& before) {
      Peak<T> best = before, now;
      rows.take(now);
      best.update(now, 3);
      rows.take(before);
      best.update(before, 6);
      store(best);
    }
    HD void store(const Peak<T>& best) {
      if (static_cast<unsigned>(result) < static_cast<unsigned>(results)) {
        best.store(reinterpret_cast<T*>(y));
        if constexpr (with_taps) best.store_taps(reinterpret_cast<std::uint8_t*>(taps));
      }
      ++result;
      y += static_cast<std::uintptr_t>(p.y.row);
      taps += static_cast<std::uintptr_t>(p.taps.row);
    }
  };
};

}  // namespace dactyl::fast
