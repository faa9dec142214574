// RAII over the descriptors of cuDNN's backend API. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cudnn.h>

#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/check.h"

namespace dactyl {

// cuDNN's last complaint of this thread, for error texts.
inline std::string cudnn_complaint(cudnnStatus_t status) {
  char text[512] = {};
  cudnnGetLastErrorString(text, sizeof text);
  return std::string(cudnnGetErrorString(status)) + (text[0] ? ", " + std::string(text) : "");
}

inline void check(cudnnStatus_t status, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (status != CUDNN_STATUS_SUCCESS) [[unlikely]]
    check(false, Message("cuDNN: {}: {}", where), what, cudnn_complaint(status));
}

// How cuDNN names a C++ type.
template <class T>
constexpr cudnnBackendAttributeType_t attribute_type() {
  if constexpr (std::is_same_v<T, i64>) return CUDNN_TYPE_INT64;
  if constexpr (std::is_same_v<T, std::int32_t>) return CUDNN_TYPE_INT32;
  if constexpr (std::is_same_v<T, float>) return CUDNN_TYPE_FLOAT;
  if constexpr (std::is_same_v<T, bool>) return CUDNN_TYPE_BOOLEAN;
  if constexpr (std::is_same_v<T, char>) return CUDNN_TYPE_CHAR;
  if constexpr (std::is_same_v<T, cudnnHandle_t>) return CUDNN_TYPE_HANDLE;
  if constexpr (std::is_same_v<T, cudnnDataType_t>) return CUDNN_TYPE_DATA_TYPE;
  if constexpr (std::is_same_v<T, cudnnConvolutionMode_t>) return CUDNN_TYPE_CONVOLUTION_MODE;
  if constexpr (std::is_same_v<T, cudnnPointwiseMode_t>) return CUDNN_TYPE_POINTWISE_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendHeurMode_t>) return CUDNN_TYPE_HEUR_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendNumericalNote_t>) return CUDNN_TYPE_NUMERICAL_NOTE;
  if constexpr (std::is_same_v<T, cudnnBackendKnobType_t>) return CUDNN_TYPE_KNOB_TYPE;
  return CUDNN_TYPE_BACKEND_DESCRIPTOR;  // T: cudnnBackendDescriptor_t
}

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made = nullptr;
    check(cudnnBackendCreateDescriptor(type, &made), "creating a descriptor");
    handle_.reset(made);
  }

  cudnnBackendDescriptor_t get() const { return handle_.get(); }

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, std::span<const T> values) {
    const auto status =
        cudnnBackendSetAttribute(get(), name, attribute_type<T>(), static_cast<i64>(values.size()), values.data());
    if (status != CUDNN_STATUS_SUCCESS) [[unlikely]]
      check(status, ("setting attribute " + std::to_string(name)).c_str());
    return *this;
  }
  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    return set(name, std::span<const T>(values));
  }
  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, T value) {
    return set(name, std::span<const T>(&value, 1));
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& part) { return set(name, part.get()); }
  // Addresses on the GPU. By another name, since to C++ a descriptor and an address are both void*.
  Descriptor& set_addresses(cudnnBackendAttributeName_t name, const std::vector<void*>& addresses) {
    check(cudnnBackendSetAttribute(get(), name, CUDNN_TYPE_VOID_PTR, static_cast<i64>(addresses.size()),
                                   addresses.data()),
          "setting addresses");
    return *this;
  }

  Descriptor& finalize(const char* what) {
    check(cudnnBackendFinalize(get()), what);
    return *this;
  }
  bool try_finalize() { return cudnnBackendFinalize(get()) == CUDNN_STATUS_SUCCESS; }

  // One value; `fallback` where the attribute cannot be read.
  template <class T>
  T value(cudnnBackendAttributeName_t name, T fallback) const {
    i64 count = 0;
    T result = fallback;
    const auto status = cudnnBackendGetAttribute(get(), name, attribute_type<T>(), 1, &count, &result);
    return status == CUDNN_STATUS_SUCCESS && count == 1 ? result : fallback;
  }
  // At most `limit` values.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name, i64 limit) const {
    i64 count = 0;
    std::vector<T> result(static_cast<std::size_t>(limit));
    check(cudnnBackendGetAttribute(get(), name, attribute_type<T>(), limit, &count, result.data()),
          "reading an attribute");
    result.resize(static_cast<std::size_t>(std::min(count, limit)));
    return result;
  }
  // Descriptors that belong to this one: cuDNN fills in those it is given.
  std::vector<Descriptor> parts(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type, i64 limit) const {
    std::vector<Descriptor> made;
    std::vector<cudnnBackendDescriptor_t> handles;
    for (i64 i = 0; i < limit; ++i) handles.push_back(made.emplace_back(type).get());
    i64 count = 0;
    const auto status =
        cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, limit, &count, handles.data());
    const i64 kept = status == CUDNN_STATUS_SUCCESS ? std::min(count, limit) : 0;
    made.erase(made.begin() + kept, made.end());
    return made;
  }

 private:
  struct Destroy {
    void operator()(cudnnBackendDescriptor_t d) const { cudnnBackendDestroyDescriptor(d); }
  };
  std::unique_ptr<std::remove_pointer_t<cudnnBackendDescriptor_t>, Destroy> handle_;
};

}  // namespace dactyl
#endif
