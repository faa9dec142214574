// Which operations, at which sizes.
#include "benchmarks/operation_cases.h"

#include <map>

#include "benchmarks/layer_work.h"

namespace dactyl {
namespace {

using Make = std::function<OperationCase()>;

// x without its batch; GoogLeNet's, AlexNet's and I3D's (20 frames).
const std::map<std::string, std::vector<std::string>>& descriptors() {
  static const std::map<std::string, std::vector<std::string>> list{
      {"max_pool",
       {"max_pool2d x=112x112x64 k=3 s=2 ceil", "max_pool2d x=28x28x256 k=3 s=1 p=1",
        "max_pool3d x=10x112x112x64 k=1x3x3 s=1x2x2 p=same", "max_pool3d x=10x28x28x192 k=3 s=1 p=1",
        "max_pool3d x=10x28x28x480 k=3 s=2 p=same"}},
      {"mean_pool", {"mean_pool2d x=14x14x512 k=5 s=3 ceil", "mean_pool3d x=3x7x7x1024 k=2x7x7 s=1"}},
      {"batch_norm",
       {"batch_norm x=112x112x64 relu", "batch_norm x=28x28x192 relu", "batch_norm x=10x112x112x64 relu",
        "batch_norm x=10x56x56x192 relu", "batch_norm x=10x28x28x192 relu into=480"}},
      {"batch_norm_max_pool",
       {"batch_norm_max_pool2d x=112x112x64 k=3 s=2 ceil relu", "batch_norm_max_pool2d x=56x56x192 k=3 s=2 ceil relu",
        "batch_norm_max_pool3d x=10x112x112x64 k=1x3x3 s=1x2x2 p=same relu",
        "batch_norm_max_pool3d x=10x56x56x192 k=1x3x3 s=1x2x2 p=same relu"}},
      {"lrn", {"lrn x=55x55x96", "lrn x=27x27x256", "lrn x=56x56x64", "lrn x=56x56x192"}}};
  return list;
}

std::string with_batch(std::string line, i64 batch, DType type, Math math) {
  line.insert(line.find("x=") + 2, std::to_string(batch) + "x");
  return line + " " + precision_text(type, math);
}

OperationCase described(const std::string& name, const Descriptor& d) {
  const auto forward = std::make_shared<LayerWork>(d, LayerPass::forward, Algorithm::automatic);
  const auto both = std::make_shared<LayerWork>(d, LayerPass::both, Algorithm::automatic);
  return {name,
          to_text(d),
          [forward] { (*forward)(); },
          [both] { (*both)(); },
          layer_bytes(d, LayerPass::forward),
          layer_bytes(d, LayerPass::both)};
}

// An operation of one tensor whose gradient costs something; reads and writes count tensors as large as x.
template <class Op>
OperationCase of_one(const std::string& name, Shape shape, DType type, double reads_and_writes, double and_back,
                     Op op) {
  const Tensor x = random_numbers(shape, type, 1), dy = random_numbers(shape, type, 2);
  Tensor watched = x.detached();
  watched.watch();
  const auto sweep = std::make_shared<CacheSweep>();
  const double bytes = static_cast<double>(x.bytes());
  return {name,
          "x=" + to_text(shape) + " " + precision_text(type, Math::fp32),
          [x, op, sweep] {
            (*sweep)();
            trace_done("sweep");
            op(x);
          },
          [watched, dy, op, sweep] {
            watched.slot()->filled = false;
            watched.slot()->grad = Tensor();
            (*sweep)();
            trace_done("sweep");
            Tape tape;
            tape.backward(seeded(op(watched), dy));
          },
          reads_and_writes * bytes,
          and_back * bytes};
}

OperationCase entropy(i64 batch, i64 classes, DType type) {
  Tensor x = random_numbers({batch, classes}, type, 1);
  const Tensor plain = x, labels = random_numbers({batch}, DType::i32, 2, classes);
  Tensor watched = x.detached();
  watched.watch();
  const double bytes = static_cast<double>(x.bytes());
  return {"cross_entropy",
          "x=" + to_text(x.shape()) + " " + precision_text(type, Math::fp32),
          [plain, labels] { cross_entropy(plain, labels); },
          [watched, labels] {
            watched.slot()->filled = false;
            watched.slot()->grad = Tensor();
            Tape tape;
            tape.backward(cross_entropy(watched, labels));
          },
          bytes,
          3 * bytes};
}

OperationCase addition(Shape shape, DType type) {
  const Tensor a = random_numbers(shape, type, 1), b = random_numbers(shape, type, 2);
  const auto sweep = std::make_shared<CacheSweep>();
  return {"add",
          "x=" + to_text(shape) + " " + precision_text(type, Math::fp32),
          [a, b, sweep] {
            (*sweep)();
            trace_done("sweep");
            add(a, b);
          },
          {},
          3.0 * static_cast<double>(a.bytes()),
          0};
}

// Every weight of a net, as the optimiser has them: f32, in one buffer.
OperationCase update(const std::string& name, i64 numbers) {
  const auto store = std::make_shared<Parameters>();
  store->add("weights", {numbers}, constant(0));
  store->initialise(1);
  store->to(Context::current().device());
  store->train_only([](const Parameter&) { return true; });
  const Flat flat = store->pack();
  const Tensor rate = Tensor::full({1}, 1e-3), step = Tensor::zeros({1}, DType::i32);
  const Tensor first = Tensor::zeros(flat.values.shape()), second = Tensor::zeros(flat.values.shape());
  const bool is_sgd = name == "sgd";
  const auto run = [store, flat, rate, step, first, second, is_sgd] {
    if (is_sgd)
      sgd(flat, first, rate, {});
    else
      adam(flat, first, second, step, rate, {});
    trace_done("update");
  };
  return {name, to_text(numbers) + " weights fp32", run, {}, (is_sgd ? 20.0 : 28.0) * static_cast<double>(numbers), 0};
}

std::vector<Make> special(const std::string& name, i64 batch, DType type) {
  const Shape map{batch, 10, 28, 28, 192};
  if (name == "relu") return {[=] { return of_one("relu", map, type, 2, 5, [](const Tensor& x) { return relu(x); }); }};
  if (name == "add") return {[=] { return addition(map, type); }};
  if (name == "softmax")
    return {[=] { return of_one("softmax", {batch, 1000}, type, 2, 5, [](const Tensor& x) { return softmax(x); }); }};
  if (name == "cross_entropy")
    return {[=] { return entropy(batch, 1000, type); }, [=] { return entropy(batch, 100, type); }};
  // AlexNet, I3D, GoogLeNet.
  return {[=] { return update(name, 60'965'224); }, [=] { return update(name, 12'689'984); },
          [=] { return update(name, 6'998'552); }};
}

const std::vector<std::string> special_names{"relu", "add", "softmax", "cross_entropy", "sgd", "adam"};

}  // namespace

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const auto& [name, lines] : descriptors()) names.push_back(name);
  names.insert(names.end(), special_names.begin(), special_names.end());
  return names;
}

std::vector<Make> operation_cases(const std::string& name, i64 batch, DType type, Math math) {
  const auto found = descriptors().find(name);
  if (found == descriptors().end()) {
    std::string names;
    bool known = false;
    for (const std::string& n : operation_names()) {
      names += " " + n;
      known = known || n == name;
    }
    check(Exit::usage, known, "bench op '{}': there are:{}", name, names);
    return special(name, batch, type);
  }
  std::vector<Make> cases;
  for (const std::string& line : found->second)
    cases.push_back([=] { return described(name, parse_descriptor(with_batch(line, batch, type, math))); });
  return cases;
}

}  // namespace dactyl
