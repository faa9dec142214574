// What the verbs of data share about clips.
#pragma once

#include <memory>
#include <string>

#include "apps/cli.h"

namespace dactyl {

struct ClipChoice {
  std::string data;
  bool frame_folders = false;
  double fps = 25;
  i64 min_per_class = 1, top_classes = 0;
};

void add_clip_options(CLI::App& verb, ClipChoice& choice);
bool are_clips(const ClipChoice& choice);  // rather than pictures
std::shared_ptr<const ClipSource> open(const ClipChoice& choice);
void add_pack(CLI::App& data);   // below data
void add_split(CLI::App& data);

}  // namespace dactyl
