// Features kept in the run folder, so that a resumed run learns from the same bits.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "train/features.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

using Json = nlohmann::json;

Tensor mask_of(const Features& f) {
  Tensor mask({static_cast<i64>(f.good.size())}, DType::u8, Device::cpu());
  for (std::size_t i = 0; i < f.good.size(); ++i) mask.data<std::uint8_t>()[i] = f.good[i] ? 1 : 0;
  return mask;
}

void put(Checkpoint& file, const std::string& name, const Features& f) {
  file.tensors[name] = f.rows;
  file.tensors[name + ".good"] = mask_of(f);
  Json bad = Json::array();
  for (const BadSample& b : f.bad) bad.push_back({b.name, b.reason});
  file.notes[name] = Json{{"views", f.views}, {"bad", bad}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Features take(const Checkpoint& file, const std::string& name) {
  const Json notes = Json::parse(file.notes.at(name));
  Features f{.views = notes.at("views"), .rows = file.tensors.at(name)};
  const Tensor mask = file.tensors.at(name + ".good");
  for (i64 i = 0; i < mask.count(); ++i) f.good.push_back(mask.data<std::uint8_t>()[i] != 0);
  for (const Json& b : notes.at("bad")) f.bad.push_back({b.at(0), b.at(1)});
  return f;
}

}  // namespace

void write_features(const std::string& path, const std::string& key, const Features& train,
                    const Features& validation) {
  Checkpoint file;
  put(file, "train", train);
  put(file, "validation", validation);
  file.notes["key"] = key;
  file.path = path;
  file.write(path);
}

bool read_features(const std::string& path, const std::string& key, Features& train, Features& validation) {
  if (!std::filesystem::exists(path)) return false;
  try {
    const Checkpoint file = Checkpoint::read(path);
    if (file.notes.at("key") != key) return false;
    train = take(file, "train");
    validation = take(file, "validation");
    return true;
  } catch (const std::exception&) {
    return false;  // computing them again costs time and nothing else
  }
}

}  // namespace dactyl
