#include "kernels/conv_way.h"

#ifdef __CUDACC__

#include "kernels/bias_relu.h"
#include "kernels/conv_columns.h"
#include "kernels/hopper/stem.h"

namespace dactyl {
namespace {

class CudnnWay final : public ConvWay {
 public:
  explicit CudnnWay(Plan plan) : ConvWay(plan.name), plan_(std::move(plan)) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    Context& context = Context::current();
    return run_plan(plan_, context.cudnn(), problem, t.data(), context.workspace(plan_.workspace));
  }
  std::string compiled() const override { return plan_json(plan_); }

 private:
  Plan plan_;
};

class ColumnsWay final : public ConvWay {
 public:
  ColumnsWay() : ConvWay("columns") {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    conv_by_columns(problem, t);
    return true;
  }
};

class StemWay final : public ConvWay {
 public:
  StemWay(const std::string& name, hopper::Unit unit) : ConvWay(name), unit_(unit) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    (problem.pass == Pass::forward ? hopper::stem_forward : hopper::stem_weights)(problem, t, unit_);
    return true;
  }

 private:
  hopper::Unit unit_;
};

class ApartWay final : public ConvWay {
 public:
  explicit ApartWay(const ConvWay& plain) : ConvWay("apart"), plain_(plain) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    if (!plain_.run(without_epilogue(problem), {t.x, t.w, t.y, {}})) return false;
    const Tensor y = t.y.reshaped({problem.rows_out(), problem.outs});
    bias_relu(y, t.bias, problem.relu, y);
    return true;
  }

 private:
  const ConvWay& plain_;
};

class PackedWay final : public ConvWay {
 public:
  PackedWay(const Packing& packing, const ConvWay& inner)
      : ConvWay(to_text(packing)), packing_(packing), inner_(inner) {}

  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    const ConvProblem packed = packed_problem(problem, packing_);
    const Device device = t.x.device();
    const Tensor x({packed.x_count()}, packed.dtype, device), w({packed.w_count()}, packed.dtype, device);
    pack_input(problem, packing_, t.x, x);
    if (problem.pass == Pass::forward) pack_weights(problem, packing_, t.w, w);
    if (!inner_.run(packed, {x, w, t.y, t.bias})) return false;
    if (problem.pass == Pass::weights) unpack_weights(problem, packing_, w, t.w);
    return true;
  }

 private:
  Packing packing_;
  const ConvWay& inner_;
};

}  // namespace

ConvProblem without_epilogue(const ConvProblem& problem) {
  ConvProblem plain = problem;
  plain.bias = plain.relu = false;
  return plain;
}

OwnedWay cudnn_way(Plan plan) { return std::make_unique<CudnnWay>(std::move(plan)); }
OwnedWay columns_way() { return std::make_unique<ColumnsWay>(); }
OwnedWay apart_way(const ConvWay& plain) { return std::make_unique<ApartWay>(plain); }
OwnedWay stem_way(const ConvProblem& problem, const std::string& name) {
  if (!hopper::is_stem(problem) || !hopper::has_stem_kernels()) return nullptr;
  if (name == "stem") return std::make_unique<StemWay>(name, hopper::Unit::warpgroups);
  return name == "stem by warps" ? std::make_unique<StemWay>(name, hopper::Unit::warps) : nullptr;
}
OwnedWay packed_way(const Packing& packing, const ConvWay& inner) {
  return std::make_unique<PackedWay>(packing, inner);
}

}  // namespace dactyl
#endif
