// Index and end of a packed store.
#include "train/data/pack_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "weights/crc32c.h"
#include "weights/text.h"

namespace dactyl {
namespace {

using Json = nlohmann::json;

struct End {
  std::uint64_t offset = 0, bytes = 0;
  std::uint32_t crc = 0, self = 0;  // self: of all other bytes of this end
  char mark[16] = {};
};
static_assert(sizeof(End) == 40);

std::uint32_t self_crc(End end) {
  end.self = 0;
  return crc32c(&end, sizeof end);
}

Json to_json(const PackedSample& s) {
  Json sources = Json::array();
  for (const PackedSource& source : s.sources) sources.push_back({source.path, source.bytes, source.crc});
  return {{"name", s.name},     {"label", s.label},  {"shape", {s.frames, s.height, s.width}},
          {"offset", s.offset}, {"crc", s.crc},      {"duration", s.duration},
          {"fps", s.fps},       {"sources", sources}};
}

// get<int>() would cut what is larger or has a fraction.
int whole(const Json& j) {
  check(Exit::data, j.is_number_integer() && j.get<double>() >= -2147483648.0 && j.get<double>() <= 2147483647.0,
        "its index holds {} where a whole number is expected; make it again", shown(j.dump()));
  return j.get<int>();
}

PackedSample from_json(const Json& j, int channels) {
  PackedSample s;
  s.channels = channels;
  s.name = j.at("name").get<std::string>();
  s.label = whole(j.at("label"));
  s.frames = whole(j.at("shape").at(0));
  s.height = whole(j.at("shape").at(1));
  s.width = whole(j.at("shape").at(2));
  s.offset = j.at("offset").get<i64>();
  s.crc = j.at("crc").get<std::uint32_t>();
  s.duration = j.at("duration").get<double>();
  s.fps = j.at("fps").get<double>();
  for (const Json& source : j.at("sources"))
    s.sources.push_back({source.at(0).get<std::string>(), source.at(1).get<i64>(), source.at(2).get<std::uint32_t>()});
  return s;
}

void check_sample(const PackedSample& s, const PackIndex& index, i64 end) {
  constexpr int most = 1 << 24;
  const bool sizes = s.frames > 0 && s.frames < most && s.height > 0 && s.height <= 16384 && s.width > 0 &&
                     s.width <= 16384 && s.duration > 0 && s.fps > 0;
  check(Exit::data, sizes, "{}: {} frames of {} x {} in {} s cannot be", s.name, s.frames, s.height, s.width,
        s.duration);
  check(Exit::data, s.label >= 0 && s.label < static_cast<int>(index.labels.size()), "{}: label {} of {}", s.name,
        s.label, index.labels.size());
  const i64 bytes = s.frame_bytes() * s.frames + s.tail_bytes();  // below 2⁵⁴
  check(Exit::data, s.offset >= static_cast<i64>(sizeof pack_mark) && s.offset <= end && bytes <= end - s.offset,
        "{}: its {} bytes at byte {} do not fit before the index at byte {}", s.name, bytes, s.offset, end);
}

}  // namespace

std::string packed_end(const PackIndex& index, i64 offset) {
  Json samples = Json::array();
  for (const PackedSample& sample : index.samples) samples.push_back(to_json(sample));
  std::string text;
  try {
    Json json{{"side", index.side}, {"labels", index.labels}, {"samples", samples}};
    if (!index.flow.empty()) json["channels"] = index.channels, json["flow"] = index.flow;
    text = json.dump();
  } catch (const Json::exception& error) {
    fail(Exit::data, "a file name or label is not UTF-8 ({}); rename it", {error.what()});
  }
  End end{static_cast<std::uint64_t>(offset), text.size(), crc32c(text.data(), text.size())};
  std::memcpy(end.mark, pack_mark, sizeof end.mark);
  end.self = self_crc(end);
  text.append(reinterpret_cast<const char*>(&end), sizeof end);
  return text;
}

PackIndex read_pack_index(const RegularFile& file) {
  End end;
  char mark[sizeof pack_mark] = {};
  const i64 least = sizeof end + sizeof mark;
  check(Exit::data, file.size() >= least, "is no pack: {} bytes", file.size());
  file.read(0, reinterpret_cast<std::uint8_t*>(mark), sizeof mark);
  check(Exit::data, std::memcmp(mark, pack_mark, sizeof mark) == 0, "is no pack of this version");
  file.read(file.size() - i64{sizeof end}, reinterpret_cast<std::uint8_t*>(&end), sizeof end);
  const bool sound = std::memcmp(end.mark, pack_mark, sizeof mark) == 0 && end.self == self_crc(end) &&
                     end.offset <= static_cast<std::uint64_t>(file.size()) &&
                     end.offset + end.bytes + sizeof end == static_cast<std::uint64_t>(file.size());
  check(Exit::data, sound, "is a pack whose end is missing or damaged; make it again");
  std::string text(end.bytes, '\0');
  file.read(static_cast<i64>(end.offset), reinterpret_cast<std::uint8_t*>(text.data()), static_cast<i64>(end.bytes));
  check(Exit::data, crc32c(text.data(), text.size()) == end.crc, "its index at byte {} is damaged; make it again",
        static_cast<i64>(end.offset));
  try {
    const Json json = Json::parse(text);
    PackIndex index{whole(json.at("side")),
                    whole(json.value("channels", Json(3))),
                    json.value("flow", ""),
                    json.at("labels").get<std::vector<std::string>>(),
                    {}};
    check(Exit::data, index.channels == (index.flow.empty() ? 3 : 2), "{} channels of {} cannot be", index.channels,
          index.flow.empty() ? "colours" : "flow");
    for (const Json& sample : json.at("samples")) {
      index.samples.push_back(from_json(sample, index.channels));
      check_sample(index.samples.back(), index, static_cast<i64>(end.offset));
    }
    return index;
  } catch (const Json::exception& error) {
    fail(Exit::data, "its index is not what this version writes: {}", {error.what()});
  }
}

PackedSource examine_source(const std::string& path) {
  const RegularFile file(path, "a video", i64{1} << 50);
  PackedSource source{path, file.size(), 0};
  std::vector<std::uint8_t> piece(1 << 20);
  for (i64 at = 0; at < file.size();) {
    const i64 n = std::min<i64>(static_cast<i64>(piece.size()), file.size() - at);
    file.read(at, piece.data(), n);
    source.crc = crc32c(piece.data(), static_cast<std::size_t>(n), source.crc);
    at += n;
  }
  return source;
}

}  // namespace dactyl
