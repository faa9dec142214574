// The gradient of a tensor that a convolution reads beside others: the convolution's is added where the others' lies.
#include "engine/fork.h"
#include "kernels/conv_product.h"
#include "kernels/ops.h"
#include "tests/kernels/dictated_ways.h"

namespace dactyl {
namespace {

Tensor pooled(const Tensor& x) { return max_pool(x, {.window = square(3, 1, 1)}); }
Tensor convolved(const Tensor& x, const Tensor& w) {
  return conv(x, w, {.window = square(w.shape()[1], 1, w.shape()[1] / 2)});
}

// Gradients arrive in the order opposite to the written one. x[0]: what is read, x[1], x[2]: filters.
const Op pool_comes_first = [](auto& x) {
  const Tensor y = convolved(x[0], x[1]);
  return concat({y, pooled(x[0])});
};
const Op pool_comes_last = [](auto& x) {
  const Tensor y = pooled(x[0]);
  return concat({y, convolved(x[0], x[1])});
};
const Op two_convolutions = [](auto& x) {
  const Tensor y = convolved(x[0], x[1]);
  return concat({y, convolved(x[0], x[2])});
};
const Op all_after_a_relu = [](auto& x) {
  const Tensor read = relu(x[0]), a = convolved(read, x[1]), b = convolved(read, x[2]);
  return concat({a, b, pooled(read)});
};
const Op of_a_part = [](auto& x) {
  const i64 channels = x[1].shape().channels();
  const Tensor part = split(x[0], {x[0].shape().channels() - channels, channels})[1], y = convolved(part, x[1]);
  return concat({y, pooled(part)});
};
// As a block of four branches has it.
const Op branches_come_first = [](auto& x) {
  const Tensor a = convolved(x[0], x[1]);
  Tensor b, c;
  {
    Fork fork;
    fork([&] { b = convolved(x[0], x[2]); });
    fork([&] { c = pooled(x[0]); });
  }
  return concat({a, b, c});
};

TEST(ConvSum, everything) {
  for (const i64 channels : {8, 5}) {
    const Shape one{16, 1, 1, channels}, other{channels == 8 ? 8 : 3, 1, 1, channels}, cube{4, 3, 3, channels};
    const auto x = [&] { return random({2, 3, 4, channels}); };
    const CheckOptions options{.slack = 2};
    check_op(pool_comes_first, {x(), random(one)}, options);
    check_op(pool_comes_first, {x(), fixed(random(one))}, options);
    check_op(pool_comes_first, {x(), random(cube)}, options);
    check_op(pool_comes_last, {x(), random(one)}, options);
    check_op(two_convolutions, {x(), random(one), random(other)}, options);
    check_op(two_convolutions, {x(), random(one), random(cube)}, options);
    check_op(two_convolutions, {x(), random(cube), random(one)}, options);
    check_op(all_after_a_relu, {x(), random(one), random(other)}, options);
    check_op(branches_come_first, {x(), random(one), random(other)}, options);
    check_op(of_a_part, {random({2, 3, 4, 8 + channels}), random(one)}, options);
  }
}

TEST(ConvSum, of_clips) {
  const Window pool = window({3, 3, 3}, {1, 1, 1}, {1, 1, 1}), one = window({1, 1, 1}, {1, 1, 1}, {0, 0, 0});
  const Op op = [&](auto& x) {
    const Tensor y = conv(x[0], x[1], {.window = one});
    return concat({y, max_pool(x[0], {.window = pool})});
  };
  check_op(op, {random({1, 2, 3, 3, 8}), random({24, 1, 1, 1, 8})}, {.slack = 2});
}

// y = x; tells where its gradient lies.
Tensor passed(const Tensor& x, const std::byte*& where) {
  return record("passed", {x}, x.clone(), [&where](const Tensor& dy) {
    const Tensor dx = dy.clone();
    where = dx.raw();
    return Grads{dx};
  });
}

TEST(ConvSum, is_no_tensor_of_its_own) {
  on_each_device([] {
    for (const Algorithm algorithm : {Algorithm::automatic, Algorithm::reference}) {
      if (algorithm == Algorithm::automatic && !Context::current().device().is_cuda()) continue;
      const auto filled = [](const Shape& shape, double value) { return Tensor::full(shape, value, DType::bf16); };
      const Tensor x = filled({2, 4, 4, 64}, 1).watch(), w = filled({32, 1, 1, 64}, 0.25);
      const std::byte* where = nullptr;
      Tape tape;
      const Tensor y = conv(x, w, {.window = square(1), .algorithm = algorithm}), z = passed(x, where);
      tape.backward(record("total", {y, z}, Tensor::zeros({1}, DType::bf16), [&](const Tensor&) {
        return Grads{filled(y.shape(), 1), filled(x.shape(), 3)};
      }));
      EXPECT_EQ(x.grad().raw(), where);
      EXPECT_EQ(x.grad().floats(), std::vector<float>(2048, 32 * 0.25f + 3));
    }
  });
}

TEST(ConvSum, gathers_in_a_packed_parameters_place) {
  on_each_device([] {
    Parameters store;
    const Parameter& p = store.add("p", {2, 4, 4, 16}, constant(1));
    store.initialise(1);
    store.to(Context::current().device());
    const Flat flat = store.pack();
    for (const Algorithm algorithm : {Algorithm::automatic, Algorithm::reference}) {
      flat.slots[0]->filled = false;
      const Tensor w = Tensor::full({8, 1, 1, 16}, 0.25);
      const ConvOptions options{.window = square(1), .algorithm = algorithm};
      Tape tape;
      const Tensor y = conv(p.value, w, options), z = conv(p.value, w, options);
      tape.backward(record("total", {y, z}, Tensor::zeros({1}), [&](const Tensor&) {
        return Grads{Tensor::full(y.shape(), 1), Tensor::full(y.shape(), 10)};
      }));
      EXPECT_EQ(view(flat.grads, 0, {512}).floats(), std::vector<float>(512, 22));
    }
  });
}

const std::vector<Layer> layers{
    {"I3D's joined 1×1×1", {1, 4, 28, 28, 192}, {176, 1, 1, 1, 192}, window({1, 1, 1}, {1, 1, 1}, {0, 0, 0})},
    {"I3D's at 14×14", {2, 5, 14, 14, 480}, {304, 1, 1, 1, 480}, window({1, 1, 1}, {1, 1, 1}, {0, 0, 0})},
    {"a single picture", {1, 7, 7, 832}, {448, 1, 1, 832}, square(1)},
    {"odd numbers of channels", {3, 17, 19, 5}, {7, 1, 1, 5}, square(1)},
};

class ConvSums : public ConvSearch {
 protected:
  static ConvProblem problem(const Layer& l, DType type) {
    ConvProblem p = problems(l, type)[1];
    p.adds = true;
    return p;
  }

  // The gradient of what the layer and another operation read, whose own is there first.
  static Tensor gradient(const Layer& l, DType type, Algorithm algorithm) {
    const Tensor x = noise(l.x, type, 1).watch(), dy = noise(output_shape(l.x, l.window, l.w[0]), type, 4);
    return gradient(l, x, noise(l.w, type, 2), dy, noise(l.x, type, 5), algorithm);
  }
  static Tensor gradient(const Layer& l, Tensor x, const Tensor& w, const Tensor& dy, const Tensor& dz,
                         Algorithm algorithm) {
    x = x.detached().watch();
    const std::byte* where = nullptr;
    Tape tape;
    const Tensor y = conv(x, w, {.window = l.window, .algorithm = algorithm}), z = passed(x, where);
    tape.backward(record("total", {y, z}, Tensor::zeros({1}, x.dtype()), [&](const Tensor&) { return Grads{dy, dz}; }));
    return x.grad();
  }

  // By the way that is dictated; the same bits when captured.
  void expect_right_by(const std::string& way, const Layer& l, DType type) {
    SCOPED_TRACE(std::string(l.name) + " in " + to_text(type) + " by " + way);
    std::vector<ConvProblem> sum;
    apart([&] { sum = {problem(l, type)}; });
    dictate(sum, type, [&](const ConvProblem&) { return way; });
    listen_to_plans([&](const std::string& text, bool searched, const std::string&) {
      EXPECT_FALSE(searched && texts_.count(text)) << "another way than the dictated one: " << text;
    });
    apart([&] {
      const Tensor x = noise(l.x, type, 1), w = noise(l.w, type, 2), dz = noise(l.x, type, 5),
                   dy = noise(output_shape(l.x, l.window, l.w[0]), type, 4);
      const Tensor got = gradient(l, x, w, dy, dz, Algorithm::automatic);
      EXPECT_LE(distance(got.floats(), gradient(l, type, Algorithm::reference).floats()), limit(type));
      Tensor again;
      Graph graph([&] { again = gradient(l, x, w, dy, dz, Algorithm::automatic); });
      for (int i = 0; i < 2; ++i) graph.run();
      EXPECT_TRUE(graph.captured()) << graph.why_eager();
      again.fill(0);
      graph.run();
      EXPECT_TRUE(same_bits(again, got)) << "a replayed graph";
    });
    listen_to_plans({});
  }
};

TEST_F(ConvSums, are_products_or_two_passes) {
  for (const Layer& l : layers)
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      SCOPED_TRACE(std::string(l.name) + " in " + to_text(type));
      use_folder(std::string(l.name) + to_text(type));
      std::map<std::string, std::vector<std::string>> ways;
      std::string sum;
      listen_to_ways([&](const std::string& text, const std::string& way, double) { ways[text].push_back(way); });
      apart([&] {
        sum = to_text(problem(l, type));
        const Tensor got = gradient(l, type, Algorithm::automatic), want = gradient(l, type, Algorithm::reference);
        EXPECT_LE(distance(got.floats(), want.floats()), limit(type));
      });
      listen_to_ways({});
      ASSERT_TRUE(ways.count(sum)) << sum;
      EXPECT_EQ(ways[sum].back(), "added");
      std::set<std::string> by{"added", "none"};
      for (const std::string& way : ways[sum])
        if (read_algorithm_name(way) && by.size() < 5) by.insert(way);
      EXPECT_TRUE(l.w[0] % 8 || l.x.channels() % 8 || by.size() > 2) << "no algorithm of cuBLASLt adds";
      for (const std::string& way : by) expect_right_by(way, l, type);
    }
}

}  // namespace
}  // namespace dactyl
