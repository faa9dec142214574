// Passports as text among a file's notes, and those of the public weights.
#include "weights/passport.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/check.h"
#include "weights/bytes.h"

namespace dactyl {
namespace {

constexpr const char* prefix = "dactyl.passport.";
constexpr long most_pixels = 4096;  // of a net's input, as for --input
using Json = nlohmann::json;
using Notes = std::map<std::string, std::string>;

std::string note(const Notes& notes, const char* key) {
  const auto found = notes.find(prefix + std::string(key));
  return found == notes.end() ? "" : found->second;
}

// Text of a JSON array; what is not UTF-8 becomes U+FFFD.
template <class T>
std::string array_text(const std::vector<T>& values) {
  return Json(values).dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
std::vector<T> array(const Notes& notes, const char* key) {
  const std::string text = note(notes, key);
  if (text.empty()) return {};
  constexpr std::size_t limit = 4 << 20;
  check(Exit::model_file, text.size() <= limit, "passport: {} takes {} bytes, the limit is {}", key, text.size(),
        limit);
  const Json values = Json::parse(text, nullptr, false);
  const bool texts = std::is_same_v<T, std::string>;
  const char* kind = texts ? "texts" : "numbers";
  check(Exit::model_file, values.is_array(), "passport: {} is {}; a list of {} in square brackets was expected", key,
        shown(text), kind);
  for (const Json& v : values) {
    check(Exit::model_file, texts ? v.is_string() : v.is_number(), "passport: {} is {}; its entries must be {}", key,
          shown(text), kind);
    check(Exit::model_file, texts || std::abs(v.get<double>()) < 1e9,
          "passport: {} is {}; its numbers must be between -1e9 and 1e9", key, shown(text));
  }
  return values.get<std::vector<T>>();
}

long whole(const Notes& notes, const char* key) {
  const std::string text = note(notes, key);
  if (text.empty()) return 0;
  long value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(Exit::model_file,
        error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= most_pixels,
        "passport: {} is {}; a number of pixels or frames up to {} was expected", key, shown(text), most_pixels);
  return value;
}

Passport caffe(const std::string& model, std::vector<float> mean, long side, const std::string& origin) {
  return {model, "rgb",  std::move(mean),          {1, 1, 1}, side, side, "warp256-antialias",
          {},    origin, "unrestricted use (BVLC)"};
}

Passport torchvision(const std::string& model, std::vector<float> mean, std::vector<float> scale,
                     const std::string& origin) {
  return {model,
          "rgb",
          std::move(mean),
          std::move(scale),
          224,
          224,
          "short256-antialias",
          {},
          origin,
          "code BSD-3-Clause; weights trained on ImageNet, see its terms"};
}

Passport read_notes(const Notes& notes) {
  Passport p;
  p.model = note(notes, "model");
  if (p.empty()) return p;
  if (const std::string order = note(notes, "channel_order"); !order.empty()) p.channel_order = order;
  check(Exit::model_file, p.channel_order == "rgb" || p.channel_order == "bgr",
        "passport: channel_order is {}; rgb or bgr was expected", shown(p.channel_order));
  p.mean = array<float>(notes, "mean");
  p.scale = array<float>(notes, "scale");
  check(Exit::model_file, p.mean.size() == p.scale.size(), "passport: mean of {} channels, scale of {}", p.mean.size(),
        p.scale.size());
  p.height = whole(notes, "height");
  p.width = whole(notes, "width");
  p.resize = note(notes, "resize");
  p.labels = array<std::string>(notes, "labels");
  p.origin = note(notes, "origin");
  p.licence = note(notes, "licence");
  p.frames = whole(notes, "frames");
  p.flow = note(notes, "flow");
  p.encoding = note(notes, "flow_encoding");
  check(Exit::model_file, p.flow.empty() == p.encoding.empty(),
        "passport: flow is {} and its encoding {}; they belong together", shown(p.flow), shown(p.encoding));
  return p;
}

}  // namespace

Notes Passport::to_notes() const {
  Notes notes;
  if (empty()) return notes;
  const auto put = [&](const char* key, const std::string& text) { notes[prefix + std::string(key)] = text; };
  put("model", model);
  put("channel_order", channel_order);
  put("mean", array_text(mean));
  put("scale", array_text(scale));
  put("height", std::to_string(height));
  put("width", std::to_string(width));
  put("resize", resize);
  put("labels", array_text(labels));
  put("origin", origin);
  put("licence", licence);
  if (frames > 0) put("frames", std::to_string(frames));
  if (!flow.empty()) put("flow", flow), put("flow_encoding", encoding);
  return notes;
}

Passport Passport::from_notes(const Notes& notes, const std::string& path) {
  try {
    return read_notes(notes);
  } catch (const Error& error) {
    throw Error(error.exit(), path.empty() ? error.what() : path + ": " + error.what());
  }
}

Passport known_passport(const std::string& model) {
  // Means of the training pictures as shipped with the weights; torchvision's are given for bytes / 255.
  if (model == "alexnet")
    return caffe(model, {122.6789143f, 116.6687676f, 104.0069879f}, 227, "BVLC AlexNet, Caffe model zoo");
  if (model == "googlenet") return caffe(model, {123, 117, 104}, 224, "BVLC GoogLeNet, Caffe model zoo");
  if (model == "alexnet-torchvision")
    return torchvision(model, {255 * 0.485f, 255 * 0.456f, 255 * 0.406f},
                       {1 / (255 * 0.229f), 1 / (255 * 0.224f), 1 / (255 * 0.225f)},
                       "torchvision AlexNet IMAGENET1K_V1");
  // Its transform_input undoes torchvision's normalisation: the net sees 2 · byte / 255 − 1.
  if (model == "googlenet-bn")
    return torchvision(model, {127.5f, 127.5f, 127.5f}, {1 / 127.5f, 1 / 127.5f, 1 / 127.5f},
                       "torchvision GoogLeNet IMAGENET1K_V1");
  if (model.starts_with("mobilenet"))
    return {model,
            "rgb",
            {127.5f, 127.5f, 127.5f},
            {1 / 127.5f, 1 / 127.5f, 1 / 127.5f},
            224,
            224,
            "short256-antialias",
            {},
            "Keras application MobileNet",
            "Apache-2.0"};
  return {};
}

}  // namespace dactyl
