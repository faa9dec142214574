// The nets' public face.
#pragma once

#include "nets/model.h"

namespace dactyl {

struct ModelOptions {
  i64 classes = 0;            // 0: as many as the released weights have, 1000 or for I3D 400
  i64 height = 0, width = 0;  // 0: the net's own
  i64 frames = 0;             // of a clip; 0: the net's own. A net of pictures takes none
  i64 channels = 0;           // 0: the net's own, 3; only nets of clips take others (2: optical flow)
  bool auxiliary = true;      // GoogLeNet: build the auxiliary heads
  double dropout = -1;        // of the last classifier's input; −1: the net's own
  std::uint64_t seed = 1;     // initial values
};

struct ModelInfo {
  std::string name, title, paper;  // "googlenet", "GoogLeNet (BVLC)", "Szegedy et al. 2014, Table 1"
  i64 least, least_auxiliary;      // sides of the smallest input, without and with the auxiliary heads; 0: any
};
const std::vector<ModelInfo>& models();  // in the order of the list that `dactyl models` prints
// Of a listed net, or of MobileNet at a width: "mobilenet-0.75". Unknown: usage error listing the names.
ModelInfo model_info(const std::string& name);
Model make_model(const std::string& name,
                 const ModelOptions& = {});  // values initialised; usage error: unknown name, too small an input

// One row of a net's table, taken from a real forward pass of one sample.
struct LayerRow {
  std::string name, kind;  // "conv2/3x3", "conv"
  Shape output;
  i64 parameters = 0, macs = 0;  // dense multiply-accumulates, taps on padding counted, for one sample
  std::string line;  // of a convolution or linear layer, as this pass computes it: kernels/descriptor.h
};
struct ModelTable {
  std::vector<LayerRow> rows;
  i64 parameters = 0;  // learnable, without auxiliary heads
  i64 parameters_with_auxiliary = 0;
  i64 stored = 0;  // with running statistics, without auxiliary heads
  i64 macs = 0;    // inference, one sample
};
ModelTable tabulate(const Model& model);  // for the input the model was made for; no arithmetic is done

}  // namespace dactyl
