// A batch's bytes as the net sees them; flow only for nets of that flow.
#include "train/flow_input.h"

#include "kernels/flow.h"
#include "train/inference.h"

namespace dactyl {
namespace {

PixelOptions pixel_options(const InputSpec& input, DType dtype) {
  return {.height = input.height, .width = input.width, .mean = input.mean, .scale = input.scale, .dtype = dtype};
}

// Encoded after crop and mirror: a colour that stands for a direction cannot be mirrored any more.
Tensor flow_input_of(const Batch& batch, const InputSpec& input, DType dtype) {
  const FlowEncoding encoding = input.encoding.empty() ? FlowEncoding::uv : flow_encoding(input.encoding);
  PixelOptions how = pixel_options(input, dtype);
  how.flow = true;
  if (encoding == FlowEncoding::uv) return pixels(batch.bytes, batch.geometry, how);
  how.mean = {127.5f, 127.5f};
  how.scale = {1 / 127.5f, 1 / 127.5f};
  how.dtype = DType::f32;
  return flow_input(pixels(batch.bytes, batch.geometry, how), encoding, 1, dtype);
}

std::string whole(const std::string& flow, const std::string& encoding) {
  return encoding.empty() ? flow : flow + " encoding=" + encoding;
}

std::string told(const std::string& mine, const std::string& other) {
  if (mine.empty()) return "colours";
  return "optical flow with " + (other.empty() ? mine : difference(mine, other));
}

// Weights of colours, of which flow begins.
void require_channels(const Passport& passport, const std::string& encoding) {
  if (passport.frames == 0 || encoding.empty()) return;
  const auto channels = static_cast<std::size_t>(channels_of(flow_encoding(encoding)));
  check(Exit::usage, passport.mean.size() == channels,
        "the weights take {} channels, flow encoded as {} has {}; begin with weights made by dactyl convert --inflate "
        "--channels {}, or take another --flow-encoding",
        passport.mean.size(), encoding, channels, channels);
}

}  // namespace

Tensor input_of(const Batch& batch, const InputSpec& input, DType dtype) {
  const Tensor x = batch.bytes.shape().channels() == 2
                       ? flow_input_of(batch, input, dtype)
                       : pixels(batch.bytes, batch.geometry, pixel_options(input, dtype));
  trace_done("pixels");
  return x;
}

std::optional<FlowRecipe> flow_of(const Passport& passport) {
  if (passport.flow.empty()) return {};
  return flow_recipe(passport.flow);
}

void require_flow(const Passport& passport, const std::string& flow, const std::string& encoding, bool start) {
  if (passport.empty()) return;
  if (start && passport.flow.empty()) return require_channels(passport, encoding);
  const std::string learnt = whole(passport.flow, passport.encoding), given = whole(flow, encoding);
  check(Exit::usage, learnt == given,
        "the weights learnt from {}, and the data gives {}; take data that fits the weights (in training: --flow, "
        "--flow-algo, --flow-side, --flow-encoding), or other weights",
        told(learnt, given), told(given, learnt));
}

void require_clips(const Model& model, const DataSource& source) {
  const i64 frames = model.input.frames;
  check(Exit::usage, frames == 0 || source.frames() > 1,
        "{} recognises {} frames of a video, and the data gives single pictures; give it videos, --clips and "
        "--test-clips of more than one frame, or take another --model",
        model.name, frames);
  check(Exit::usage, frames > 0 || source.flow().empty(),
        "{} recognises pictures, and optical flow comes in clips; take a --model of clips, such as i3d", model.name);
}

}  // namespace dactyl
