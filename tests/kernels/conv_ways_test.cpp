// On the GPU: convolutions of one tap as matrix products, and results that are slices of wider tensors, in all their
// ways, against the reference loops; linear layers.
#include "kernels/conv_product.h"
#include "tests/kernels/dictated_ways.h"

namespace dactyl {
namespace {

const Window cube = window({3, 3, 3}, {1, 1, 1}, {1, 1, 1}), one = window({1, 1, 1}, {1, 1, 1}, {0, 0, 0});
const std::vector<Layer> products{
    {"I3D's 1×1×1", {1, 4, 28, 28, 192}, {64, 1, 1, 1, 192}, one},
    {"I3D's 1×1×1 into a slice", {1, 4, 28, 28, 192}, {64, 1, 1, 1, 192}, one, 1, 256, 64},
    {"a single picture", {1, 14, 14, 480}, {192, 1, 1, 480}, square(1)},
    {"odd numbers of channels", {3, 17, 19, 5}, {7, 1, 1, 5}, square(1)},
    {"an unaligned slice", {3, 17, 19, 24}, {9, 1, 1, 24}, square(1), 1, 37, 3},
    {"a slice aligned to 8 bytes", {2, 9, 9, 24}, {12, 1, 1, 24}, square(1), 1, 40, 4},
};
const std::vector<Layer> slices{
    {"I3D's 3×3×3 into a slice", {1, 4, 28, 28, 96}, {128, 3, 3, 3, 96}, cube, 1, 256, 64},
    {"GoogLeNet's 5×5 into a slice", {1, 28, 28, 16}, {32, 5, 5, 16}, square(5, 1, 2), 1, 256, 192},
    {"a grouped one into an unaligned slice", {2, 9, 11, 6}, {4, 3, 3, 3}, square(3, 2, 1), 2, 11, 5},
};
const DType types[] = {DType::f32, DType::bf16, DType::f16};

class ConvWays : public ConvSearch {
 protected:
  using Ways = std::map<std::string, std::vector<std::string>>;  // by problem, as they were timed

  // What a search tries for a layer, the numbers compared on the way.
  Ways tried(const Layer& l, DType type) {
    SCOPED_TRACE(std::string(l.name) + " in " + to_text(type));
    use_folder("searched " + std::to_string(++searched_));
    Ways ways;
    listen_to_ways([&](const std::string& problem, const std::string& way, double seconds) {
      EXPECT_GT(seconds, 0);
      ways[problem].push_back(way);
    });
    apart([&] {
      const auto got = passes(l, type, Algorithm::library, true), want = passes(l, type, Algorithm::reference, true);
      for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LE(distance(got[i], want[i]), limit(type)) << i;
    });
    listen_to_ways({});
    return ways;
  }

  // The n-th matrix product that was tried for a problem, the last if there are fewer.
  static std::string nth_product(const Ways& ways, const ConvProblem& p, std::size_t n) {
    std::vector<std::string> names;
    if (const auto found = ways.find(to_text(p)); found != ways.end())
      for (const std::string& way : found->second)
        if (read_algorithm_name(way)) names.push_back(way);
    return names.empty() ? "" : names[std::min(n, names.size() - 1)];
  }

 private:
  int searched_ = 0;
};

TEST_F(ConvWays, of_one_tap_are_matrix_products_by_any_algorithm) {
  for (const Layer& l : products)
    for (const DType type : types) {
      const Ways ways = tried(l, type);
      apart([&] {
        for (const ConvProblem& p : problems(l, type))
          EXPECT_TRUE(p.ins % 8 || p.outs % 8 || !nth_product(ways, p, 0).empty())
              << "no algorithm of cuBLASLt is right for the " << to_text(p);
      });
      for (const std::size_t n : {0, 7})
        expect_right(
            l, type, [&](const ConvProblem& p) { return nth_product(ways, p, n); }, true);
    }
}

TEST_F(ConvWays, of_slices_are_tried_densely_and_in_place) {
  for (const Layer& l : slices)
    for (const DType type : types) {
      const Ways ways = tried(l, type);
      std::string forward;
      apart([&] { forward = to_text(problems(l, type)[0]); });
      ASSERT_TRUE(ways.count(forward)) << forward;
      EXPECT_EQ(ways.at(forward).front(), "placed");
      if (type == DType::bf16)  // each costs searches of the gradients
        expect_right(
            l, type, [](const ConvProblem& p) { return p.is_slice() ? "placed" : ""; }, false);
    }
}

TEST_F(ConvWays, leave_what_lies_beside_a_slice) {
  for (const Layer& l : {products[1], products[4], products[5], slices[0], slices[2]})
    for (const DType type : types)
      apart([&] {
        SCOPED_TRACE(std::string(l.name) + " in " + to_text(type));
        const Tensor wide = Tensor::full(output_shape(l.x, l.window, l.into), 3, type);
        const Tensor y = wide.slice(l.first, l.w[0]);
        const ConvOptions options{
            .window = l.window, .groups = l.groups, .bias = noise({l.w[0]}, type, 3), .relu = true};
        ConvOptions into = options, reference = options;
        into.into = y;
        reference.algorithm = Algorithm::reference;
        const Tensor x = noise(l.x, type, 1), w = noise(l.w, type, 2);
        const Tensor want = conv(x, w, reference), before = wide.clone();
        conv(x, w, into);
        EXPECT_LE(distance(y.floats(), want.floats()), limit(type));
        before.slice(l.first, l.w[0]).copy_from(y);
        EXPECT_TRUE(same_bits(wide, before));
        Graph graph([&] { conv(x, w, into); });
        for (int i = 0; i < 2; ++i) graph.run();
        EXPECT_TRUE(graph.captured()) << graph.why_eager();
        Tensor(y).fill(0);
        graph.run();
        EXPECT_TRUE(same_bits(wide, before)) << "a replayed graph";
      });
}

TEST_F(ConvWays, linear_layers_are_searched_once) {
  for (const Shape& x : {Shape{1, 1024}, Shape{37, 1024}, Shape{3, 37}})
    for (const DType type : types) {
      const auto all = [&](Algorithm algorithm) {
        const Tensor rows = noise(x, type, 1).watch(), w = noise({100, x[1]}, type, 2).watch();
        Tape tape;
        const Tensor y = linear(rows, w, {.bias = noise({100}, type, 3), .algorithm = algorithm});
        tape.backward(record("projection", {y}, Tensor::zeros({1}, type),
                             [&](const Tensor&) { return Grads{noise(y.shape(), type, 4)}; }));
        return std::vector{y.floats(), rows.grad().floats(), w.grad().floats()};
      };
      std::vector<std::vector<float>> first, second, want;
      use_folder("linear " + to_text(x) + to_text(type));
      const PlanCounts none = plan_counts();
      apart([&] { first = all(Algorithm::library), want = all(Algorithm::reference); });
      const PlanCounts searched = plan_counts();
      apart([&] { second = all(Algorithm::library); });
      SCOPED_TRACE(to_text(x) + " in " + to_text(type));
      EXPECT_EQ(searched.searched, none.searched + 3);
      EXPECT_EQ(plan_counts().searched, searched.searched);
      EXPECT_EQ(first, second) << "the same algorithms give the same bits";
      for (std::size_t i = 0; i < first.size(); ++i) EXPECT_LE(distance(first[i], want[i]), limit(type)) << i;
    }
}

}  // namespace
}  // namespace dactyl
