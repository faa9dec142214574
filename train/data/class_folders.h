// Files and folders as samples: where they lie says their class. Internal to the sources.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/check.h"
#include "train/data/extensions.h"

namespace dactyl {

// Hidden entries left out, in order of name. Throws Exit::data where the folder cannot be listed.
std::vector<std::filesystem::path> entries(const std::filesystem::path& folder);

std::optional<int> whole_number(std::string_view text);  // digits and nothing else, below 2³¹

// A sample and the name of its class.
struct Named {
  std::string path, label;
};

using IsSample = std::function<bool(const std::filesystem::path&)>;
std::vector<std::filesystem::path> samples_in(const std::filesystem::path& folder, const IsSample&);
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder, const IsSample&);  // no samples
// Classes are the sub-folders; where none of those holds a sample itself (one per signer, say), the ones below. A class
// without a sample is an error unless `allow_empty`; `kind` ("a picture") completes its text.
std::vector<Named> samples_by_class(const std::string& root, const IsSample&, const char* kind, bool allow_empty);

// Labels in the order of their indices: by number if all are numbers, else by name. `known` as it is, if there is one.
std::vector<std::string> label_order(const std::vector<Named>& found, const std::vector<std::string>& known);
// For each sample its label's index; throws Exit::data for one that is not among them.
std::vector<int> label_indices(const std::vector<Named>& found, const std::vector<std::string>& labels);

}  // namespace dactyl
