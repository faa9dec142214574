// What dactyl fuse does for other verbs, and how its result is shown.
#pragma once

#include <string>
#include <vector>

#include "apps/cli.h"

namespace dactyl {

// What `dactyl fuse STREAM… --out FOLDER` leaves in the folder, without printing the table.
void fuse_into(const std::string& folder, const std::vector<std::string>& streams);

void print_fusion(const Fusion& fusion, const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit);
// One row per combination; a column of weights per stream, empty where it has no part.
std::string fusion_csv(const Fusion& fusion, const std::vector<LogitStream>& streams);
Json fusion_json(const Fusion& fusion, const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit,
                 const std::vector<Missing>& left_out, std::uint64_t seed);

}  // namespace dactyl
