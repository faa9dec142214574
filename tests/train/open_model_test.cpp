// Opening a model file: what it says of itself is checked, and its numbers are numbers.
#include "train/open_model.h"

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

// A small file as a run leaves it, with one thing about it changed.
struct Made {
  Made() {
    Model model = make_model("googlenet-bn", {.classes = 3, .height = 32, .width = 32, .auxiliary = false});
    file = to_checkpoint(*model.parameters, passport_of(model, {"a", "b", "c"}, "test"));
  }
  std::string written(const TempFolder& folder) const {
    file.write(folder / "m.safetensors");
    return folder / "m.safetensors";
  }
  Checkpoint file;
};

std::string refusal(const Made& made, bool training = false) {
  const TempFolder folder;
  const std::string path = made.written(folder);
  const std::string text = error_text(Exit::model_file, [&] {
    if (training)
      open_for_training("googlenet-bn", path, {"x", "y"}, {});
    else
      open_model("", path);
  });
  EXPECT_EQ(text.find(path), 0u) << text;
  return text;
}

void put(Made& made, const std::string& tensor, float value) {
  const Tensor whole = Tensor::full(made.file.tensors.at(tensor).shape(), 1);
  whole.data<float>()[1] = value;
  made.file.tensors[tensor] = whole;
}

TEST(OpenModel, NumbersThatAreNoneAreRefused) {
  Made good;
  const TempFolder folder;
  EXPECT_EQ(open_model("", good.written(folder)).passport.labels.size(), 3u);
  for (const float value : {NAN, INFINITY}) {
    Made made;
    put(made, "conv1.conv.weight", value);
    for (const bool training : {false, true})
      EXPECT_NE(refusal(made, training).find("1 of its numbers are NaN or infinite: conv1.conv.weight (1 of 9408)"),
                std::string::npos);
  }
  Made made;
  put(made, "conv2.bn.running_var", -1);
  EXPECT_NE(refusal(made).find("variances below 0, in conv2.bn.running_var (1 of 64)"), std::string::npos);
}

TEST(OpenModel, APassportThatCannotBeIsTheFilesFault) {
  for (const auto& [key, value, part] : std::vector<std::array<std::string, 3>>{
           {"resize", "foo", "resize 'foo'"},
           {"resize", "warp16-antialias", "smaller than the network's input"},
           {"height", "16", "the smallest it can take is 31x31"},
           {"height", "65536", "up to 4096"},
           {"model", "\x1b[31mlenet", "no model is called"},
           {"mean", "[1]", "mean of 1 channels, scale of 3"},
       }) {
    Made made;
    made.file.notes["dactyl.passport." + key] = value;
    EXPECT_NE(refusal(made).find(part), std::string::npos) << key << ": " << refusal(made);
  }
}

TEST(OpenModel, WhatTheCallerAsksForIsTheCallersFault) {
  const TempFolder folder;
  const std::string path = Made().written(folder);
  EXPECT_NE(error_text(Exit::usage, [&] { open_model("", path, {.height = 16, .width = 16, .auxiliary = false}); }),
            "");
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_NE(error_text(Exit::model_file, [&] { open_model("googlenet", folder / "loop"); }).find("symbolic links"),
            std::string::npos);
}

}  // namespace
}  // namespace dactyl
