// Our Farnebäck flow beside OpenCV's, pair by pair, from a file that opencv_pairs.py wrote. Usage: compare FILE
// [DEVICE]. Fails unless on every pair the mean distance is at most 0.01 pixels and 99 % of the pixels are within 0.05,
// and unless flows that are known are met no worse than by OpenCV.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "kernels/flow_farneback.h"
#include "weights/weights.h"

namespace {

using namespace dactyl;

constexpr double mean_limit = 0.01, pixel_limit = 0.05, share_limit = 0.99, worse_limit = 0.001;

struct Distance {
  double mean = 0, within = 0, largest = 0;
};

// Between two flows (…, 2), in pixels.
Distance distance(const Tensor& a, const Tensor& b) {
  const std::vector<float> p = a.floats(), q = b.floats();
  const std::size_t n = p.size() / 2;
  Distance d;
  for (std::size_t i = 0; i < n; ++i) {
    const double error = std::hypot(p[2 * i] - q[2 * i], p[2 * i + 1] - q[2 * i + 1]);
    d.mean += error / static_cast<double>(n);
    d.within += (error <= pixel_limit ? 1.0 : 0.0) / static_cast<double>(n);
    d.largest = std::max(d.largest, error);
  }
  return d;
}

FarnebackOptions options_of(const std::string& call) {
  if (call == "default") return {};
  if (call == "sample") return farneback_of_sample();
  if (call == "others")
    return {.scale = 0.7, .levels = 4, .window = 20, .iterations = 4, .poly_n = 7, .poly_sigma = 1.5};
  FarnebackOptions o = farneback_of_sample();
  o.gaussian = true;
  return o;
}

struct Pair {
  const Checkpoint& file;
  std::string name;

  bool has(const std::string& what) const { return file.tensors.contains(name + "/" + what); }
  const Tensor& at(const std::string& what) const { return file.tensors.at(name + "/" + what); }
  Tensor frame(const std::string& what) const {
    const Tensor& t = at(what);
    return t.reshaped({1, t.shape()[0], t.shape()[1]}).to(Context::current().device());
  }
};

bool compare(const Pair& pair, const std::string& call, Algorithm algorithm) {
  FarnebackOptions options = options_of(call);
  options.algorithm = algorithm;
  const Tensor ours = flow_farneback(pair.frame("from"), pair.frame("to"), options);
  const Tensor& theirs = pair.at(call);
  const Distance d = distance(ours, theirs);
  bool good = d.mean <= mean_limit && d.within >= share_limit;
  std::printf("| %-16s | %-8s | %-9s | %9.6f | %8.3f | %8.4f |", pair.name.c_str(), call.c_str(),
              algorithm == Algorithm::reference ? "reference" : "fast", d.mean, 100 * d.within, d.largest);
  if (pair.has("true")) {
    const double we = distance(ours, pair.at("true")).mean, they = distance(theirs, pair.at("true")).mean;
    good = good && we <= they + worse_limit;
    std::printf(" %.4f | %.4f |", we, they);
  } else {
    std::printf(" | |");
  }
  std::printf("%s\n", good ? "" : " FAILED");
  return good;
}

int run(const std::string& path, const std::string& device) {
  const Use use(device_named(device));
  const Checkpoint file = Checkpoint::read(path);
  std::set<std::string> names;
  for (const auto& [name, tensor] : file.tensors) names.insert(name.substr(0, name.find('/')));
  std::printf("| pair | call | path | mean distance, px | %% within %g px | largest | ours from truth | OpenCV's |\n",
              pixel_limit);
  std::printf("|---|---|---|---|---|---|---|---|\n");
  int failed = 0;
  for (const std::string& name : names)
    for (const char* call : {"default", "sample", "gaussian", "others"})
      for (const Algorithm algorithm : {Algorithm::automatic, Algorithm::reference})
        if (!compare({file, name}, call, algorithm)) ++failed;
  std::printf("%zu pairs on %s, %d comparisons failed\n", names.size(), to_text(Context::current().device()).c_str(),
              failed);
  return failed ? static_cast<int>(Exit::check) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    dactyl::check(Exit::usage, argc >= 2, "usage: {} FILE [DEVICE]", argv[0]);
    return run(argv[1], argc > 2 ? argv[2] : "cpu");
  } catch (const Error& e) {
    std::fprintf(stderr, "compare_farneback: %s\n", e.what());
    return static_cast<int>(e.exit());
  }
}
