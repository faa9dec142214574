// What the two papers ran and report. Their settings are in train/recipes.
#include "apps/repro.h"

namespace dactyl {
namespace {

Given flow(const std::string& algorithm, const std::string& encoding) {
  return {{"flow", {"on-the-fly"}}, {"flow-algo", {algorithm}}, {"flow-encoding", {encoding}}};
}

// What any of the nets of pictures starts from.
constexpr const char* imagenet = "a net trained on ImageNet";

constexpr const char* letters_examples =
    "  dactyl repro seed1 photos --streams googlenet --weights-googlenet bvlc_googlenet.caffemodel\n"
    "  dactyl repro seed1 photos --weights-googlenet bvlc_googlenet.caffemodel \\\n"
    "      --weights-alexnet bvlc_alexnet.caffemodel --set batch=32 --out runs/letters\n"
    "A second call with the same options goes on where the first one stopped.";

constexpr const char* signs_examples =
    "  dactyl convert --inflate --model i3d --weights bvlc_googlenet.caffemodel --pictures photos \\\n"
    "      --out i3d_rgb.safetensors\n"
    "  dactyl convert --inflate --model i3d --weights bvlc_googlenet.caffemodel --pictures photos \\\n"
    "      --channels 2 --out i3d_flow.safetensors\n"
    "  dactyl repro seed2 videos --weights-rgb i3d_rgb.safetensors --weights-tvl1 i3d_flow.safetensors \\\n"
    "      --weights-farneback i3d_rgb.safetensors --weights-frame bvlc_googlenet.caffemodel \\\n"
    "      --weights-mobilenet-lstm mobilenet_v1_075_224.safetensors --out runs/words\n"
    "  dactyl repro seed2 videos --weights-rgb i3d_rgb.safetensors --streams rgb --set batch=8\n"
    "A second call with the same options goes on where the first one stopped.";

Paper alphabet() {
  return {.verb = "seed1",
          .title = "AlexNet and GoogLeNet fine-tuned on photos of the ASL alphabet",
          .data = "3,000 photos of each letter, of many backgrounds, lights, skin colours and hand sizes",
          .classes = 26,
          .samples = 78000,
          .metric = "top1",
          .figure_name = "accuracy",
          .figure = 0.9939,
          .runs = {{.name = "alexnet",
                    .recipe = "seed1-alexnet",
                    .start = imagenet,
                    .extra = {},
                    .fixed = {},
                    .figure = 0.9939},
                   {.name = "googlenet",
                    .recipe = "seed1-googlenet",
                    .start = imagenet,
                    .extra = {},
                    .fixed = {},
                    .figure = 0.9552}},
          .examples = letters_examples};
}

// The paper's three streams see 20 frames of 224×224: of three colours, of Farnebäck's flow drawn as a picture, of the
// two components of TV-L1.
std::vector<PaperRun> word_runs() {
  return {
      {.name = "rgb",
       .recipe = "seed2",
       .start = "I3D trained on Kinetics",
       .extra = {},
       .fixed = {"flow"},
       .fused = true},
      {.name = "tvl1",
       .recipe = "seed2",
       .start = "I3D trained on flow of Kinetics",
       .extra = flow("tvl1", "uv"),
       .fixed = {},
       .fused = true},
      {.name = "farneback",
       .recipe = "seed2",
       .start = "I3D trained on Kinetics",
       .extra = flow("farneback", "hsv"),
       .fixed = {},
       .fused = true},
      {.name = "mobilenet-lstm", .recipe = "seed2-mobilenet-lstm", .start = imagenet, .extra = {}, .fixed = {"flow"}},
      {.name = "frame",
       .recipe = "seed2-frame",
       .start = imagenet,
       .whose = "its recipe",
       .extra = {},
       .fixed = {"flow", "clips", "test-clips"}}};
}

Paper words() {
  return {.verb = "seed2",
          .title = "I3D on videos of Azerbaijani word signs",
          .data =
              "videos of a front camera trimmed to words: classes with at least 20 samples, the 100 most frequent; "
              "their number is not told",
          .classes = 100,
          .metric = "macro_f1",
          .figure_name = "macro F1",
          .figure = 0.8485,
          .runs = word_runs(),
          .examples = signs_examples};
}

}  // namespace

const std::vector<Paper>& papers() {
  static const std::vector<Paper> all{alphabet(), words()};
  return all;
}

}  // namespace dactyl
