// Two trainings in step with each other, one of them replaying a graph.
#include "train/check_graph.h"

#include <cmath>
#include <cstring>
#include <filesystem>

#include "train/run_subject.h"
#include "train/settings.h"
#include "train/signals.h"

namespace dactyl {
namespace {

// Gone at the end, with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "dactyl-check-graph-XXXXXX").string()) {
    check(Exit::data, mkdtemp(path_.data()) != nullptr, "{}: cannot be made; set TMPDIR to a folder with room", path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.bytes())) == 0;
}

// Notes the first place in which two tensors differ.
void compare(GraphCheck& found, const std::string& name, const Tensor& eager, const Tensor& graphed) {
  found.numbers += eager.count();
  if (!found.equal()) return;
  const Tensor a = eager.to(Device::cpu()), b = graphed.to(Device::cpu());
  if (same_bits(a, b)) return;
  found.what = name;
  found.largest = found.size = 0;
  const std::vector<float> x = a.floats(), y = b.floats();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = std::abs(double{x[i]} - double{y[i]});
    if (!(difference <= found.largest)) found.largest = difference;
    if (std::isnan(difference)) return;
    found.size = std::max(found.size, std::abs(double{x[i]}));
  }
}

// Of a tensor as long as the flat buffer, parameter by parameter.
void compare_flat(GraphCheck& found, const Flat& flat, const std::string& name, const Tensor& a, const Tensor& b) {
  if (a.count() != flat.values.count()) return compare(found, name, a, b);
  const Tensor x = a.to(Device::cpu()), y = b.to(Device::cpu());
  for (const Flat::Range& r : flat.ranges)
    compare(found, name + " of " + r.name, view(x, r.first, {r.count}), view(y, r.first, {r.count}));
}

void compare_losses(GraphCheck& found, double a, double b) {
  if (std::memcmp(&a, &b, sizeof a) == 0) return;
  found.what = "loss";
  found.largest = std::abs(a - b);
  found.size = std::abs(a);
}

void compare_states(GraphCheck& found, Training& a, const Parameters& of_a, Training& b, const Parameters& of_b) {
  found.numbers = 0;
  for (auto x = of_a.all().begin(), y = of_b.all().begin(); x != of_a.all().end(); ++x, ++y)
    compare(found, x->name, x->value, y->value);
  const auto states_a = a.optimizer().state(), states_b = b.optimizer().state();
  for (std::size_t i = 0; i < states_a.size(); ++i)
    compare_flat(found, a.optimizer().flat(), states_a[i].first, states_a[i].second, states_b[i].second);
}

// One of the two trainings, with a folder and a net of its own.
struct Side {
  RunFolder folder;
  Log log;
  LoadedModel loaded;
  Subject subject;
  TrainOptions options;
  Training training;

  Side(const std::string& path, const RunParts& parts, TrainOptions o, bool graph)
      : folder(path, false),
        log(folder / "log.txt", graph),
        loaded(model_for(o, *parts.source, nullptr)),
        subject(subject_of(on_device(loaded.model), parts, o)),
        options(with_graph(o, graph)),
        training(subject, options, folder, log) {}

 private:
  static Model& on_device(Model& model) {
    model.to(Context::current().device());
    return model;
  }
  static TrainOptions with_graph(TrainOptions o, bool graph) {
    o.graph = graph;
    return o;
  }
};

void require_a_graph(const TrainOptions& o, i64 steps) {
  check(Exit::usage, steps >= 3, "--check-graph {}: expected 3 steps or more: the first is eager, the second captured",
        steps);
  check(Exit::usage, o.graph, "--check-graph: checks what --graph on does; leave --graph off out");
  const Device device = device_named(o.device);
  check(Exit::usage, device.is_cuda(),
        "--check-graph: the device here is {}, and only a GPU's steps are captured as a graph: nothing was compared; "
        "on a machine with a GPU say --device cuda",
        device);
}

}  // namespace

GraphCheck compare_steps(Training& eager, Subject& of_eager, Training& graphed, Subject& of_graphed, i64 steps) {
  GraphCheck found;
  Progress progress("checking", steps, "steps");
  while (found.steps < steps && found.equal() && !eager.done() && Signals::stop() == Exit::good) {
    const StepRow a = eager.single_step(), b = graphed.single_step();
    ++found.steps;
    found.replayed += graphed.captured();
    found.loss = a.loss;
    compare_losses(found, a.loss, b.loss);
    compare_states(found, eager, *of_eager.model.parameters, graphed, *of_graphed.model.parameters);
    check(Exit::numerics, !found.equal() || std::isfinite(a.loss),
          "--check-graph: the loss of step {} is NaN or infinite, with a graph as without, which says nothing; try a "
          "lower rate",
          found.steps);
    progress.advance(1, "loss " + to_text(a.loss));
  }
  found.why_eager = graphed.why_eager();
  return found;
}

GraphCheck train_twice(const TrainOptions& options, i64 steps) {
  const Signals signals;
  check_options(options);
  Use use(device_named(options.device));
  if (options.precision == "tf32") use.context().math = Math::tf32;
  use.context().recompute = options.recompute;
  const TemporaryFolder temporary;
  const RunFolder folder(temporary / "data", false);
  const RunParts parts = divided(open_data(options, folder, true, Log(folder / "log.txt")), options, "");
  Side eager(temporary / "eager", parts, options, false), graphed(temporary / "graph", parts, options, true);
  const GraphCheck found = compare_steps(eager.training, eager.subject, graphed.training, graphed.subject, steps);
  check(Signals::stop(), Signals::stop() == Exit::good, "--check-graph: stopped; nothing is left behind");
  return found;
}

GraphCheck check_graph(const TrainOptions& options, i64 steps) {
  require_a_graph(options, steps);
  return train_twice(options, steps);
}

std::string to_text(const GraphCheck& c) {
  const std::string steps = to_text(c.steps) + " steps, " + to_text(c.replayed) + " of them replayed as a graph";
  if (!c.equal())
    return "graph: differs from eager steps first in step " + to_text(c.steps) + ", in " + c.what + ", by up to " +
           to_text(c.largest) + " (largest number there " + to_text(c.size) + "); " + steps;
  if (c.replayed == 0)
    return "graph: nothing was checked, for no step was replayed: " +
           (c.why_eager.empty() ? "the plan ends after step " + to_text(c.steps) : c.why_eager);
  return "graph: equal bit for bit to eager steps: " + steps + "; the losses (last " + to_text(c.loss) + ") and " +
         to_text(c.numbers) + " parameters, statistics and numbers of the optimiser after each";
}

}  // namespace dactyl
