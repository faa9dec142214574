// A strict event-driven parser: it never builds a document, so nesting and duplicates cannot hurt it.
#include "weights/safetensors_header.h"

#include <array>
#include <nlohmann/json.hpp>

#include "weights/bytes.h"

namespace dactyl {
namespace {

constexpr std::array<SafetensorsType, 15> types{{{"F32", 4, DType::f32},
                                                 {"F64", 8, DType::f64},
                                                 {"BF16", 2, DType::bf16},
                                                 {"F16", 2, DType::f16},
                                                 {"I32", 4, DType::i32},
                                                 {"U8", 1, DType::u8},
                                                 {"I64", 8, {}},
                                                 {"U64", 8, {}},
                                                 {"U32", 4, {}},
                                                 {"I16", 2, {}},
                                                 {"U16", 2, {}},
                                                 {"I8", 1, {}},
                                                 {"BOOL", 1, {}},
                                                 {"F8_E4M3", 1, {}},
                                                 {"F8_E5M2", 1, {}}}};

class Parser final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Parser(const std::string& path, SafetensorsHeader& out) : path_(path), out_(out) {}

  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a truth value"); }
  bool number_integer(number_integer_t v) override { return refuse("the number " + std::to_string(v)); }
  bool number_float(number_float_t, const string_t& text) override { return refuse("the number " + shown(text)); }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool number_unsigned(number_unsigned_t v) override;
  bool string(string_t& text) override;
  bool start_object(std::size_t) override;
  bool key(string_t& text) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& e) override;

 private:
  enum class Place { outside, file, notes, entry, shape, offsets };

  // What was found where it has no business: the rule is in the second half of the sentence.
  bool refuse(const std::string& found) const {
    const std::string in = tensor_.empty() ? "" : " of tensor " + shown(tensor_);
    fail(Exit::model_file,
         "{}: safetensors header: {} in field {}{}; tensors have \"dtype\" (text), \"shape\" and \"data_offsets\" "
         "(whole numbers), \"__metadata__\" maps text to text",
         {path_, found, shown(field_), in});
  }
  void enter_field(const std::string& name);

  const std::string& path_;
  SafetensorsHeader& out_;
  Place place_ = Place::outside;
  std::string tensor_, field_;
  SafetensorsEntry entry_;
  std::vector<std::uint64_t> offsets_;
  bool has_notes_ = false, has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
};

bool Parser::start_object(std::size_t) {
  if (place_ == Place::outside) {
    place_ = Place::file;
  } else if (place_ == Place::file && field_ == "__metadata__") {
    place_ = Place::notes;
  } else if (place_ == Place::file) {
    place_ = Place::entry;
    entry_ = {};
    has_dtype_ = has_shape_ = has_offsets_ = false;
  } else {
    return refuse("an object");
  }
  return true;
}

bool Parser::key(string_t& text) {
  field_ = text;
  if (place_ == Place::entry) {
    enter_field(text);
  } else if (place_ == Place::notes) {
    check(Exit::model_file, !out_.notes.contains(text), "{}: safetensors header: metadata {} is there twice", path_,
          shown(text));
    check(Exit::model_file, out_.notes.size() < SafetensorsHeader::max_notes,
          "{}: safetensors header: more than {} entries of metadata", path_, SafetensorsHeader::max_notes);
  } else if (text == "__metadata__") {
    check(Exit::model_file, !has_notes_, "{}: safetensors header: \"__metadata__\" is there twice", path_);
    has_notes_ = true;
  } else {
    check(Exit::model_file, is_sound_name(text),
          "{}: safetensors header: tensor name {} is not sound (1 to 512 bytes of UTF-8 without control characters "
          "and \"../\")",
          path_, shown(text));
    check(Exit::model_file, !out_.tensors.contains(text), "{}: safetensors header: tensor {} is there twice", path_,
          shown(text));
    check(Exit::model_file, out_.tensors.size() < SafetensorsHeader::max_tensors,
          "{}: safetensors header: more than {} tensors", path_, SafetensorsHeader::max_tensors);
    tensor_ = text;
  }
  return true;
}

void Parser::enter_field(const std::string& name) {
  bool* seen = name == "dtype" ? &has_dtype_ : name == "shape" ? &has_shape_ : &has_offsets_;
  if (seen == &has_offsets_ && name != "data_offsets") refuse("something unknown");
  check(Exit::model_file, !*seen, "{}: safetensors header: tensor {} has {} twice", path_, shown(tensor_), shown(name));
  *seen = true;
}

bool Parser::end_object() {
  if (place_ == Place::entry) {
    check(Exit::model_file, has_dtype_ && has_shape_ && offsets_.size() == 2,
          "{}: safetensors header: tensor {} needs \"dtype\", \"shape\" and two \"data_offsets\"", path_,
          shown(tensor_));
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    out_.tensors.emplace(tensor_, entry_);
    offsets_.clear();
  }
  tensor_.clear();
  place_ = place_ == Place::file ? Place::outside : Place::file;
  return true;
}

bool Parser::start_array(std::size_t) {
  if (place_ != Place::entry || field_ == "dtype") return refuse("an array");
  place_ = field_ == "shape" ? Place::shape : Place::offsets;
  return true;
}

bool Parser::end_array() {
  place_ = Place::entry;
  return true;
}

bool Parser::number_unsigned(number_unsigned_t v) {
  const bool fits = v <= static_cast<number_unsigned_t>(INT64_MAX);
  if (place_ == Place::shape && fits && entry_.shape.size() < 64)
    entry_.shape.push_back(static_cast<i64>(v));
  else if (place_ == Place::offsets && fits && offsets_.size() < 2)
    offsets_.push_back(v);
  else
    refuse("the number " + std::to_string(v));
  return true;
}

bool Parser::string(string_t& text) {
  if (place_ == Place::notes)
    out_.notes.emplace(field_, text);
  else if (place_ == Place::entry && field_ == "dtype")
    entry_.dtype = text;
  else
    refuse("the text " + shown(text));
  return true;
}

bool Parser::parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& e) {
  // "[…] parse error at line 1, column 9: syntax error while parsing value - unexpected …; last read: '…'"
  std::string why = e.what();
  why = why.substr(0, why.find("; last read"));
  if (const std::size_t colon = why.find(": "); colon != why.npos) why = why.substr(colon + 2);
  fail(Exit::model_file, "{}: safetensors header is not JSON at byte {}: {}",
       {path_, std::to_string(8 + (position > 0 ? position - 1 : 0)), why});
}

}  // namespace

SafetensorsHeader parse_safetensors_header(const std::string& path, std::string_view json) {
  check(Exit::model_file, json.starts_with('{'), "{}: safetensors header must begin with '{' at byte 8, found {}", path,
        shown(json.substr(0, 1)));
  // The JSON parser takes a zero byte for the end of the text and would not see what follows.
  const std::size_t zero = json.find('\0');
  check(Exit::model_file, zero == json.npos, "{}: safetensors header has a zero byte at byte {}", path, zero + 8);
  SafetensorsHeader header;
  Parser parser(path, header);
  nlohmann::json::sax_parse(json.begin(), json.end(), &parser);
  return header;
}

const SafetensorsType* safetensors_type(std::string_view name) {
  for (const SafetensorsType& t : types)
    if (t.name == name) return &t;
  return nullptr;
}

std::string_view safetensors_name(DType type) {
  for (const SafetensorsType& t : types)
    if (t.ours == type) return t.name;
  return "";
}

std::size_t seal::position(std::string_view header) {
  const std::string key = '"' + std::string(header_key) + "\":\"";
  const std::size_t at = header.find(key);
  return at == header.npos || at + key.size() + blank.size() > header.size() ? header.npos : at + key.size();
}

}  // namespace dactyl
