// What a file is, by its name.
#pragma once

#include <filesystem>
#include <initializer_list>

namespace dactyl {

bool has_extension(const std::filesystem::path& path, std::initializer_list<const char*> lower_case);
bool has_picture_extension(const std::filesystem::path& path);  // .jpg, .jpeg, .png
bool has_video_extension(const std::filesystem::path& path);    // .mp4, .mov, .mkv, .webm, .avi, .ts and their kin

}  // namespace dactyl
