// tvl1_compare FILE [DEVICE]: our TV-L1 flow against the flows that tests/flow/tvl1_opencv.py wrote down, pair by pair.
// Exit code 5 if a variant differs by more than the limits on a real pair, or comes less close to the flow that a pair
// was rendered with. (Rendered pairs may differ where the flow leaves the frame: there nothing holds it.)
#include <cmath>
#include <cstdio>
#include <iostream>

#include "kernels/flow.h"
#include "weights/weights.h"

namespace {

using namespace dactyl;

constexpr double mean_limit = 0.01, far = 0.05, near_share = 0.99, truth_slack = 1.005;

struct Variant {
  const char* name;
  Tvl1Options options;
};

// `plain` is the CUDA version's algorithm with the CPU version's way of reading frames and of stopping.
std::vector<Variant> variants() {
  Tvl1Options plain = tvl1_cpu();
  plain.median = 0;
  plain.rounds = 1;
  plain.iterations = 300;
  return {{"cpu", tvl1_cpu()}, {"plain", plain}, {"cuda", {}}};
}

struct Distance {
  double mean = 0, largest = 0, near = 0;  // end-point error in px; share of pixels within `far`

  Distance(const Tensor& a, const Tensor& b) {
    const std::vector<float> x = a.floats(), y = b.floats();
    check(x.size() == y.size(), "flows of shapes {} and {}", a.shape(), b.shape());
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const double error = std::hypot(double(x[i]) - y[i], double(x[i + 1]) - y[i + 1]);
      mean += error;
      largest = std::max(largest, error);
      near += error <= far;
    }
    mean /= static_cast<double>(x.size() / 2);
    near /= static_cast<double>(x.size() / 2);
  }
};

Tensor batch_of_one(const Tensor& frame) {
  return frame.reshaped({1, frame.shape()[0], frame.shape()[1]}).to(Context::current().device());
}

// One pair and variant as a row of the table; false if it breaks a limit.
bool row(const Checkpoint& file, const std::string& key, const Variant& variant) {
  const Tensor &from = file.tensors.at(key + ".from"), &to = file.tensors.at(key + ".to");
  const Tensor theirs = file.tensors.at(key + "." + variant.name);
  const Tensor ours = flow_tvl1(batch_of_one(from), batch_of_one(to), variant.options).to(Device::cpu());
  const Distance d(ours.reshaped(theirs.shape()), theirs), length(theirs, Tensor::zeros(theirs.shape()));
  bool good = d.mean <= mean_limit && d.near >= near_share;
  std::printf("| %s | %lldx%lld | %s | %.2f | %.5f | %.3f | %.2f |", file.notes.at(key).c_str(),
              static_cast<long long>(from.shape()[1]), static_cast<long long>(from.shape()[0]), variant.name,
              length.mean, d.mean, d.largest, 100 * d.near);
  if (const auto truth = file.tensors.find(key + ".truth"); truth != file.tensors.end()) {
    const Distance a(ours.reshaped(theirs.shape()), truth->second), b(theirs, truth->second);
    std::printf(" %.4f | %.4f |", a.mean, b.mean);
    good = a.mean <= b.mean * truth_slack;
  } else {
    std::printf("  |  |");
  }
  std::printf("%s\n", good ? "" : " over the limit");
  return good;
}

int run(const std::string& path, const std::string& device) {
  const Checkpoint file = Checkpoint::read(path);
  const Use use(device_named(device));
  std::printf(
      "| pair | size | variant | mean flow, px | mean difference | largest | within %.2f px, %% | our error to truth "
      "| theirs |\n|---|---|---|---|---|---|---|---|---|\n",
      far);
  int rows = 0, bad = 0;
  for (const Variant& variant : variants())
    for (const auto& [name, tensor] : file.tensors)
      if (name.ends_with(".from")) {
        ++rows;
        bad += !row(file, name.substr(0, name.size() - 5), variant);
      }
  std::printf("%d rows, %d over the limit\n", rows, bad);
  return bad ? static_cast<int>(Exit::check) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    check(Exit::usage, argc >= 2, "tvl1_compare: say which file");
    return run(argv[1], argc > 2 ? argv[2] : "cpu");
  } catch (const Error& error) {
    std::cerr << "tvl1_compare: " << error.what() << "\n";
    return static_cast<int>(error.exit());
  }
}
