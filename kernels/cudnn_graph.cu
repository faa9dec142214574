// Tensors and operations of a convolution, in cuDNN's words.
#include "kernels/cudnn_graph.h"

#ifdef __CUDACC__

namespace dactyl {
namespace {

cudnnDataType_t data_type(DType t) {
  switch (t) {
    case DType::bf16:
      return CUDNN_DATA_BFLOAT16;
    case DType::f16:
      return CUDNN_DATA_HALF;
    default:
      check(t == DType::f32, "cuDNN: convolutions of {} are not computed there", t);
  }
  return CUDNN_DATA_FLOAT;
}

// (first, channels, spatial…) with the strides of channels-last memory, rows of channels `pitch` apart. Images have no
// depth.
struct Layout {
  std::vector<i64> dims, strides;
  Layout(i64 first, i64 channels, i64 pitch, const std::array<i64, 3>& extent, bool flat)
      : dims{first, channels}, strides{0, 1} {
    for (int i = flat ? 1 : 0; i < 3; ++i) dims.push_back(extent[static_cast<std::size_t>(i)]);
    strides.resize(dims.size());
    i64 stride = pitch;
    for (std::size_t i = dims.size() - 1; i >= 2; --i) {
      strides[i] = stride;
      stride *= dims[i];
    }
    strides[0] = stride;
  }
};

class Builder {
 public:
  explicit Builder(const ConvProblem& p)
      : p_(p),
        x_shape_(p.batch, p.groups * p.ins, p.groups * p.ins, p.in, p.is_flat()),
        w_shape_(p.outs, p.ins, p.ins, p.kernel, p.is_flat()),
        y_shape_(p.batch, p.outs, p.y_pitch(), p.out, p.is_flat()),
        dense_y_shape_(p.batch, p.outs, p.outs, p.out, p.is_flat()) {}

  ConvGraph build(cudnnHandle_t handle) {
    std::vector<cudnnBackendDescriptor_t> operations;
    if (p_.pass == Pass::forward)
      operations = forward();
    else
      operations = {p_.pass == Pass::data ? backward_data() : backward_weights()};
    result_.graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations).set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    result_.graph.finalize("an operation graph");
    return std::move(result_);
  }

 private:
  using Handle = cudnnBackendDescriptor_t;
  using Name = cudnnBackendAttributeName_t;

  Handle keep(BackendDescriptor d, const char* what) {
    d.finalize(what);
    return result_.parts.emplace_back(std::move(d)).get();
  }

  Handle tensor(i64 uid, const Layout& layout, DType type, i64 alignment, bool is_virtual = false) {
    BackendDescriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, uid).set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(type));
    d.set(CUDNN_ATTR_TENSOR_DIMENSIONS, layout.dims).set(CUDNN_ATTR_TENSOR_STRIDES, layout.strides);
    d.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment).set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
    return keep(std::move(d), "a tensor");
  }
  Handle x() { return tensor(uid_x, x_shape_, p_.dtype, p_.alignment[0]); }
  Handle w() { return tensor(uid_w, w_shape_, p_.dtype, p_.alignment[1]); }
  Handle y() { return tensor(uid_y, y_shape_, p_.dtype, p_.alignment[2]); }
  Handle intermediate(i64 uid) { return tensor(uid, dense_y_shape_, DType::f32, 16, true); }

  std::vector<i64> spatial(const std::array<i64, 3>& v) const { return {v.begin() + (p_.is_flat() ? 1 : 0), v.end()}; }

  Handle convolution() {
    BackendDescriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const std::vector<i64> stride = spatial(p_.stride);
    d.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<i64>(stride.size()));
    d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    d.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride);
    d.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, spatial(p_.low));
    d.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, spatial(p_.high));
    d.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::vector<i64>(stride.size(), 1));
    return keep(std::move(d), "a convolution");
  }

  struct Argument {
    Name name;
    Handle handle;
  };
  Handle operation(cudnnBackendDescriptorType_t type, Name alpha, Name beta, const std::vector<Argument>& arguments) {
    BackendDescriptor d(type);
    for (const Argument& a : arguments) d.set(a.name, a.handle);
    d.set(alpha, 1.0f).set(beta, 0.0f);
    return keep(std::move(d), "a convolution's operation");
  }

  Handle pointwise(cudnnPointwiseMode_t mode, Handle from, Handle operand, Handle to) {
    BackendDescriptor kind(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    kind.set(CUDNN_ATTR_POINTWISE_MODE, mode).set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    const Handle how = keep(std::move(kind), "a pointwise function");
    BackendDescriptor d(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how).set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from);
    if (operand) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, operand);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to);
    return keep(std::move(d), "a pointwise operation");
  }

  // Convolution, bias, relu in a row; what lies between two of them stays in registers, in f32.
  std::vector<Handle> forward() {
    const Handle product = p_.bias || p_.relu ? intermediate(uid_product) : y();
    std::vector<Handle> list{operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                                       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x()},
                                        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w()},
                                        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, product},
                                        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution()}})};
    Handle last = product;
    if (p_.bias) {
      const Handle bias = tensor(uid_bias, Layout(1, p_.outs, p_.outs, {1, 1, 1}, p_.is_flat()), p_.dtype, 16);
      const Handle sum = p_.relu ? intermediate(uid_sum) : y();
      list.push_back(pointwise(CUDNN_POINTWISE_ADD, last, bias, sum));
      last = sum;
    }
    if (p_.relu) list.push_back(pointwise(CUDNN_POINTWISE_RELU_FWD, last, nullptr, y()));
    return list;
  }

  Handle backward_data() {
    return operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                     {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, x()},
                      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w()},
                      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, y()},
                      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution()}});
  }

  Handle backward_weights() {
    return operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                     {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x()},
                      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, w()},
                      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, y()},
                      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution()}});
  }

  const ConvProblem& p_;
  Layout x_shape_, w_shape_, y_shape_, dense_y_shape_;
  ConvGraph result_;
};

}  // namespace

ConvGraph conv_graph(const ConvProblem& problem, cudnnHandle_t handle) { return Builder(problem).build(handle); }

}  // namespace dactyl
#endif
