// Counting on the device: hits, numbers that are none, steps. The host reads the counters when it likes.
#include "engine/reduce.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

struct Counts {
  double samples = 0, first = 0, fifth = 0;
  HD Counts& operator+=(const Counts& o) {
    samples += o.samples;
    first += o.first;
    fifth += o.fifth;
    return *this;
  }
};

// The rank of the label's score: how many others are larger, or equal and earlier. A NaN is never a hit.
template <class T>
void rank_labels(const Tensor& scores, const Tensor& labels, float* rank) {
  using C = compute_t<T>;
  const i64 classes = scores.shape().channels(), pitch = scores.pitch();
  const T* x = scores.data<T>();
  const std::int32_t* label = labels.data<std::int32_t>();
  fold_rows<float>(
      scores.device(), scores.shape().rows(), classes,
      [=] HD(i64 r, i64 c) {
        const i64 l = label[r];
        if (l < 0 || l >= classes) return 1.0f;
        const C other = C(x[r * pitch + c]), own = C(x[r * pitch + l]);
        return other < own || (other == own && c >= l) ? 0.0f : 1.0f;
      },
      [=] HD(i64 r, float better) { rank[r] = label[r] >= 0 && label[r] < classes ? better : INFINITY; });
}

template <class L>
void add_counts(const Tensor& counters, const Tensor& loss, const Tensor& labels, const float* rank) {
  double* total = counters.data<double>();
  const L* mean_loss = loss.data<L>();
  const std::int32_t* label = labels.data<std::int32_t>();
  fold_rows<Counts>(
      counters.device(), 1, labels.count(),
      [=] HD(i64, i64 i) {
        return label[i] < 0 ? Counts{} : Counts{1, rank[i] < 1 ? 1.0 : 0.0, rank[i] < 5 ? 1.0 : 0.0};
      },
      [=] HD(i64, Counts sum) {
        total[0] += static_cast<double>(compute_t<L>(*mean_loss)) * sum.samples;
        total[1] += sum.samples;
        total[2] += sum.first;
        total[3] += sum.fifth;
      });
}

// In two steps, so that a long buffer occupies the whole GPU.
template <class T>
void count_bad(const Tensor& counter, const Tensor& x) {
  const i64 n = x.count(), parts = std::min<i64>(1024, (n + 255) / 256), length = (n + parts - 1) / parts;
  const i64 channels = x.shape().channels(), pitch = x.pitch();
  Tensor partial({parts}, DType::f32, x.device());
  const T* numbers = x.data<T>();
  float *bad = partial.data<float>(), *total = counter.data<float>();
  fold_rows<float>(
      x.device(), parts, length,
      [=] HD(i64 part, i64 j) {
        const i64 i = part * length + j;
        if (i >= n) return 0.0f;
        const auto v = compute_t<T>(numbers[pitch == channels ? i : i / channels * pitch + i % channels]);
        return v - v == 0 ? 0.0f : 1.0f;
      },
      [=] HD(i64 part, float sum) { bad[part] = sum; });
  fold_rows<float>(
      x.device(), 1, parts, [=] HD(i64, i64 part) { return bad[part]; }, [=] HD(i64, float sum) { *total += sum; });
}

template <class I>
void add_one(Device device, I* counter) {
  each(device, 1, [=] HD(i64) { *counter += 1; });
}

}  // namespace

void count_hits(const Tensor& counters, const Tensor& loss, const Tensor& scores, const Tensor& labels) {
  check(scores.shape().rank() == 2 && labels.shape() == Shape{scores.shape()[0]} && labels.dtype() == DType::i32,
        "count_hits: scores {} and labels {} {} do not fit", scores.shape(), labels.dtype(), labels.shape());
  check(counters.shape() == Shape{4} && counters.dtype() == DType::f64 && loss.count() == 1,
        "count_hits: counters {} {} must be f64 (4), loss {} one number", counters.dtype(), counters.shape(),
        loss.shape());
  Tensor rank(labels.shape(), DType::f32, scores.device());
  with_float(scores.dtype(), [&]<class T>() { rank_labels<T>(scores, labels, rank.data<float>()); });
  with_float(loss.dtype(), [&]<class L>() { add_counts<L>(counters, loss, labels, rank.data<float>()); });
}

void count_nonfinite(const Tensor& counter, const Tensor& x) {
  check(counter.count() == 1 && counter.dtype() == DType::f32, "count_nonfinite: counter {} {} must be f32 (1)",
        counter.dtype(), counter.shape());
  if (x.count() == 0) return;
  with_float(x.dtype(), [&]<class T>() { count_bad<T>(counter, x); });
}

void increment(const Tensor& counter) {
  check(counter.count() == 1, "increment: {} is not one number", counter.shape());
  add_one(counter.device(), counter.data<std::int32_t>());
}

}  // namespace dactyl
