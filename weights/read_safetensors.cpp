// Reads safetensors: 8 bytes of header length, a JSON header, the numbers. Refuses whatever the format does not allow.
#include <algorithm>
#include <bit>
#include <cstring>

#include "weights/bytes.h"
#include "weights/checkpoint.h"
#include "weights/crc32c.h"
#include "weights/safetensors_header.h"

namespace dactyl {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian and read as it lies");

using Entry = std::pair<const std::string, SafetensorsEntry>;

// Length and header as they lie in the file.
std::string read_head(const InputFile& file) {
  check(Exit::model_file, file.size() >= 8, "{}: safetensors: {} bytes, the header's length alone takes 8", file.path(),
        file.size());
  std::uint64_t length = 0;
  file.read(0, &length, 8);
  check(Exit::model_file, length <= SafetensorsHeader::max_bytes,
        "{}: safetensors: header of {} bytes announced at byte 0, the limit is {}", file.path(), std::to_string(length),
        SafetensorsHeader::max_bytes);
  check(Exit::model_file, length <= file.size() - 8,
        "{}: safetensors: header of {} bytes announced at byte 0, {} are left", file.path(), length, file.size() - 8);
  return file.text(0, 8 + length);
}

// One tensor's own claims: rank, type, and that shape and range agree.
void check_entry(const std::string& path, const Entry& e, std::uint64_t data_bytes) {
  const auto& [name, t] = e;
  check(Exit::model_file, t.begin <= t.end && t.end <= data_bytes,
        "{}: safetensors: tensor {} lies at data bytes {} to {}, there are {}", path, shown(name), t.begin, t.end,
        data_bytes);
  const SafetensorsType* type = safetensors_type(t.dtype);
  check(Exit::model_file, type != nullptr, "{}: safetensors: tensor {} has the unknown dtype {}", path, shown(name),
        shown(t.dtype));
  check(Exit::model_file, t.shape.size() <= Shape::max_rank, "{}: safetensors: tensor {} has rank {}, the limit is {}",
        path, shown(name), t.shape.size(), Shape::max_rank);
  const auto count = product(t.shape);
  std::uint64_t bytes = 0;
  const bool fits = count && !__builtin_mul_overflow(static_cast<std::uint64_t>(*count), type->bytes, &bytes);
  check(Exit::model_file, fits, "{}: safetensors: tensor {}: the size of its shape overflows", path, shown(name));
  check(Exit::model_file, bytes == t.end - t.begin, "{}: safetensors: tensor {} {} of {} needs {} bytes, has {}", path,
        shown(name), Shape(t.shape), t.dtype, bytes, t.end - t.begin);
}

// Together the tensors must cover the data once: no hole, no overlap, nothing left over. In the order they lie.
std::vector<const Entry*> in_file_order(const std::string& path, const SafetensorsHeader& header, std::uint64_t bytes) {
  std::vector<const Entry*> order;
  for (const Entry& e : header.tensors) {
    check_entry(path, e, bytes);
    order.push_back(&e);
  }
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  std::uint64_t end = 0;
  for (const Entry* e : order) {
    check(Exit::model_file, e->second.begin == end,
          "{}: safetensors: tensor {} begins at data byte {}, {} expected ({})", path, shown(e->first), e->second.begin,
          end, e->second.begin > end ? "a hole" : "an overlap");
    end = e->second.end;
  }
  check(Exit::model_file, end == bytes, "{}: safetensors: the tensors end at data byte {}, {} more bytes follow", path,
        end, bytes - end);
  return order;
}

// Whether the file says it is ours: by any note of ours but the two that people may add to foreign files, so that
// damage to some of the marks does not hide the others.
bool is_sealed(const SafetensorsHeader& header) {
  return std::any_of(header.notes.begin(), header.notes.end(), [](const auto& note) {
    const std::string& key = note.first;
    return key.starts_with("dactyl.") && key != "dactyl.layout" && !key.starts_with("dactyl.passport.");
  });
}

void verify_header(const std::string& path, std::string head, const SafetensorsHeader& header) {
  const std::size_t at = seal::position(head);
  check(Exit::model_file, at != head.npos && header.notes.contains(std::string(seal::header_key)),
        "{}: the header's checksum is missing; the file is damaged or was changed after it was written", path);
  const std::string found = head.substr(at, seal::blank.size());
  head.replace(at, seal::blank.size(), seal::blank);
  const std::string computed = hex8(crc32c(head.data(), head.size()));
  check(Exit::model_file, found == computed,
        "{}: the header (bytes 0 to {}) has checksum {}, {} is written in it; the file is damaged or was changed", path,
        head.size(), computed, shown(found));
  const auto version = header.notes.find(std::string(seal::version_key));
  check(Exit::model_file, version != header.notes.end() && version->second == std::to_string(seal::version),
        "{}: format version {}, this program reads version {}; use a newer program", path,
        version == header.notes.end() ? "missing" : shown(version->second), seal::version);
}

Tensor read_tensor(const InputFile& file, const Entry& e, std::uint64_t head_bytes) {
  const SafetensorsType* type = safetensors_type(e.second.dtype);
  check(Exit::model_file, type->ours.has_value(),
        "{}: safetensors: tensor {} at byte {} is {}; F32, F64, BF16, F16, I32 and U8 can be read", file.path(),
        shown(e.first), head_bytes + e.second.begin, e.second.dtype);
  Tensor t(Shape(e.second.shape), *type->ours, Device::cpu());
  file.read(head_bytes + e.second.begin, t.raw(), e.second.end - e.second.begin);
  return t;
}

void verify_tensor(const std::string& path, const Entry& e, const Tensor& t, const SafetensorsHeader& header,
                   std::uint64_t head_bytes) {
  const auto note = header.notes.find(std::string(seal::tensor_prefix) + e.first);
  check(Exit::model_file, note != header.notes.end(), "{}: tensor {} has no checksum", path, shown(e.first));
  const std::string computed = hex8(crc32c(t.raw(), static_cast<std::size_t>(t.bytes())));
  check(Exit::model_file, note->second == computed,
        "{}: tensor {} (bytes {} to {}) has checksum {}, {} was written; the file is damaged", path, shown(e.first),
        head_bytes + e.second.begin, head_bytes + e.second.end, computed, shown(note->second));
}

// PyTorch counts batches in 64-bit scalars that no net of ours needs.
bool is_counter(const SafetensorsEntry& e) { return e.dtype == "I64" && e.end - e.begin == 8; }

}  // namespace

Checkpoint read_safetensors(const std::string& path) {
  const InputFile file(path);
  const std::string head = read_head(file);
  const SafetensorsHeader header = parse_safetensors_header(path, std::string_view(head).substr(8));
  const auto order = in_file_order(path, header, file.size() - head.size());
  const bool sealed = is_sealed(header);
  if (sealed) verify_header(path, head, header);

  Checkpoint c{{}, {}, "safetensors", path};
  std::string counters;
  for (const Entry* e : order) {
    if (is_counter(e->second)) {
      counters += (counters.empty() ? "" : ", ") + e->first;
      continue;
    }
    Tensor t = read_tensor(file, *e, head.size());
    if (sealed) verify_tensor(path, *e, t, header, head.size());
    c.tensors.emplace(e->first, std::move(t));
  }
  for (const auto& [key, text] : header.notes)
    if (key != seal::version_key && key != seal::header_key && !key.starts_with(seal::tensor_prefix))
      c.notes.emplace(key, text);
  if (!counters.empty()) c.notes["dactyl.left_out"] = "64-bit counters: " + counters;
  return c;
}

}  // namespace dactyl
