// On the GPU: what one thread has searched, the next one finds in the file; every way a file can name gives the
// numbers of the reference loops.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "kernels/conv_packing.h"
#include "kernels/engine_name.h"
#include "kernels/hopper/stem.h"
#include "kernels/plan_cache.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Layer {
  const char* name;
  Shape x, w;
  Window window;
  i64 groups = 1;
};

const Layer alexnet{"AlexNet's stem", {4, 227, 227, 3}, {96, 11, 11, 3}, square(11, 4)};
const Layer googlenet{"GoogLeNet's stem", {4, 224, 224, 3}, {64, 7, 7, 3}, square(7, 2, 3)};
const Layer i3d{"I3D's stem", {1, 10, 112, 112, 3}, {64, 7, 7, 7, 3}, {{7, 7, 7}, {2, 2, 2}, {2, 2, 2}, {3, 3, 3}}};
const Layer flow{
    "I3D's stem of flow", {1, 10, 112, 112, 2}, {64, 7, 7, 7, 2}, {{7, 7, 7}, {2, 2, 2}, {2, 2, 2}, {3, 3, 3}}};
const Layer middle{"I3D's 3×3×3", {2, 10, 28, 28, 96}, {128, 3, 3, 3, 96}, window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})};
const Layer grouped{"AlexNet's grouped 5×5", {8, 27, 27, 96}, {256, 5, 5, 48}, square(5, 1, 2), 2};

Tensor noise(const Shape& shape, DType type, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(type).to(Device::cuda());
}

// y and dw (with `data` dx) by one algorithm; no relu, whose kinks would make gradients incomparable.
std::vector<std::vector<float>> passes(const Layer& l, DType type, Algorithm algorithm, bool data) {
  const Tensor x = noise(l.x, type, 1), w = noise(l.w, type, 2).watch(), b = noise({l.w[0]}, type, 3);
  const Tensor input = data ? x.detached().watch() : x;
  Tape tape;
  const Tensor y = conv(input, w, {.window = l.window, .groups = l.groups, .bias = b, .algorithm = algorithm});
  tape.backward(record("projection", {y}, Tensor::zeros({1}, type),
                       [&](const Tensor&) { return Grads{noise(y.shape(), type, 4)}; }));
  std::vector<std::vector<float>> all{y.floats(), w.grad().floats()};
  if (data) all.push_back(input.grad().floats());
  return all;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double off = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    all += double(b[i]) * b[i];
  }
  return std::sqrt(off / all);
}

double limit(DType type) { return type == DType::f32 ? 1e-4 : type == DType::f16 ? 3e-3 : 1e-2; }

class ConvSearch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    const char* before = std::getenv("DACTYL_CACHE");
    before_ = before ? before : "";
    static int tests = 0;  // what a process has read of a folder it never reads again, so each test has its own
    folder_ = std::filesystem::temp_directory_path() /
              ("dactyl-search-" + std::to_string(getpid()) + "-" + std::to_string(++tests));
    use_folder("first");
  }
  void TearDown() override {
    before_.empty() ? unsetenv("DACTYL_CACHE") : setenv("DACTYL_CACHE", before_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  void use_folder(const std::string& name) { setenv("DACTYL_CACHE", (folder_ / name).c_str(), 1); }

  // A new thread remembers no plans, as a new process.
  static void apart(const std::function<void()>& work) {
    std::thread([&] {
      const Use use(Device::cuda());
      work();
    }).join();
  }

  // Makes the next thread compute every problem of the layer in the given way, by a file of plans that says so.
  void dictate(const Layer& l, DType type, const std::string& way) {
    if (machine_.empty()) {
      use_folder("any");
      apart([&] { conv(noise({1, 4, 4, 8}, type, 1), noise({8, 1, 1, 8}, type, 2), {.window = square(1)}); });
      ASSERT_EQ(plan_files().size(), 1u);
      machine_ = plan_files()[0].machine;
    }
    use_folder("dictated " + std::to_string(++dictated_));
    Choices choices;
    apart([&] {
      const Tensor x(l.x, type), w(l.w, type), y(output_shape(l.x, l.window, l.w[0]), type), b({l.w[0]}, type);
      for (const Pass pass : {Pass::forward, Pass::data, Pass::weights})
        choices[plan_key(conv_problem(pass, x, w, y, {.window = l.window, .groups = l.groups, .bias = b}))] = {way,
                                                                                                               1e-3};
    });
    std::filesystem::create_directories(plan_folder());
    std::ofstream(plan_folder() + "/" + plan_file_name(machine_)) << plan_text(machine_, choices);
  }

  void expect_right(const Layer& l, DType type, const std::string& way, bool data) {
    SCOPED_TRACE(std::string(l.name) + " in " + to_text(type) + ", " + way);
    dictate(l, type, way);
    const PlanCounts before = plan_counts();
    std::vector<std::vector<float>> got, want, again;
    apart([&] {
      got = passes(l, type, Algorithm::library, data);
      again = passes(l, type, Algorithm::library, data);
      want = passes(l, type, Algorithm::reference, data);
    });
    EXPECT_EQ(plan_counts().searched, before.searched) << "another way than the dictated one";
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_LE(distance(got[i], want[i]), limit(type)) << (i == 0 ? "y" : i == 1 ? "dw" : "dx");
      EXPECT_EQ(got[i], again[i]) << "other bits at the second time";
    }
  }

  std::filesystem::path folder_;
  std::string before_, machine_;
  int dictated_ = 0;
};

TEST_F(ConvSearch, is_not_repeated_by_who_comes_later) {
  std::vector<std::vector<float>> first, second;
  const PlanCounts none = plan_counts();
  apart([&] { first = passes(middle, DType::bf16, Algorithm::library, true); });
  const PlanCounts searched = plan_counts();
  EXPECT_EQ(searched.searched, none.searched + 3);
  ASSERT_EQ(plan_files().size(), 1u);
  EXPECT_GE(plan_files()[0].plans, 3);
  apart([&] { second = passes(middle, DType::bf16, Algorithm::library, true); });
  const PlanCounts remembered = plan_counts();
  EXPECT_EQ(remembered.searched, searched.searched);
  EXPECT_EQ(remembered.remembered, searched.remembered + 3);
  EXPECT_EQ(first, second) << "the same plans give the same bits";
}

TEST_F(ConvSearch, is_repeated_where_the_file_names_what_is_not_there) {
  dictate(middle, DType::bf16, "engine 99999, 1=1");
  const PlanCounts before = plan_counts();
  std::vector<std::vector<float>> got, want;
  apart([&] {
    got = passes(middle, DType::bf16, Algorithm::library, false);
    want = passes(middle, DType::bf16, Algorithm::reference, false);
  });
  EXPECT_EQ(plan_counts().searched, before.searched + 2);
  EXPECT_LE(distance(got[0], want[0]), 1e-2);
}

TEST_F(ConvSearch, columns_give_the_right_numbers) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Layer& l : {alexnet, i3d, middle, grouped}) expect_right(l, type, "columns", true);
}

TEST_F(ConvSearch, packed_stems_give_the_right_numbers) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Layer& l : {alexnet, googlenet, i3d, flow}) {
      std::vector<Packing> all;
      apart([&] {
        const Tensor x(l.x, type), w(l.w, type), y(output_shape(l.x, l.window, l.w[0]), type);
        all = packings(conv_problem(Pass::forward, x, w, y, {.window = l.window}));
      });
      EXPECT_GE(all.size(), 4u);
      if (type != DType::bf16) all.resize(1);  // each costs a search of its own
      for (const Packing& packing : all) expect_right(l, type, to_text(packing), false);
    }
}

TEST_F(ConvSearch, stems_on_the_matrix_unit_give_the_right_numbers) {
  const Use use(Device::cuda());
  if (!hopper::has_stem_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  for (const char* way : {"stem", "stem by warps"})
    for (const Layer& l : {googlenet, i3d, flow}) expect_right(l, DType::bf16, way, false);
}

TEST(EngineName, is_read_as_it_was_written) {
  for (const EngineName& name : {EngineName{47, {{12, 3}, {19, 1}}}, EngineName{0, {}}, EngineName{3, {{5, -1}}}}) {
    const auto read = read_engine_name(to_text(name));
    ASSERT_TRUE(read) << to_text(name);
    EXPECT_EQ(*read, name);
  }
  EXPECT_EQ(to_text(EngineName{47, {{12, 3}, {19, 1}}}), "engine 47, 12=3 19=1");
  for (const char* text : {"", "engine", "engine 4", "engine 4, 3", "engine 4, 3=", "engine 4, 3=1 ", "columns",
                           "engine x, 1=2", "engine 4, 3:1", "engine 4, 3=1 x", "engine 04,"})
    EXPECT_FALSE(read_engine_name(text)) << text;
}

}  // namespace
}  // namespace dactyl
