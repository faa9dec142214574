// Recognises formats, and writes our own: safetensors with checksums among its metadata.
#include "weights/checkpoint.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "weights/atomic_file.h"
#include "weights/bytes.h"
#include "weights/crc32c.h"
#include "weights/safetensors_header.h"

namespace dactyl {
namespace {

struct Signature {
  std::size_t at;
  std::string_view bytes;
  const char* what;
};
// What people give us by mistake, or what other programs can turn into safetensors.
constexpr std::array<Signature, 9> foreign{{
    {0, "PK\x03\x04", "a PyTorch or Keras archive (zip); save its tensors as safetensors"},
    {0, "\x80\x02", "a PyTorch pickle; save its tensors as safetensors"},
    {257, "ustar", "a tar archive (an early PyTorch file?); save its tensors as safetensors"},
    {0, "\x89HDF\r\n\x1a\n", "an HDF5 file (Keras?); save its tensors as safetensors"},
    {0, "\x1f\x8b", "a gzip archive; unpack it first"},
    {0, "version https://git-lfs", "a git-lfs pointer; fetch the file itself"},
    {0, "<", "a page of text (HTML?); download the file itself"},
    {0, "{", "a JSON text"},
    {0, "GGUF", "a GGUF file; save its tensors as safetensors"},
}};

enum class Format { safetensors, caffemodel, unknown };

// A header's length (below 2^27, little-endian) and its first byte.
bool looks_like_safetensors(std::string_view first) {
  return first.size() > 8 && first.substr(4, 4) == std::string_view("\0\0\0\0", 4) && first[8] == '{';
}

// A caffemodel begins with the key of one of its first fields. Where the content says nothing the ending decides, so
// that the error comes from the reader that was meant.
Format format_of(const std::string& path, std::string_view first) {
  if (looks_like_safetensors(first)) return Format::safetensors;
  for (const Signature& s : foreign) {
    const bool here = first.size() > s.at && first.substr(s.at).starts_with(s.bytes);
    check(Exit::model_file, !here, "{}: is {}", path, s.what);
  }
  if (path.ends_with(".safetensors") || (first.size() > 8 && first[8] == '{')) return Format::safetensors;
  if (path.ends_with(".caffemodel")) return Format::caffemodel;
  const bool field = std::string_view("\x0a\x12\x1a\x22\x2a\x32\xa2").find(first[0]) != first.npos;
  return field ? Format::caffemodel : Format::unknown;
}

// Wider numbers first, so that every tensor lies aligned to its own size without a gap.
std::vector<std::pair<std::string, Tensor>> in_file_order(const Checkpoint& c) {
  std::vector<std::pair<std::string, Tensor>> order;
  for (const auto& [name, t] : c.tensors) {
    check(Exit::data, is_sound_name(name) && name != "__metadata__", "{}: cannot hold a tensor named {}", c.path,
          shown(name));
    check(t.defined(), "checkpoint: tensor {} has no numbers", name);
    order.emplace_back(name, t.dense().to(Device::cpu()));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return size_of(a.second.dtype()) > size_of(b.second.dtype()); });
  return order;
}

// The header with its length in front, padded so that the numbers begin at a multiple of 8.
std::string sealed_head(const std::map<std::string, std::string>& notes,
                        const std::vector<std::pair<std::string, Tensor>>& order) {
  using Json = nlohmann::ordered_json;
  Json metadata = Json::object();
  for (const auto& [key, text] : notes) metadata[key] = text;
  metadata[std::string(seal::version_key)] = std::to_string(seal::version);
  metadata[std::string(seal::header_key)] = seal::blank;
  Json header = Json::object();
  header["__metadata__"] = nullptr;  // first of all; filled below
  i64 end = 0;
  for (const auto& [name, t] : order) {
    Json shape = Json::array();
    for (int i = 0; i < t.shape().rank(); ++i) shape.push_back(t.shape()[i]);
    header[name] = {{"dtype", safetensors_name(t.dtype())}, {"shape", shape}, {"data_offsets", {end, end + t.bytes()}}};
    end += t.bytes();
    metadata[std::string(seal::tensor_prefix) + name] = hex8(crc32c(t.raw(), static_cast<std::size_t>(t.bytes())));
  }
  header["__metadata__"] = std::move(metadata);
  // Notes may quote file names in any encoding; what is not UTF-8 becomes U+FFFD.
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string head(reinterpret_cast<const char*>(&length), 8);
  head += text;
  head.replace(seal::position(head), seal::blank.size(), hex8(crc32c(head.data(), head.size())));
  return head;
}

}  // namespace

Checkpoint Checkpoint::read(const std::string& path) {
  const InputFile file(path);
  check(Exit::model_file, file.size() > 0, "{}: is empty; a safetensors or caffemodel file was expected", path);
  const std::string first = file.text(0, std::min<std::uint64_t>(file.size(), 512));
  const Format format = format_of(path, first);
  check(Exit::model_file, format != Format::unknown,
        "{}: begins with {}: neither safetensors nor caffemodel, the formats that can be read", path,
        shown(first.substr(0, 8)));
  return format == Format::safetensors ? read_safetensors(path) : read_caffemodel(path);
}

void Checkpoint::write(const std::string& to) const {
  const auto order = in_file_order(*this);
  const std::string head = sealed_head(notes, order);
  std::uint64_t bytes = head.size();
  for (const auto& [name, t] : order) bytes += static_cast<std::uint64_t>(t.bytes());
  AtomicFile file(to, bytes);
  file.write(head.data(), head.size());
  for (const auto& [name, t] : order) file.write(t.raw(), static_cast<std::size_t>(t.bytes()));
  file.commit();
}

}  // namespace dactyl
