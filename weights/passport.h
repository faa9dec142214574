// What a weight file must say about itself, so that the wrong preprocessing is a named error and not a bad figure.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace dactyl {

struct Passport {
  std::string model;                  // "googlenet"
  std::string channel_order = "rgb";  // of the first convolution in this file
  std::vector<float> mean, scale;     // per channel in that order, in bytes
  long height = 0, width = 0;
  std::string resize;               // "warp256-antialias", "short256-antialias", "warp256-bilinear" …
  std::vector<std::string> labels;  // index -> label
  std::string origin;               // where the numbers came from: file name, its CRC, format, or "trained from …"
  std::string licence;
  long frames = 0;       // of a clip; 0: pictures
  std::string flow;      // of optical flow: how it was computed, the text of a FlowRecipe; empty: colours
  std::string encoding;  // … and how it became channels: uv, uv0, hsv

  bool empty() const { return model.empty(); }
  std::map<std::string, std::string> to_notes() const;  // keys "dactyl.passport.…"
  // empty() if there is none; Exit::model_file, naming `path`, if a figure in it is not one.
  static Passport from_notes(const std::map<std::string, std::string>&, const std::string& path = "");
};

// What the public weights of alexnet, alexnet-torchvision, googlenet, googlenet-bn and mobilenet (of any width) expect
// once load() has brought them into our order (channels red, green, blue); empty() for any other name. No labels.
Passport known_passport(const std::string& model);

}  // namespace dactyl
