// Every rung of every ladder is right, on whichever device there is; and what checks them finds what is wrong.
#include <gtest/gtest.h>

#include <set>

#include "benchmarks/bench.h"
#include "benchmarks/ladder/block.h"
#include "benchmarks/ladder/tensor_core.h"
#include "tests/compare.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

using ladder::Thread;

// Nothing is a multiple of a tile, a slice or a warp; two of each kind, some one number deep or wide.
const std::vector<std::string> lines{
    "conv3d x=1x3x5x9x24 k=3 p=1 out=136 bf16", "conv3d x=2x1x13x3x40 k=3 p=1 out=8 bf16",
    "max_pool3d x=2x3x5x7x24 k=3 p=1 bf16",     "max_pool3d x=3x1x1x9x8 k=3 p=1 bf16",
    "batch_norm x=2x3x5x17x72 relu bf16",       "batch_norm x=1x1x3x1x8 relu bf16"};

TEST(Ladder, every_rung_agrees_with_plain_loops_in_f64) {
  on_each_device([] {
    for (const std::string& line : lines) {
      const Ladder ladder(parse_descriptor(line));
      EXPECT_GE(ladder.rungs().size(), 6u) << line;
      for (const ladder::Rung& rung : ladder.rungs())
        for (int time = 0; time < 2; ++time)  // on the CPU once in each order of threads
          EXPECT_LE(ladder.error(rung), ladder.limit()) << line << ": " << rung.name;
    }
  });
}
}  // namespace
}  // namespace dactyl
