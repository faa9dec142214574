// A net with its parameters and what its input must look like.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace dactyl {

// What belongs to one run of a net and not to the net: training or not, random numbers, and a tap that sees every
// named intermediate result.
struct Pass {
  bool training = false;
  bool frozen_statistics = false;  // batch normalisation keeps its running statistics in training
  Random* random = nullptr;        // for dropout; needed when training
  std::function<void(const std::string&, const Tensor&)> tap;  // in training also what is normalised, as NAME.conv
  std::vector<std::pair<Tensor, double>> auxiliary;  // scores of side classifiers and the weights of their losses
  void see(const std::string& name, const Tensor& y) const {
    if (tap) tap(name, y);
  }
};

// Auxiliary classifiers' scores beside the main ones (GoogLeNet in training), each with the weight of its loss.
struct Scores {
  Tensor main;  // (N, classes)
  std::vector<std::pair<Tensor, double>> auxiliary;
};

enum class Resize { warp, short_side };     // both sides to `resize_to`, or the shorter one
enum class Filter { antialias, bilinear };  // triangle filter widened when shrinking (PIL), or 2 taps (OpenCV)

// How a picture becomes the input: resize, centre crop, (byte − mean)·scale. Channels are always red, green, blue.
struct InputSpec {
  i64 height = 224, width = 224, channels = 3;
  Resize resize = Resize::short_side;
  Filter filter = Filter::antialias;
  i64 resize_to = 256;
  std::vector<float> mean, scale;  // per channel, in bytes
  i64 frames = 0;                  // of a clip; 0: a picture
  std::string flow;                // of optical flow: how it was computed; empty: colours
  std::string encoding;            // … and how it becomes channels: uv, uv0, hsv

  // Of a batch: (N, H, W, C), or (N, D, H, W, C) for clips.
  Shape shape(i64 batch) const {
    return frames ? Shape{batch, frames, height, width, channels} : Shape{batch, height, width, channels};
  }
};

struct Model {
  std::string name;                        // "googlenet"
  std::unique_ptr<Parameters> parameters;  // stable address: layers refer into it
  std::function<Scores(const Tensor& x, Pass&)> net;
  InputSpec input;
  i64 classes = 0;
  std::vector<std::string> heads;            // prefixes of the layers that depend on `classes`, main head first
  std::vector<std::string> auxiliary;        // prefixes used only in training
  std::vector<std::string> order;            // layer names from input to output, for --freeze until=NAME
  std::map<std::string, std::string> kinds;  // tapped name -> "conv", "max pool", "lrn" …
  std::string features;                      // the tapped tensor that feeds the head, before its dropout
  std::function<Tensor(const Tensor& features, Pass&)>
      head;  // the last classifier alone, for the frozen-backbone shortcut

  Tensor forward(const Tensor& x, Pass& pass) const { return net(x, pass).main; }
  bool in_head(const std::string& parameter) const;
  void to(Device device) { parameters->to(device); }
};

}  // namespace dactyl
