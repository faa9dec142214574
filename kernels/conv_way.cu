#include "kernels/conv_way.h"

#ifdef __CUDACC__

#include "engine/each.h"
#include "kernels/bias_relu.h"
#include "kernels/conv_columns.h"
#include "kernels/conv_search.h"
#include "kernels/fast/few_rows.h"
#include "kernels/hopper/few_places.h"
#include "kernels/hopper/implicit.h"
#include "kernels/hopper/implicit_weights.h"
#include "kernels/hopper/stem.h"

namespace dactyl {
namespace {

class CudnnWay final : public ConvWay {
 public:
  explicit CudnnWay(Plan plan) : ConvWay(plan.name), plan_(std::move(plan)) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    Context& context = Context::current();
    const Tensor workspace({static_cast<i64>(plan_.workspace)}, DType::u8, context.device());
    return run_plan(plan_, context.cudnn(), problem, t.data(), workspace.raw());
  }
  std::string compiled() const override { return plan_json(plan_); }

 private:
  Plan plan_;
};

class GemmWay final : public ConvWay {
 public:
  GemmWay(std::shared_ptr<const LtProduct> product, LtAlgorithm algorithm)
      : ConvWay(algorithm.name), product_(std::move(product)), algorithm_(std::move(algorithm)) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    product_->run(algorithm_, product_data(problem.pass, t.data()));
    return true;
  }

 private:
  std::shared_ptr<const LtProduct> product_;
  LtAlgorithm algorithm_;
};

class PlacedWay final : public ConvWay {
 public:
  explicit PlacedWay(const ConvWay& dense) : ConvWay("placed"), dense_(dense) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    const bool forward = problem.pass == Pass::forward;
    const Tensor y = forward ? empty_like(t.y) : t.y.dense();
    if (!dense_.run(dense_problem(problem), {t.x, t.w, y, t.bias})) return false;
    if (forward) Tensor(t.y).copy_from(y);
    return true;
  }

 private:
  const ConvWay& dense_;
};

class FewRowsWay final : public ConvWay {
 public:
  FewRowsWay() : ConvWay("few rows") {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    fast::few_rows(problem, t.data(), t.y.device());
    return true;
  }
};

class ColumnsWay final : public ConvWay {
 public:
  ColumnsWay() : ConvWay("columns") {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    const PartsOfAProblem products;
    conv_by_columns(problem, t);
    return true;
  }
};

class StemWay final : public ConvWay {
 public:
  StemWay() : ConvWay("stem") {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    (problem.pass == Pass::forward ? hopper::stem_forward : hopper::stem_weights)(problem, t);
    return true;
  }
};

class ImplicitWay final : public ConvWay {
 public:
  explicit ImplicitWay(const hopper::ImplicitTile& tile) : ConvWay("implicit " + to_text(tile)), tile_(tile) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    hopper::implicit_conv(problem, t, tile_);
    return true;
  }

 private:
  hopper::ImplicitTile tile_;
};

class ImplicitWeightsWay final : public ConvWay {
 public:
  explicit ImplicitWeightsWay(const hopper::WeightsTile& tile) : ConvWay("implicit " + to_text(tile)), tile_(tile) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    hopper::implicit_weights(problem, t, tile_);
    return true;
  }

 private:
  hopper::WeightsTile tile_;
};

class FewPlacesWay final : public ConvWay {
 public:
  explicit FewPlacesWay(const hopper::FewPlacesTile& tile) : ConvWay(to_text(tile)), tile_(tile) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    hopper::few_places(problem, t, tile_);
    return true;
  }

 private:
  hopper::FewPlacesTile tile_;
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

struct Sum {
  template <class C>
  HD C operator()(C a, C b) const {
    return a + b;
  }
};

class AddedWay final : public ConvWay {
 public:
  explicit AddedWay(const ConvWay& plain) : ConvWay("added"), plain_(plain) {}
  bool run(const ConvProblem& problem, const ConvTensors& t) const override {
    const Tensor dx = empty_like(t.x);
    if (!plain_.run(without_sum(problem), {dx, t.w, t.y, {}})) return false;
    map(Sum{}, t.x, t.x, dx);
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
OwnedWay gemm_way(std::shared_ptr<const LtProduct> product, LtAlgorithm algorithm) {
  return std::make_unique<GemmWay>(std::move(product), std::move(algorithm));
}
OwnedWay placed_way(const ConvWay& dense) { return std::make_unique<PlacedWay>(dense); }
OwnedWay few_rows_way() { return std::make_unique<FewRowsWay>(); }
OwnedWay columns_way() { return std::make_unique<ColumnsWay>(); }
OwnedWay apart_way(const ConvWay& plain) { return std::make_unique<ApartWay>(plain); }
OwnedWay added_way(const ConvWay& plain) { return std::make_unique<AddedWay>(plain); }
OwnedWay stem_way(const ConvProblem& problem) {
  return hopper::is_stem(problem) && hopper::has_stem_kernels() ? std::make_unique<StemWay>() : nullptr;
}
OwnedWay implicit_way(const hopper::ImplicitTile& tile) { return std::make_unique<ImplicitWay>(tile); }
std::vector<hopper::ImplicitTile> implicit_tiles(const ConvProblem& problem) {
  const bool fits = hopper::is_implicit(problem) && hopper::has_implicit_kernels();
  return fits ? hopper::implicit_tiles(problem) : std::vector<hopper::ImplicitTile>();
}
OwnedWay implicit_weights_way(const hopper::WeightsTile& tile) { return std::make_unique<ImplicitWeightsWay>(tile); }
std::vector<hopper::WeightsTile> implicit_weights_tiles(const ConvProblem& problem) {
  const bool fits = hopper::is_implicit_weights(problem) && hopper::has_implicit_kernels();
  return fits ? hopper::implicit_weights_tiles(problem) : std::vector<hopper::WeightsTile>();
}
OwnedWay few_places_way(const hopper::FewPlacesTile& tile) { return std::make_unique<FewPlacesWay>(tile); }
OwnedWay tiled_way_named(const ConvProblem& problem, const std::string& name) {
  for (const hopper::ImplicitTile& tile : implicit_tiles(problem))
    if (OwnedWay way = implicit_way(tile); way->name() == name) return way;
  for (const hopper::WeightsTile& tile : implicit_weights_tiles(problem))
    if (OwnedWay way = implicit_weights_way(tile); way->name() == name) return way;
  for (const hopper::FewPlacesTile& tile : hopper::few_places_tiles(problem))
    if (to_text(tile) == name) return few_places_way(tile);
  return nullptr;
}
OwnedWay packed_way(const Packing& packing, const ConvWay& inner) {
  return std::make_unique<PackedWay>(packing, inner);
}

}  // namespace dactyl
#endif
