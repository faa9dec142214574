// The handle to numbers: shape, type, storage, gradient slot. Dense, row-major, channels last; no strides.
#pragma once

#include <memory>
#include <vector>

#include "engine/dtype.h"
#include "engine/shape.h"
#include "engine/storage.h"

namespace dactyl {

struct Slot;

// Copying a Tensor copies a handle. The one departure from dense: `slice` gives a view of some channels of a wider
// tensor, whose rows lie `pitch()` numbers apart; branches of a block write such slices, so joining them copies
// nothing.
class Tensor {
 public:
  Tensor() = default;                          // no numbers: defined() is false
  explicit Tensor(Shape, DType = DType::f32);  // uninitialised, on the current device
  Tensor(Shape, DType, Device);                // uninitialised
  static Tensor zeros(Shape, DType = DType::f32);
  static Tensor full(Shape, double value, DType = DType::f32);
  static Tensor from(Shape, const std::vector<float>& values, DType = DType::f32);  // on the current device
  static Tensor from(Shape, const std::vector<std::int32_t>& values);               // DType::i32
  static Tensor scalar(double value, DType = DType::f32);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  Device device() const { return storage_->device(); }
  i64 count() const { return shape_.count(); }
  i64 bytes() const { return count() * size_of(dtype_); }  // of the numbers, without gaps of a pitch
  i64 pitch() const { return pitch_; }                     // numbers from one row to the next
  bool is_dense() const { return pitch_ == shape_.channels() || shape_.rows() <= 1; }

  // The numbers' address; T must be the dtype's C++ type. Valid on the tensor's device only.
  template <class T>
  T* data() const {
    check(dtype_of<T>() == dtype_, "tensor: read as {}, holds {}", dtype_of<T>(), dtype_);
    return reinterpret_cast<T*>(raw());
  }
  std::byte* raw() const { return storage_->data() + offset_; }

  Tensor reshaped(Shape) const;                   // same numbers, same gradient slot is not shared; dense only
  Tensor slice(i64 channel, i64 channels) const;  // a view of some channels (the last extent)
  Tensor widened(i64 channels) const;             // a slice and its right-hand neighbours, `channels` in all
  Tensor rows(i64 first, i64 count) const;        // a view of some entries of the first extent; dense only
  Tensor lengthened(i64 entries) const;           // itself and what follows it in its storage; dense only
  Tensor dense() const;                           // itself, or a packed copy of a pitched view
  static i64 layout_copies();                     // how often dense() had to copy, in this thread
  Tensor to(Device) const;                        // itself if already there; waits for the copy
  Tensor to(DType) const;                         // itself if already so; not recorded on the tape (see kernels' cast)
  Tensor clone() const;
  void copy_from(const Tensor&);  // same shape and type, any device; queued on the compute stream
  void fill(double value);
  std::vector<float> floats() const;  // to the host, as float; waits
  double item() const;                // the single number of a tensor of one; waits
  // Identity of the content (see Storage::stamp). copy_from and fill renew it; an operation that writes a parameter in
  // place calls touch().
  std::uint64_t stamp() const { return storage_->stamp(); }
  void touch() { storage_->touch(); }
  bool same_storage(const Tensor& other) const { return storage_ == other.storage_; }
  bool shares_storage() const { return storage_.use_count() > 1; }  // with any other handle

  Tensor& watch();  // gather a gradient here
  Tensor& unwatch();
  bool watched() const { return slot_ != nullptr; }
  Tensor grad() const;  // undefined if nothing has arrived
  const std::shared_ptr<Slot>& slot() const { return slot_; }
  void set_slot(std::shared_ptr<Slot> slot) { slot_ = std::move(slot); }
  Tensor detached() const;  // the same numbers without a slot

 private:
  std::shared_ptr<Storage> storage_;
  std::shared_ptr<Slot> slot_;
  Shape shape_;
  DType dtype_ = DType::f32;
  i64 offset_ = 0;  // bytes into the storage
  i64 pitch_ = 1;

  friend Tensor view(const Tensor& base, i64 first, Shape shape);
};

// `shape.count()` numbers of a dense tensor starting at number `first`: how packed buffers are divided.
Tensor view(const Tensor& base, i64 first, Shape shape);
Tensor empty_like(const Tensor&);  // dense, same shape, type and device

// Raw bytes between any two places; queued on the compute stream when a GPU is involved and the host side is pinned.
void copy_bytes(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes);

}  // namespace dactyl
