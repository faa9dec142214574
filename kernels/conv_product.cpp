// Which convolutions are matrix products, and algorithms as text.
#include "kernels/conv_product.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace dactyl {
namespace {

constexpr const char* word_of_products = "gemm";

bool is_product(const ConvProblem& p) {
  const std::array<i64, 3> ones{1, 1, 1}, zeros{};
  return p.taps() == 1 && p.stride == ones && p.low == zeros && p.high == zeros && p.groups == 1 && p.x_count() > 0 &&
         p.y_count() > 0;
}

std::optional<std::uint64_t> read_word(const std::string& text) {
  std::uint64_t word = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), word, 16);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(word) : std::nullopt;
}

}  // namespace

std::optional<MatrixProduct> as_product(const ConvProblem& p) {
  if (!is_product(p)) return std::nullopt;
  MatrixProduct m{.dtype = p.dtype, .math = p.math, .bias = p.bias, .relu = p.relu, .adds = p.adds};
  const i64 pixels = p.rows_out(), x = 0, w = 1, y = 2;
  std::array<i64, 3> operands{};  // which of x, w and y left, right and result are
  switch (p.pass) {
    case Pass::forward:
      m.transpose_left = true;
      m.rows = p.outs, m.columns = pixels, m.inner = p.ins;
      operands = {w, x, y};
      break;
    case Pass::data:
      m.rows = p.ins, m.columns = pixels, m.inner = p.outs;
      operands = {w, y, x};
      break;
    case Pass::weights:
      m.transpose_right = true;
      m.rows = p.ins, m.columns = p.outs, m.inner = pixels;
      operands = {x, y, w};
  }
  const std::array<i64, 3> pitches{p.ins, p.ins, p.y_pitch()};
  for (std::size_t i = 0; i < 3; ++i) {
    m.pitch[i] = pitches[static_cast<std::size_t>(operands[i])];
    m.alignment[i] = p.alignment[static_cast<std::size_t>(operands[i])];
  }
  return m;
}

ProductData product_data(Pass pass, const ConvData& d) {
  switch (pass) {
    case Pass::forward:
      return {d.w, d.x, d.bias, d.y};
    case Pass::data:
      return {d.w, d.y, nullptr, d.x};
    default:
      return {d.x, d.y, nullptr, d.w};
  }
}

std::string algorithm_name(const AlgorithmWords& words) {
  std::size_t used = words.size();
  while (used > 1 && words[used - 1] == 0) --used;
  std::ostringstream text;
  text << word_of_products << std::hex;
  for (std::size_t i = 0; i < used; ++i) text << ' ' << words[i];
  return text.str();
}

std::optional<AlgorithmWords> read_algorithm_name(const std::string& text) {
  std::istringstream in(text);
  std::string part;
  if (!(in >> part) || part != word_of_products) return std::nullopt;
  AlgorithmWords words{};
  for (std::size_t i = 0; in >> part; ++i) {
    const auto word = read_word(part);
    if (i == words.size() || !word) return std::nullopt;
    words[i] = *word;
  }
  return algorithm_name(words) == text ? std::optional(words) : std::nullopt;
}

}  // namespace dactyl
