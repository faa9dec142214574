// Creation, copies and views of tensors.
#include "engine/tensor.h"

#include <cstring>

#include "engine/cuda.h"
#include "engine/each.h"
#include "engine/tape.h"

namespace dactyl {
namespace {

std::shared_ptr<Pool> pool_of(Device device) {
  if (!device.is_cuda()) return Pool::host();
  Context* context = Context::find(device);
  check(context != nullptr, "tensor: {} is not this thread's current device; make it so with Use", device);
  return context->pool();
}

template <class T>
void fill_typed(Device device, i64 rows, i64 channels, i64 pitch, T* x, T value) {
  each(device, rows * channels, [=] HD(i64 i) { x[i / channels * pitch + i % channels] = value; });
}

template <class T>
void copy_rows(Device device, i64 rows, i64 channels, T* to, i64 to_pitch, const T* from, i64 from_pitch) {
  each_row(device, rows, channels, [=] HD(i64 r, i64 c) { to[r * to_pitch + c] = from[r * from_pitch + c]; });
}

// Calls f with an unsigned type of so many bytes: for moving numbers without reading them.
template <class F>
void with_width(i64 bytes, const F& f) {
  switch (bytes) {
    case 16:
      return f.template operator()<Pack<std::uint8_t>>();
    case 1:
      return f.template operator()<std::uint8_t>();
    case 2:
      return f.template operator()<std::uint16_t>();
    case 4:
      return f.template operator()<std::uint32_t>();
    default:
      return f.template operator()<std::uint64_t>();
  }
}

}  // namespace

Tensor::Tensor(Shape shape, DType dtype, Device device)
    : storage_(std::make_shared<Storage>(static_cast<std::size_t>(shape.count() * size_of(dtype)), pool_of(device))),
      shape_(shape),
      dtype_(dtype),
      pitch_(shape.channels()) {}

Tensor::Tensor(Shape shape, DType dtype) : Tensor(shape, dtype, Context::current().device()) {}

Tensor Tensor::zeros(Shape shape, DType dtype) { return full(shape, 0, dtype); }

Tensor Tensor::full(Shape shape, double value, DType dtype) {
  Tensor t(shape, dtype);
  t.fill(value);
  return t;
}

Tensor Tensor::scalar(double value, DType dtype) { return full(Shape{1}, value, dtype); }

Tensor Tensor::from(Shape shape, const std::vector<float>& values, DType dtype) {
  check(shape.count() == static_cast<i64>(values.size()), "tensor: {} values for shape {}", values.size(), shape);
  Tensor host(shape, DType::f32, Device::cpu());
  std::memcpy(host.raw(), values.data(), values.size() * sizeof(float));
  return host.to(dtype).to(Context::current().device());
}

Tensor Tensor::from(Shape shape, const std::vector<std::int32_t>& values) {
  check(shape.count() == static_cast<i64>(values.size()), "tensor: {} values for shape {}", values.size(), shape);
  Tensor host(shape, DType::i32, Device::cpu());
  std::memcpy(host.raw(), values.data(), values.size() * sizeof(std::int32_t));
  return host.to(Context::current().device());
}

Tensor Tensor::reshaped(Shape shape) const {
  check(is_dense(), "reshape: a slice with pitch {} of shape {} is not dense", pitch_, shape_);
  check(shape.count() == count(), "reshape: {} holds {} numbers, {} needs {}", shape_, count(), shape, shape.count());
  Tensor t = detached();
  t.shape_ = shape;
  t.pitch_ = shape.channels();
  return t;
}

Tensor Tensor::slice(i64 channel, i64 channels) const {
  check(channel >= 0 && channels >= 0 && channel + channels <= shape_.channels(),
        "slice: channels {} to {} of shape {}", channel, channel + channels, shape_);
  Tensor t = detached();
  t.offset_ += channel * size_of(dtype_);
  t.shape_ = shape_.with(-1, channels);
  return t;
}

Tensor Tensor::widened(i64 channels) const {
  const i64 last = offset_ / size_of(dtype_) + (shape_.rows() - 1) * pitch_ + channels;
  check(channels <= pitch_ && last * size_of(dtype_) <= static_cast<i64>(storage_->bytes()),
        "widened: {} channels of shape {} with pitch {}", channels, shape_, pitch_);
  Tensor t = detached();
  t.shape_ = shape_.with(-1, channels);
  return t;
}

Tensor Tensor::rows(i64 first, i64 n) const {
  check(is_dense(), "rows: a slice with pitch {} of shape {} is not dense", pitch_, shape_);
  check(first >= 0 && n >= 0 && first + n <= shape_[0], "rows: {} to {} of shape {}", first, first + n, shape_);
  const i64 stride = shape_[0] ? count() / shape_[0] : 0;
  return view(*this, first * stride, shape_.with(0, n));
}

Tensor Tensor::lengthened(i64 entries) const {
  Tensor t = detached();
  t.shape_ = shape_.with(0, entries);
  check(is_dense() && offset_ + t.bytes() <= static_cast<i64>(storage_->bytes()), "lengthened: {} entries of shape {}",
        entries, shape_);
  return t;
}

Tensor view(const Tensor& base, i64 first, Shape shape) {
  check(base.is_dense() && first >= 0 && first + shape.count() <= base.count(), "view: {} numbers from {} of shape {}",
        shape.count(), first, base.shape());
  Tensor t = base.detached();
  t.offset_ += first * size_of(base.dtype());
  t.shape_ = shape;
  t.pitch_ = shape.channels();
  return t;
}

Tensor Tensor::detached() const {
  Tensor t = *this;
  t.slot_.reset();
  return t;
}

Tensor empty_like(const Tensor& x) { return Tensor(x.shape(), x.dtype(), x.device()); }

Tensor Tensor::clone() const {
  Tensor t = empty_like(*this);
  t.copy_from(*this);
  return t;
}

thread_local i64 copies_to_dense = 0;

Tensor Tensor::dense() const {
  if (is_dense()) return *this;
  ++copies_to_dense;
  return clone();
}

i64 Tensor::layout_copies() { return copies_to_dense; }

Tensor Tensor::to(Device target) const {
  if (device() == target) return *this;
  const Tensor source = dense();
  Tensor t(shape_, dtype_, target);
  copy_bytes(t.raw(), target, source.raw(), device(), static_cast<std::size_t>(bytes()));
  Context::current().compute().synchronize();
  return t;
}

void Tensor::copy_from(const Tensor& from) {
  check(from.shape() == shape_ && from.dtype() == dtype_, "copy: {} {} into {} {}", from.dtype(), from.shape(), dtype_,
        shape_);
  touch();
  if (is_dense() && from.is_dense()) {
    copy_bytes(raw(), device(), from.raw(), from.device(), static_cast<std::size_t>(bytes()));
    return;
  }
  check(from.device() == device(), "copy: a slice on {} into {}; make it dense first", from.device(), device());
  const i64 own = size_of(dtype_), width = packed(*this) && packed(from) ? 16 : own, per_width = width / own;
  with_width(width, [&]<class T>() {
    copy_rows(device(), shape_.rows(), shape_.channels() / per_width, reinterpret_cast<T*>(raw()), pitch_ / per_width,
              reinterpret_cast<const T*>(from.raw()), from.pitch_ / per_width);
  });
}

void Tensor::fill(double value) {
  touch();
  const i64 rows = shape_.rows(), channels = shape_.channels();
  if (dtype_ == DType::i32)
    return fill_typed(device(), rows, channels, pitch_, data<std::int32_t>(), std::int32_t(value));
  if (dtype_ == DType::u8)
    return fill_typed(device(), rows, channels, pitch_, data<std::uint8_t>(), std::uint8_t(value));
  with_float(dtype_,
             [&]<class T>() { fill_typed(device(), rows, channels, pitch_, data<T>(), T(compute_t<T>(value))); });
}

std::vector<float> Tensor::floats() const {
  const Tensor host = dense().to(Device::cpu());
  std::vector<float> values(static_cast<std::size_t>(count()));
  const auto read = [&]<class T>() {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(host.data<T>()[i]);
  };
  if (dtype_ == DType::i32)
    read.operator()<std::int32_t>();
  else if (dtype_ == DType::u8)
    read.operator()<std::uint8_t>();
  else
    with_float(dtype_, read);
  return values;
}

double Tensor::item() const {
  check(count() == 1, "item: shape {} is not one number", shape_);
  const Tensor host = to(Device::cpu());
  if (dtype_ == DType::f64) return host.data<double>()[0];
  if (dtype_ == DType::i32) return host.data<std::int32_t>()[0];
  return host.floats()[0];
}

Tensor& Tensor::watch() {
  if (!slot_) {
    slot_ = std::make_shared<Slot>();
    slot_->leaf = true;
  }
  return *this;
}

Tensor& Tensor::unwatch() {
  slot_.reset();
  return *this;
}

Tensor Tensor::grad() const { return slot_ && slot_->filled ? slot_->grad : Tensor(); }

void copy_bytes(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) {
  if (bytes == 0) return;
#ifdef __CUDACC__
  if (to_device.is_cuda() || from_device.is_cuda()) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, Context::current().compute().handle()), "copying memory");
    return;
  }
#endif
  check(!to_device.is_cuda() && !from_device.is_cuda(), "copy: this build has no GPU code");
  std::memcpy(to, from, bytes);
}

}  // namespace dactyl
