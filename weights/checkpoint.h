// A file of named tensors and notes: a safetensors container with checksums, written all or nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace dactyl {

// Tensors are on the CPU, in the order and layout they are stored in the file (ours or a foreign one's).
struct Checkpoint {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> notes;  // safetensors' __metadata__: passport, training state, checksums
  std::string format;                        // "safetensors", "caffemodel": what it was read from
  std::string path;

  // Recognises the format by its first bytes. Throws Exit::model_file: file, tensor, offset, expected and found.
  // Our own files carry CRC-32C per tensor and over the header; both are verified.
  static Checkpoint read(const std::string& path);
  // To a temporary name beside it, fsync, rename, fsync of the folder: `path` holds either the old file or the whole
  // new one at every moment. Throws Exit::data naming the path and the bytes needed and free.
  void write(const std::string& path) const;
};

Checkpoint read_safetensors(const std::string& path);
Checkpoint read_caffemodel(const std::string& path);  // tensors "layer.weight", "layer.bias" in Caffe's axis order

// Text files that must never be half there (JSON, CSV snapshots, plots' data): the same way of writing.
void write_atomically(const std::string& path, const std::string& content);

}  // namespace dactyl
