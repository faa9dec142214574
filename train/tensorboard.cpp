// Hand-encoded protobuf: Event {1: wall_time, 2: step, 3: file_version, 5: Summary {1: Value {1: tag, 2: value}}}.
#include "train/tensorboard.h"

#include <chrono>
#include <cstring>

#include "weights/crc32c.h"

namespace dactyl {
namespace {

template <class T>
std::string raw(T value) {  // little-endian, as this machine stores it
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}

// A field's key is its number and wire type: 0 varint, 1 eight bytes, 2 counted bytes, 5 four bytes.
std::string key(int field, int wire) { return varint(static_cast<std::uint64_t>(field << 3 | wire)); }
std::string counted(int field, const std::string& bytes) { return key(field, 2) + varint(bytes.size()) + bytes; }

std::uint32_t masked(const std::string& bytes) {
  const std::uint32_t crc = crc32c(bytes.data(), bytes.size());
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

std::string TensorBoard::record(const std::string& event) {
  const std::string length = raw(static_cast<std::uint64_t>(event.size()));
  return length + raw(masked(length)) + event + raw(masked(event));
}

std::string TensorBoard::scalar_event(const std::string& tag, i64 step, double value, double seconds) {
  const std::string entry = counted(1, tag) + key(2, 5) + raw(static_cast<float>(value));
  return key(1, 1) + raw(seconds) + key(2, 0) + varint(static_cast<std::uint64_t>(step)) +
         counted(5, counted(1, entry));
}

TensorBoard::TensorBoard(const std::string& folder, i64 first_step) {
  const auto seconds = static_cast<i64>(now());
  file_.open(folder + "/events.out.tfevents." + std::to_string(seconds) + ".dactyl." + std::to_string(first_step),
             std::ios::binary | std::ios::app);
  file_ << record(key(1, 1) + raw(now()) + counted(3, "brain.Event:2"));
}

void TensorBoard::scalar(const std::string& tag, i64 step, double value) {
  file_ << record(scalar_event(tag, step, value, now()));
}

}  // namespace dactyl
