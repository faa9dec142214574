// The JSON header of a safetensors file, shared by its reader and its writer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dtype.h"

namespace dactyl {

struct SafetensorsEntry {
  std::string dtype;
  std::vector<i64> shape;
  std::uint64_t begin = 0, end = 0;  // bytes, counted from the end of the header
};

struct SafetensorsHeader {
  static constexpr std::uint64_t max_bytes = 100'000'000;  // the format's own limit
  static constexpr std::size_t max_tensors = 100'000;
  static constexpr std::size_t max_notes = max_tensors + 1000;  // a checksum each, and what a file says of itself
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> notes;
};

// Refuses everything but {name: {dtype, shape, data_offsets}, "__metadata__": {text: text}}: other JSON, duplicate
// names or fields, names that are not sound. Ranges and types are the caller's to check. `path` is for the errors.
SafetensorsHeader parse_safetensors_header(const std::string& path, std::string_view json);

// The format's number types: name, bytes, and ours if we have it.
struct SafetensorsType {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<DType> ours;
};
const SafetensorsType* safetensors_type(std::string_view name);  // null: unknown
std::string_view safetensors_name(DType);

// The notes a file of ours is recognised and verified by; everyone else sees plain metadata.
namespace seal {
inline constexpr std::string_view version_key = "dactyl.format";        // "1"
inline constexpr std::string_view header_key = "dactyl.header_crc32c";  // of length and header, its own digits as 0
inline constexpr std::string_view tensor_prefix = "dactyl.crc32c.";     // + tensor: of its bytes in the file
inline constexpr std::string_view blank = "00000000";
inline constexpr long version = 1;
// Where in the header's text the eight digits of its own checksum stand; npos if they do not.
std::size_t position(std::string_view header);
}  // namespace seal

}  // namespace dactyl
