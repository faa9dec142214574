// cuDNN's status as an exception, and its names for our types. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cudnn.h>

#include <string>
#include <type_traits>

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

}  // namespace dactyl
#endif
