// Reading descriptors.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <sstream>

#include "kernels/descriptor.h"

namespace dactyl {
namespace {

using Kind = Descriptor::Kind;

struct KindWord {
  const char* word;
  Kind kind;
  int spatial;                  // 0: any
  std::set<std::string> words;  // beside x and the precision
};

const std::set<std::string> of_pools{"k", "s", "p", "ceil", "into"};
const std::set<std::string> of_norm_and_pool{"k", "s", "p", "ceil", "into", "relu", "frozen"};
const std::set<std::string> of_conv{"k", "s", "p", "out", "groups", "bias", "relu", "into"};

const std::array<KindWord, 11>& kinds() {
  static const std::array<KindWord, 11> list{{{"conv2d", Kind::conv, 2, of_conv},
                                              {"conv3d", Kind::conv, 3, of_conv},
                                              {"max_pool2d", Kind::max_pool, 2, of_pools},
                                              {"max_pool3d", Kind::max_pool, 3, of_pools},
                                              {"mean_pool2d", Kind::mean_pool, 2, of_pools},
                                              {"mean_pool3d", Kind::mean_pool, 3, of_pools},
                                              {"batch_norm", Kind::batch_norm, 0, {"relu", "frozen", "into"}},
                                              {"batch_norm_max_pool2d", Kind::norm_max_pool, 2, of_norm_and_pool},
                                              {"batch_norm_max_pool3d", Kind::norm_max_pool, 3, of_norm_and_pool},
                                              {"lrn", Kind::lrn, 0, {"n", "relu"}},
                                              {"linear", Kind::linear, 0, {"out", "bias", "relu"}}}};
  return list;
}

const KindWord& kind_named(const std::string& word) {
  std::string known;
  for (const KindWord& k : kinds()) {
    if (word == k.word) return k;
    known += std::string(" ") + k.word;
  }
  fail(Exit::usage, "layer '{}': no such kind; there are:{}", {word, known});
}

i64 number(const std::string& text, const std::string& word) {
  i64 value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= (i64{1} << 40);
  check(Exit::usage, good && !text.empty(), "layer: {}: '{}' is no whole number from 0 to 2^40", word, text);
  return value;
}

std::vector<std::string> parts(const std::string& text, char separator) {
  std::vector<std::string> list;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) list.push_back(part);
  if (text.empty() || text.back() == separator) list.emplace_back();
  return list;
}

Shape shape_of(const std::string& text, const std::string& word) {
  std::vector<i64> extents;
  for (const std::string& part : parts(text, 'x')) extents.push_back(number(part, word));
  check(Exit::usage, extents.size() <= Shape::max_rank, "layer: {}: more than {} extents", word, Shape::max_rank);
  return Shape(extents);
}

// One number for all extents, or one each.
Shape spread(const Shape& given, int rank, const std::string& word) {
  Shape all = given;
  if (given.rank() == 1) all = Shape(std::vector<i64>(static_cast<std::size_t>(rank), given[0]));
  check(Exit::usage, all.rank() == rank, "layer: {}: one number or {} of them", word, rank);
  return all;
}

struct Words {
  std::map<std::string, std::string> values;  // of flags: ""
  bool has(const std::string& name) const { return values.contains(name); }
  std::string text(const std::string& name) const { return name + "=" + (has(name) ? values.at(name) : ""); }
  std::string need(const std::string& name, const char* example) const {
    check(Exit::usage, has(name) && !values.at(name).empty(), "layer: {} is missing, as in {}", name, example);
    return values.at(name);
  }
  i64 count(const std::string& name, i64 otherwise) const {
    return has(name) ? number(values.at(name), text(name)) : otherwise;
  }
};

void set_precision(Descriptor& d, const std::string& word) {
  static const std::map<std::string, DType> types{
      {"fp32", DType::f32}, {"tf32", DType::f32}, {"bf16", DType::bf16}, {"fp16", DType::f16}, {"fp64", DType::f64}};
  d.dtype = types.at(word);
  d.math = word == "tf32" ? Math::tf32 : Math::fp32;
}

Words words_of(std::istringstream& line, const KindWord& kind, Descriptor& d) {
  static const std::set<std::string> precisions{"fp32", "tf32", "bf16", "fp16", "fp64"},
      flags{"bias", "relu", "ceil", "frozen"};
  Words words;
  for (std::string word; line >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals), value = equals == word.npos ? "" : word.substr(equals + 1);
    if (precisions.contains(word)) {
      set_precision(d, word);
      check(Exit::usage, words.values.emplace("precision", word).second, "layer: {}: there is a precision already",
            word);
      continue;
    }
    const bool known = name == "x" || kind.words.contains(name);
    check(Exit::usage, known && flags.contains(name) == (equals == word.npos), "layer: '{}' says nothing of {}", word,
          kind.word);
    check(Exit::usage, words.values.emplace(name, value).second, "layer: {} stands there twice", name);
  }
  return words;
}

void set_padding(Window& w, const Descriptor& d, const Words& words) {
  const int rank = d.x.spatial();
  const std::string text = words.has("p") ? words.values.at("p") : "0";
  if (text == "same") {
    w = same(d.x, w.kernel, w.stride);
    return;
  }
  std::vector<i64> low, high;
  for (const std::string& part : parts(text, 'x')) {
    const std::size_t colon = part.find(':');
    low.push_back(number(part.substr(0, colon), "p=" + text));
    high.push_back(colon == part.npos ? low.back() : number(part.substr(colon + 1), "p=" + text));
  }
  check(Exit::usage, low.size() <= 3, "layer: p={}: one number or {} of them", text, rank);
  w.low = spread(Shape(low), rank, "p=" + text);
  w.high = spread(Shape(high), rank, "p=" + text);
}

Window window_of(const Descriptor& d, const Words& words) {
  const int rank = d.x.spatial();
  Window w;
  w.kernel = spread(shape_of(words.need("k", "k=3"), words.text("k")), rank, words.text("k"));
  w.stride = spread(words.has("s") ? shape_of(words.values.at("s"), words.text("s")) : Shape{1}, rank, "s");
  for (int i = 0; i < rank; ++i)
    check(Exit::usage, w.kernel[i] >= 1 && w.stride[i] >= 1, "layer: kernel and stride must be at least 1");
  set_padding(w, d, words);
  for (int i = 0; i < rank; ++i)
    check(Exit::usage, d.x[i + 1] + w.low[i] + w.high[i] >= w.kernel[i],
          "layer: the kernel {} is larger than the padded x {}", w.kernel, d.x);
  return w;
}

// In floating point: extents of up to 2^40 each would overflow.
void check_size(const Shape& shape, const char* of) {
  double numbers = 1;
  for (int i = 0; i < shape.rank(); ++i) numbers *= static_cast<double>(shape[i]);
  check(Exit::usage, numbers >= 1 && numbers < 1e12, "layer: {} {} has an empty extent, or too many numbers", of,
        shape);
}

void check_x(const Descriptor& d, const KindWord& kind) {
  check_size(d.x, "x");
  if (kind.spatial)
    check(Exit::usage, d.x.spatial() == kind.spatial, "layer: {} wants x of {} extents, as in x={}", kind.word,
          kind.spatial + 2, kind.spatial == 2 ? "8x224x224x3" : "8x20x224x224x3");
  check(Exit::usage, d.x.rank() >= 2, "layer: {} wants x with a batch and channels, as in x=128x1024", kind.word);
}

// What would never end: every result reads its whole window.
void check_work(const Descriptor& d, const Shape& y) {
  constexpr double most = 1e15;
  double reads = 1;
  for (int i = 0; i < y.rank(); ++i) reads *= static_cast<double>(y[i]);
  for (int i = 0; i < d.window.kernel.rank(); ++i) reads *= static_cast<double>(d.window.kernel[i]);
  check(Exit::usage, reads <= most,
        "layer: {} results of windows {} are more than {} numbers to read; use smaller ones", y, d.window.kernel, most);
}

// What the operations themselves would refuse as a fault of the program.
void check_whole(const Descriptor& d) {
  check(Exit::usage, !d.learns() || d.out >= 1, "layer: out must be at least 1");
  check(Exit::usage, d.groups >= 1 && d.out % d.groups == 0 && d.x.channels() % d.groups == 0,
        "layer: groups={} must divide both the {} channels of x and out={}", d.groups, d.x.channels(), d.out);
  check(Exit::usage, d.n % 2 == 1, "layer: n={} is not odd", d.n);
  check(Exit::usage, !d.norms() || d.frozen || d.x.rows() > 1,
        "layer: x {} has one row per channel, which has no variance; use a larger batch, or frozen", d.x);
  for (int i = 0; d.pools() && i < d.window.kernel.rank(); ++i)
    check(Exit::usage, d.window.low[i] < d.window.kernel[i] && d.window.high[i] < d.window.kernel[i],
          "layer: padding {} and {} leaves windows {} empty", d.window.low, d.window.high, d.window.kernel);
  const Shape y = d.y();
  check_size(y, "the result");
  if (d.learns()) check_size(d.w(), "the weight");
  check(Exit::usage, d.into == 0 || d.into >= y.channels(), "layer: into={} is narrower than the result's {} channels",
        d.into, y.channels());
  if (d.into) check_size(y.with(-1, d.into), "the tensor of into");
  if (d.slides()) check_work(d, y);
}

}  // namespace

Descriptor parse_descriptor(const std::string& line) {
  std::istringstream stream(line);
  std::string first;
  stream >> first;
  const KindWord& kind = kind_named(first);
  Descriptor d;
  d.kind = kind.kind;
  const Words words = words_of(stream, kind, d);
  d.x = shape_of(words.need("x", "x=8x224x224x3"), words.text("x"));
  check_x(d, kind);
  if (d.slides()) d.window = window_of(d, words);
  if (d.learns()) d.out = number(words.need("out", "out=64"), "out");
  d.groups = words.count("groups", 1);
  d.into = words.count("into", 0);
  d.n = words.count("n", 5);
  d.bias = words.has("bias");
  d.relu = words.has("relu");
  d.ceil = words.has("ceil");
  d.frozen = words.has("frozen");
  check_whole(d);
  return d;
}

}  // namespace dactyl
