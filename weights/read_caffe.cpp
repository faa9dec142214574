// Reads .caffemodel: a NetParameter in Protocol Buffers' wire format, layers of V1 and V2, their blobs only.
#include <array>
#include <cstring>

#include "weights/bytes.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

enum Wire : std::uint64_t { varint = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };

struct Field {
  std::uint64_t number, wire;
  std::uint64_t value;  // of a varint
  Bytes content;        // of all others
};

// Only what a field announces is skipped; groups (wire types 3 and 4) do not occur in Caffe's messages.
Field next_field(Bytes& at) {
  const Bytes start = at;
  const std::uint64_t key = at.varint(), wire = key & 7;
  if (key >> 3 == 0 || key >> 32 != 0) start.refuse("field number " + std::to_string(key >> 3));
  if (wire == varint) return {key >> 3, wire, at.varint(), at};
  if (wire == eight_bytes) return {key >> 3, wire, 0, at.take(8)};
  if (wire == four_bytes) return {key >> 3, wire, 0, at.take(4)};
  if (wire != bytes) start.refuse("wire type " + std::to_string(wire) + " of field " + std::to_string(key >> 3));
  const std::uint64_t length = at.varint();
  return {key >> 3, wire, 0, at.take(length)};
}

template <class Visit>
void for_each_field(Bytes message, Visit&& visit) {
  while (!message.done()) visit(next_field(message));
}

void expect(const Field& f, Wire wire) {
  if (f.wire != wire)
    f.content.refuse("field " + std::to_string(f.number) + " has wire type " + std::to_string(f.wire) + ", " +
                     std::to_string(wire) + " expected");
}

// The numbers of versions 1 and 2 of a layer's fields.
struct Dialect {
  std::uint64_t name, type, blobs, convolution, inner_product;
};
constexpr Dialect v1{4, 5, 6, 10, 17}, v2{1, 2, 7, 106, 117};

enum class Kind { other, convolution, inner_product };

Kind kind_of(const Field& f) {
  if (f.wire == varint)
    return f.value == 4 || f.value == 39 ? Kind::convolution : f.value == 14 ? Kind::inner_product : Kind::other;
  const std::string_view type = f.content.chars();
  if (type == "Convolution" || type == "Deconvolution") return Kind::convolution;
  return type == "InnerProduct" ? Kind::inner_product : Kind::other;
}

struct Layer {
  std::string name;
  Kind kind = Kind::other;
  bool has_bias = true;
  std::vector<Bytes> blobs;
};

Layer read_layer(const Bytes& message, const Dialect& d) {
  Layer layer;
  std::string_view name;
  for_each_field(message, [&](const Field& f) {
    if (&d == &v1 && f.number == 1)
      f.content.refuse("a layer of Caffe's oldest format (V0); upgrade the file with Caffe");
    if (f.number == d.name) expect(f, bytes), name = f.content.chars();
    if (f.number == d.type) expect(f, &d == &v1 ? varint : bytes), layer.kind = kind_of(f);
    if (f.number == d.blobs) expect(f, bytes), layer.blobs.push_back(f.content);
    if (layer.blobs.size() > 16) f.content.refuse("more than 16 blobs in a layer");
    if (f.number != d.convolution && f.number != d.inner_product) return;
    expect(f, bytes);
    for_each_field(f.content, [&](const Field& p) {
      if (p.number == 2) expect(p, varint), layer.has_bias = p.value != 0;  // bias_term
    });
  });
  layer.name = name;
  for (Bytes& blob : layer.blobs) blob.name(name);
  return layer;
}

void add_extent(const Bytes& where, std::vector<i64>& shape, std::uint64_t extent) {
  if (extent > INT32_MAX) where.refuse("extent " + std::to_string(static_cast<i64>(extent)) + " of a blob");
  if (shape.size() == Shape::max_rank) where.refuse("a blob of more than 6 extents");
  shape.push_back(static_cast<i64>(extent));
}

// What a BlobProto says before its numbers are copied.
struct Blob {
  std::vector<i64> shape;       // of BlobShape
  std::array<i64, 4> legacy{};  // num, channels, height, width
  bool has_shape = false, has_legacy = false;
  std::uint64_t floats = 0, doubles = 0;
};

void count_numbers(const Field& f, Wire single, std::uint64_t size, std::uint64_t& count) {
  if (f.wire != bytes) expect(f, single);
  if (f.content.left() % size != 0)
    f.content.refuse(std::to_string(f.content.left()) + " bytes of numbers, not a multiple of " + std::to_string(size));
  count += f.content.left() / size;
}

Blob describe(const Bytes& message) {
  Blob blob;
  for_each_field(message, [&](const Field& f) {
    if (f.number >= 1 && f.number <= 4) {
      expect(f, varint);
      if (f.value > INT32_MAX) f.content.refuse("extent " + std::to_string(static_cast<i64>(f.value)) + " of a blob");
      blob.legacy[f.number - 1] = static_cast<i64>(f.value);
      blob.has_legacy = true;
    }
    if (f.number == 5) count_numbers(f, four_bytes, 4, blob.floats);
    if (f.number == 8) count_numbers(f, eight_bytes, 8, blob.doubles);
    if (f.number != 7) return;
    expect(f, bytes);
    blob.has_shape = true;
    for_each_field(f.content, [&](const Field& d) {
      if (d.number != 1) return;
      if (d.wire == varint) return add_extent(d.content, blob.shape, d.value);
      expect(d, bytes);
      for (Bytes packed = d.content; !packed.done();) add_extent(packed, blob.shape, packed.varint());
    });
  });
  return blob;
}

std::vector<i64> without_leading_ones(std::vector<i64> shape, std::size_t rank) {
  while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
  return shape;
}

// The four legacy extents hold a convolution's weight as it is, an inner product's in the last two, a bias in the last.
std::vector<i64> shape_of(const Bytes& message, const Blob& blob, Kind kind, std::size_t index) {
  const bool weight = index == 0 && kind != Kind::other;
  const std::size_t rank = !weight ? 1 : kind == Kind::convolution ? 4 : 2;
  const std::vector<i64> legacy = without_leading_ones({blob.legacy.begin(), blob.legacy.end()}, rank);
  if (blob.has_legacy && blob.has_shape && legacy != without_leading_ones(blob.shape, rank))
    message.refuse("its two shapes disagree");
  const std::vector<i64> shape = blob.has_legacy ? legacy : blob.shape;
  const auto count = product(shape);
  if (!count) message.refuse("the size of a blob's shape overflows");
  const std::uint64_t numbers = blob.floats + blob.doubles;
  if (static_cast<std::uint64_t>(*count) != numbers)
    message.refuse("a blob of shape " + to_text(Shape(shape)) + " has " + std::to_string(numbers) + " numbers");
  return shape;
}

Tensor read_blob(const Bytes& message, Kind kind, std::size_t index) {
  const Blob blob = describe(message);
  if (blob.floats > 0 && blob.doubles > 0) message.refuse("both data and double_data");
  const DType type = blob.doubles > 0 ? DType::f64 : DType::f32;
  Tensor t(Shape(shape_of(message, blob, kind, index)), type, Device::cpu());
  std::byte* to = t.raw();
  for_each_field(message, [&](const Field& f) {
    if ((f.number != 5 && f.number != 8) || f.content.done()) return;
    std::memcpy(to, f.content.data(), f.content.left());  // a field in several pieces is appended
    to += f.content.left();
  });
  return t;
}

void add_layer(const Bytes& message, const Dialect& dialect, Checkpoint& c) {
  const Layer layer = read_layer(message, dialect);
  if (layer.blobs.empty() && layer.kind == Kind::other) return;
  if (!is_sound_name(layer.name)) message.refuse("the layer's name " + shown(layer.name) + " is not sound");
  const std::size_t expected = layer.has_bias ? 2 : 1;
  if (layer.kind != Kind::other && layer.blobs.size() != expected)
    message.refuse("layer " + shown(layer.name) + " has " + std::to_string(layer.blobs.size()) + " blobs, " +
                   std::to_string(expected) + " expected");
  for (std::size_t i = 0; i < layer.blobs.size(); ++i) {
    const std::string leaf = i == 0 ? "weight" : i == 1 ? "bias" : "blob" + std::to_string(i);
    const bool is_new = c.tensors.emplace(layer.name + "." + leaf, read_blob(layer.blobs[i], layer.kind, i)).second;
    if (!is_new) message.refuse("layer " + shown(layer.name) + " is there twice");
  }
}

}  // namespace

Checkpoint read_caffemodel(const std::string& path) {
  const InputFile file(path);
  check(Exit::model_file, file.size() < (std::uint64_t{1} << 31),
        "{}: caffemodel: {} bytes, the format's limit is 2 GiB", path, file.size());
  check(Exit::model_file, file.size() > 0, "{}: caffemodel: is empty", path);
  const auto content = std::make_unique_for_overwrite<std::byte[]>(file.size());
  file.read(0, content.get(), file.size());
  const std::string context = path + ": caffemodel";
  Checkpoint c{{}, {}, "caffemodel", path};
  for_each_field(Bytes(context, {content.get(), file.size()}), [&](const Field& f) {
    if (f.number != 2 && f.number != 100) return;
    expect(f, bytes);
    add_layer(f.content, f.number == 2 ? v1 : v2, c);
  });
  check(Exit::model_file, !c.tensors.empty(), "{}: caffemodel: no layer in it has weights", path);
  return c;
}

}  // namespace dactyl
