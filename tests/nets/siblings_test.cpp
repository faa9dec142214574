// Units on one input, together and each on its own.
#include "nets/siblings.h"
#include "engine/context.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

struct Units {
  Parameters store;
  std::vector<ConvUnit> units;
  Flat flat;
  Tensor x, dy;

  explicit Units(bool gamma) {
    const Style style{.weight = he(), .norm = true, .gamma = gamma};
    for (const auto& [name, outs] : {std::pair("a", 32), {"b", 16}, {"c", 64}})
      units.emplace_back(Scope{store, name}, 16, outs, kernel(1), style);
    store.initialise(1);
    store.to(Context::current().device());
    flat = store.pack();
    x = random({2, 3, 4, 16}).value.to(DType::f32).to(flat.values.device()).watch();
    dy = random({2, 3, 4, 112}).value.to(DType::f32).to(x.device());
  }

  // Results and gradients of the input and of all that learns.
  std::vector<Tensor> step(bool together, const std::string& tapped = "") {
    for (const auto& slot : flat.slots) slot->filled = false;
    x.slot()->filled = false;
    Pass pass{.training = true};
    std::vector<std::string> seen;
    if (!tapped.empty()) pass.tap = [&](const std::string& name, const Tensor&) { seen.push_back(name); };
    Tape tape;
    const Tensor joined = concat(together ? at_once(pass) : apart(pass));
    tape.backward(record("total", {joined}, Tensor::zeros({1}), [&](const Tensor&) { return Grads{dy}; }));
    if (!tapped.empty()) {
      EXPECT_NE(std::find(seen.begin(), seen.end(), tapped), seen.end()) << tapped;
    }
    return {joined.detached(), x.grad().clone(), flat.grads.clone()};
  }

  std::vector<Tensor> apart(Pass& pass) const { return {units[0](x, pass), units[1](x, pass), units[2](x, pass)}; }
  std::vector<Tensor> at_once(Pass& pass) const {
    const std::vector<Tensor> z = convolved_together(x, {&units[0], &units[1], &units[2]});
    return normalised_together({{units[0], z[0], {}}, {units[1], z[1], {}}, {units[2], z[2], {}}}, pass);
  }
};

TEST(Siblings, compute_what_each_unit_does) {
  on_each_device([] {
    for (const bool gamma : {true, false}) {
      Units units(gamma);
      const std::vector<Tensor> together = units.step(true), apart = units.step(false);
      for (std::size_t i = 0; i < together.size(); ++i)
        expect_close("result " + std::to_string(i), numbers(together[i]), numbers(apart[i]), 1e-5);
    }
  });
}

TEST(Siblings, show_each_units_results) {
  Units units(false);
  for (const char* name : {"a", "a.conv", "c", "c.conv"}) units.step(true, name);
}

TEST(Siblings, convolve_once_without_copying_weights) {
  Units units(false);
  const Parameter* first = units.store.find("a.conv.weight");
  ASSERT_NE(first, nullptr);
  const Tensor x = Tensor::zeros({1, 2, 2, 16});
  Tape tape;
  convolved_together(x, {&units.units[0], &units.units[1], &units.units[2]});
  EXPECT_EQ(tape.size(), 5u) << "joined weights, a convolution, three parts";
  const Tensor w = concat_rows({first->value, units.store.find("b.conv.weight")->value});
  EXPECT_EQ(w.raw(), first->value.raw());
}

}  // namespace
}  // namespace dactyl
