// An input specification's resizing as the text that passports and the command line use.
#pragma once

#include <string>

#include "nets/model.h"

namespace dactyl {

std::string resize_text(const InputSpec& input);  // "warp256-antialias", "short256-bilinear"
// Usage error if the text is not of that form, or the side smaller than the network's input.
void set_resize(InputSpec& input, const std::string& text);

}  // namespace dactyl
