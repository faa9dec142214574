// Whether steps replayed as a graph compute what steps run operation by operation do.
#pragma once

#include <string>

#include "train/training.h"

namespace dactyl {

struct GraphCheck {
  i64 steps = 0, replayed = 0;  // compared, and how many of them were replays of a graph
  i64 numbers = 0;              // compared after each step: parameters, statistics, the optimiser's state
  double loss = 0;              // of the last step
  // The first difference, if there is one:
  std::string what;              // "loss", "conv1.weight", "velocity of conv1.weight"; empty: all bits are equal
  double largest = 0, size = 0;  // |difference|, and the largest |number| beside it without a graph; NaN if one is NaN
  std::string why_eager;         // where a capture failed
  bool equal() const { return what.empty(); }
  bool good() const { return equal() && replayed > 0; }
};

// The next steps of two trainings of the same start, in turns, up to the first difference, the plan's end or a signal;
// after each, loss, parameters and the optimiser's state are compared bit for bit. Exit::numerics: a loss that is none.
GraphCheck compare_steps(Training& eager, Subject& of_eager, Training& graphed, Subject& of_graphed, i64 steps);

// Trains twice as `options` say, without a graph and with one, and leaves nothing behind: what a run would write goes
// to a temporary folder. On the CPU both are eager. Throws what train() would; Exit::interrupted or terminated after a
// signal.
GraphCheck train_twice(const TrainOptions& options, i64 steps);

// That, where it can tell something. Exit::usage if steps < 3 (the first is eager, the second captured), without a GPU,
// where nothing is captured, and with --graph off.
GraphCheck check_graph(const TrainOptions& options, i64 steps);

std::string to_text(const GraphCheck&);  // one line

}  // namespace dactyl
