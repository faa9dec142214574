#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(CountHits, adds_loss_samples_and_hits) {
  on_each_device([] {
    // The label's score is 1st, 2nd, 6th and (no label) nothing.
    const Tensor scores = Tensor::from({4, 6}, std::vector<float>{9, 1, 2, 3, 4, 5,  //
                                                                  9, 8, 2, 3, 4, 5,  //
                                                                  9, 8, 7, 6, 5, 4,  //
                                                                  9, 8, 7, 6, 5, 4});
    const Tensor labels = Tensor::from({4}, std::vector<std::int32_t>{0, 1, 5, -1});
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      const Tensor counters = Tensor::zeros({4}, DType::f64);
      for (int i = 0; i < 2; ++i) count_hits(counters, Tensor::scalar(1.5), scores.to(type), labels);
      EXPECT_EQ(numbers(counters), (std::vector<double>{9, 6, 2, 4}));
    }
  });
}

TEST(CountHits, ties_go_to_the_first_class_and_nan_is_no_hit) {
  on_each_device([] {
    const auto hits = [](const std::vector<float>& scores, std::int32_t label) {
      const Tensor counters = Tensor::zeros({4}, DType::f64);
      count_hits(counters, Tensor::scalar(0), Tensor::from({1, 3}, scores), Tensor::from({1}, std::vector{label}));
      return numbers(counters)[2];
    };
    EXPECT_EQ(hits({1, 1, 1}, 0), 1);
    EXPECT_EQ(hits({1, 1, 1}, 1), 0);
    EXPECT_EQ(hits({NAN, 1, 2}, 0), 0);
    EXPECT_EQ(hits({NAN, 1, 2}, 2), 0);
    EXPECT_EQ(hits({1, 2, 3}, 3), 0);
  });
}

TEST(CountHits, refuses_nonsense) {
  const Tensor counters = Tensor::zeros({4}, DType::f64), one = Tensor::scalar(0);
  const Tensor labels = Tensor::from({2}, std::vector<std::int32_t>{0, 1});
  expect_error([&] { count_hits(counters, one, Tensor::zeros({3, 4}), labels); }, {"(3, 4)", "(2)"});
  expect_error([&] { count_hits(Tensor::zeros({3}), one, Tensor::zeros({2, 4}), labels); }, {"f32 (3)"});
}

TEST(CountNonfinite, finds_them_wherever_they_are) {
  on_each_device([] {
    std::vector<float> values(300001, 1);
    for (const std::size_t at : {0u, 255u, 256u, 150000u, 300000u}) values[at] = at % 2 ? NAN : INFINITY;
    values[77] = std::numeric_limits<float>::max();
    const Tensor x = Tensor::from({300001}, values), counter = Tensor::zeros({1});
    count_nonfinite(counter, x);
    EXPECT_EQ(counter.item(), 5);
    count_nonfinite(counter, x.to(DType::f64));
    count_nonfinite(counter, x.to(DType::bf16));  // the largest float rounds to infinity
    EXPECT_EQ(counter.item(), 16);
    count_nonfinite(counter, Tensor::zeros({0}));
    EXPECT_EQ(counter.item(), 16);
  });
}

TEST(CountNonfinite, looks_only_at_the_slice) {
  on_each_device([] {
    const Tensor counter = Tensor::zeros({1}), outer = Tensor::full({5, 6}, NAN);
    outer.slice(2, 3).fill(1);
    count_nonfinite(counter, outer.slice(2, 3));
    EXPECT_EQ(counter.item(), 0);
    count_nonfinite(counter, outer.slice(1, 3));
    EXPECT_EQ(counter.item(), 5);
  });
}

TEST(Increment, counts) {
  on_each_device([] {
    const Tensor counter = Tensor::zeros({1}, DType::i32);
    for (int i = 0; i < 3; ++i) increment(counter);
    EXPECT_EQ(counter.item(), 3);
    expect_error([] { increment(Tensor::zeros({2}, DType::i32)); }, {"increment", "(2)"});
  });
}

}  // namespace dactyl
