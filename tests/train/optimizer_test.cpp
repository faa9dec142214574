// The optimisers over packed parameters, by hand-computed steps.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dactyl {
namespace {

struct Packed {
  Parameters store;
  Flat flat;
  Packed() {
    store.add("w", {2}, constant(1));
    Parameter& b = store.add("b", {1}, constant(1));
    b.rate = 2;
    b.decay = 0;
    store.initialise(1);
    flat = store.pack();
  }
  void gradients(float w, float b) {
    store.find("w")->value.slot()->grad.fill(w);
    store.find("b")->value.slot()->grad.fill(b);
  }
  float value(const char* name) { return store.find(name)->value.floats()[0]; }
};

TEST(optimizer, sgd_with_momentum_decay_and_rates_of_its_own) {
  Packed p;
  const auto sgd = make_optimizer({.kind = "sgd", .momentum = 0.5, .decay = 0.1}, p.flat);
  sgd->set_rate(0.1);
  p.gradients(1, 1);
  sgd->step();
  EXPECT_FLOAT_EQ(p.value("w"), 1 - 0.1f * 1.1f);
  EXPECT_FLOAT_EQ(p.value("b"), 1 - 0.2f);
  const float w = p.value("w");
  sgd->step();
  EXPECT_FLOAT_EQ(p.value("w"), w - 0.1f * (0.5f * 1.1f + 1 + 0.1f * w));
  ASSERT_EQ(sgd->state().size(), 1u);
  EXPECT_EQ(sgd->state()[0].first, "velocity");
}

TEST(optimizer, adam_takes_steps_of_the_rate) {
  Packed p;
  const auto adam = make_optimizer({.kind = "adam"}, p.flat);
  adam->set_rate(0.01);
  p.gradients(3, -5);
  for (int i = 1; i <= 3; ++i) {
    adam->step();
    EXPECT_NEAR(p.value("w"), 1 - 0.01 * i, 1e-5);
    EXPECT_NEAR(p.value("b"), 1 + 0.02 * i, 1e-5);
  }
  EXPECT_EQ(adam->state()[2].second.item(), 3);
}

TEST(optimizer, adamw_decays_outside_the_moments) {
  Packed p;
  const auto adamw = make_optimizer({.kind = "adamw", .decay = 0.5}, p.flat);
  adamw->set_rate(0.1);
  p.gradients(0, 0);
  adamw->step();
  EXPECT_NEAR(p.value("w"), 0.95, 1e-6);
  EXPECT_NEAR(p.value("b"), 1, 1e-6);
  EXPECT_THROW(make_optimizer({.kind = "other"}, p.flat), Error);
}

}  // namespace
}  // namespace dactyl
