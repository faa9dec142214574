// Every rung of every ladder is right, on whichever device there is; a wrong one would be told.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "benchmarks/bench.h"
#include "benchmarks/ladder/batch_norm3d.h"
#include "tests/compare.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

// Nothing is a multiple of a tile, a slice or a warp; two of each kind, some one number deep or wide.
const std::vector<std::string> lines{
    "conv3d x=1x3x5x9x24 k=3 p=1 out=136 bf16", "conv3d x=2x1x13x3x40 k=3 p=1 out=8 bf16",
    "max_pool3d x=2x3x5x7x24 k=3 p=1 bf16",     "max_pool3d x=3x1x1x9x8 k=3 p=1 bf16",
    "batch_norm x=2x3x5x17x72 relu bf16",       "batch_norm x=1x1x3x1x8 relu bf16"};

TEST(LadderRungs, agree_with_plain_loops_in_f64) {
  on_each_device([] {
    Pool::guard(true);  // fresh memory holds NaN, and what is written behind its end is found
    const i64 damaged = Pool::damaged();
    for (const std::string& line : lines) {
      const Ladder ladder(parse_descriptor(line));
      EXPECT_GE(ladder.rungs().size(), 6u) << line;
      for (const ladder::Rung& rung : ladder.rungs())
        for (int time = 0; time < 2 && !rung.other; ++time)  // on the CPU in both orders of the threads
          EXPECT_LE(ladder.error(rung), ladder.limit()) << line << ": " << rung.name;
    }
    EXPECT_EQ(Pool::damaged(), damaged) << "blocks of memory were written behind their end";
    Pool::guard(false);
  });
}

TEST(LadderOthers, the_engine_agrees_and_cudnn_agrees_or_refuses) {
  on_each_device([] {
    for (const std::string& name : ladder_names()) {
      const Ladder ladder(small_ladder_layer(name));
      for (const ladder::Rung& rung : ladder.rungs()) {
        if (!rung.other) continue;
        try {
          EXPECT_LE(ladder.error(rung), ladder.limit()) << name << ": " << rung.name;
        } catch (const Error& error) {
          EXPECT_EQ(rung.name, "cuDNN") << name << ": " << error.what();
        }
      }
    }
  });
}

TEST(LadderRungs, run_from_a_captured_graph) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  for (const std::string& line : lines) {
    const Ladder ladder(parse_descriptor(line));
    for (const ladder::Rung& rung : ladder.rungs()) {
      if (rung.other) continue;
      Graph graph(rung.run);
      graph.run();
      graph.run();
      EXPECT_TRUE(graph.captured()) << line << ": " << rung.name << ": " << graph.why_eager();
      EXPECT_LE(ladder.error({.name = rung.name, .run = [&] { graph.run(); }}), ladder.limit()) << line << rung.name;
    }
  }
}

TEST(LadderRungs, a_wrong_one_is_told) {
  on_each_device([] {
    Tensor got = Tensor::from({2, 8}, {1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8}, DType::bf16);
    const Tensor want = got.to(DType::f64);
    EXPECT_EQ(ladder::largest_difference(got, want), 0);
    EXPECT_EQ(ladder::largest_difference(got.rows(0, 1), got.rows(1, 1).to(DType::f64)), 2);
    got.fill(std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(std::isinf(ladder::largest_difference(got, want)));
    const Ladder ladder(parse_descriptor(lines[2]));
    EXPECT_TRUE(std::isinf(ladder.error({.name = "lazy", .run = [] {}})));
  });
}

// Σ x² − (Σ x)²/n in 32 bits would have no digit left.
TEST(LadderRungs, normalisation_is_exact_where_the_mean_is_large) {
  on_each_device([] {
    const Shape shape{2, 3, 5, 17, 72};
    std::vector<float> values;
    Sequence random(test_seed());
    for (i64 i = 0; i < shape.count(); ++i) values.push_back(20000.0f + 128.0f * static_cast<float>(random.below(3)));
    const Tensor x = Tensor::from(shape, values, DType::bf16), gamma = Tensor::full({72}, 1),
                 beta = Tensor::full({72}, 3), y({shape}, DType::bf16);
    const Tensor zeros = Tensor::zeros({72}, DType::f64), ones = Tensor::full({72}, 1, DType::f64);
    const Tensor want = batch_norm(x.to(DType::f64), gamma.to(DType::f64), beta.to(DType::f64), zeros, ones,
                                   {.epsilon = 1e-5, .relu = true, .algorithm = Algorithm::reference});
    for (const ladder::Rung& rung : ladder::batch_norm3d_rungs(x, gamma, beta, 1e-5f, y)) {
      Tensor(y).fill(std::numeric_limits<double>::quiet_NaN());
      rung.run();
      EXPECT_LE(ladder::largest_difference(y, want), 4e-3) << rung.name;
    }
  });
}

TEST(LadderSplit, every_row_of_every_group_once) {
  for (const int rows : {1, 2, 127, 128, 255, 256, 1000, 501760})
    for (const int groups : {1, 3, 6, 40}) {
      const ladder::Split split(rows, groups);
      std::vector<int> seen(static_cast<std::size_t>(groups), 0);
      for (int block = 0; block < split.blocks(); ++block) {
        const ladder::Split::Part part(split, block, rows);
        EXPECT_LT(part.row, part.end);
        EXPECT_LE(part.end, rows);
        seen[static_cast<std::size_t>(part.group)] += part.end - part.row;
      }
      for (const int n : seen) EXPECT_EQ(n, rows) << groups;
    }
}

TEST(Ladder, layers_without_rungs_are_refused) {
  const Use use(Device::cpu());
  for (const std::string line :
       {"conv3d x=1x4x8x8x8 k=3 p=1 out=8 fp32", "conv3d x=1x4x8x8x8 k=3 s=2 p=1 out=8 bf16",
        "conv3d x=1x4x8x8x8 k=3 p=0 out=8 bf16", "conv2d x=1x8x8x8 k=3 p=1 out=8 bf16",
        "max_pool3d x=1x4x8x8x8 k=1x3x3 p=0:0 bf16", "batch_norm x=1x4x8x8x8 bf16", "lrn x=1x4x8x8x8 bf16"})
    EXPECT_THROW(Ladder(parse_descriptor(line)), Error) << line;
  for (const std::string line : {"conv3d x=1x4x8x8x12 k=3 p=1 out=8 bf16", "conv3d x=1x4x8x8x8 k=3 p=1 out=12 bf16",
                                 "max_pool3d x=1x4x8x8x4 k=3 p=1 bf16"})
    expect_error([&] { Ladder(parse_descriptor(line)); }, {"multiple", "of 8"});
  expect_error([] { ladder_layer("conv2d", 1); }, {"conv3d, max_pool3d, batch_norm3d"});
}

TEST(LadderChart, data_and_script_lie_beside_the_picture) {
  const auto folder = std::filesystem::temp_directory_path() / ("dactyl-chart-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  draw_ladder(folder, "conv3d", "conv3d's ladder, 50 %",
              {{"naive", "a thread per result", 190, 0.06, false}, {"dactyl", "the engine's, own", 0.2, 60, true}});
  std::ostringstream csv;
  csv << std::ifstream(folder / "conv3d.csv").rdbuf();
  EXPECT_EQ(csv.str(),
            "row,ms,roof_percent,other,name,change\n1,190,0.06,0,naive,a thread per result\n"
            "2,0.2,60,1,dactyl,\"the engine's, own\"\n");
  EXPECT_TRUE(std::filesystem::exists(folder / "conv3d.gp"));
  if (std::system("gnuplot --version >/dev/null 2>&1") == 0) {
    EXPECT_GT(std::filesystem::file_size(folder / "conv3d.svg"), 1000u);
    EXPECT_GT(std::filesystem::file_size(folder / "conv3d.png"), 1000u);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace dactyl
