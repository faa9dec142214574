// RAII over the descriptors of cuDNN's backend API. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cudnn_check.h"

namespace dactyl {

// Not called Descriptor: kernels/descriptor.h has that name for a layer as a line, and one program holds both.
class BackendDescriptor {
 public:
  explicit BackendDescriptor(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made = nullptr;
    check(cudnnBackendCreateDescriptor(type, &made), "creating a descriptor");
    handle_.reset(made);
  }

  cudnnBackendDescriptor_t get() const { return handle_.get(); }

  template <class T>
  BackendDescriptor& set(cudnnBackendAttributeName_t name, std::span<const T> values) {
    const auto status =
        cudnnBackendSetAttribute(get(), name, attribute_type<T>(), static_cast<i64>(values.size()), values.data());
    if (status != CUDNN_STATUS_SUCCESS) [[unlikely]]
      check(status, ("setting attribute " + std::to_string(name)).c_str());
    return *this;
  }
  template <class T>
  BackendDescriptor& set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    return set(name, std::span<const T>(values));
  }
  template <class T>
  BackendDescriptor& set(cudnnBackendAttributeName_t name, T value) {
    return set(name, std::span<const T>(&value, 1));
  }
  BackendDescriptor& set(cudnnBackendAttributeName_t name, const BackendDescriptor& part) {
    return set(name, part.get());
  }
  // Addresses on the GPU. By another name, since to C++ a descriptor and an address are both void*.
  BackendDescriptor& set_addresses(cudnnBackendAttributeName_t name, const std::vector<void*>& addresses) {
    check(cudnnBackendSetAttribute(get(), name, CUDNN_TYPE_VOID_PTR, static_cast<i64>(addresses.size()),
                                   addresses.data()),
          "setting addresses");
    return *this;
  }

  BackendDescriptor& finalize(const char* what) {
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
  std::vector<BackendDescriptor> parts(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                       i64 limit) const {
    std::vector<BackendDescriptor> made;
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
