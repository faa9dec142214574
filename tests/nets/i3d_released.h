// The index of DeepMind's released checkpoint rgb_imagenet: every unit and its weight's shape as stored there, (D, H,
// W, inputs, outputs). Beside each weight: three vectors of the normalisation, or for Logits a bias. flow_imagenet
// differs in the first unit's inputs alone: 2.
#pragma once

#include "engine/shape.h"

namespace dactyl {

struct ReleasedUnit {
  const char* name;
  Shape weight;
};

// clang-format off
inline const ReleasedUnit released_i3d[] = {
    {"Conv3d_1a_7x7", {7, 7, 7, 3, 64}},
    {"Conv3d_2b_1x1", {1, 1, 1, 64, 64}},
    {"Conv3d_2c_3x3", {3, 3, 3, 64, 192}},
    {"Logits/Conv3d_0c_1x1", {1, 1, 1, 1024, 400}},
    {"Mixed_3b/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 192, 64}},
    {"Mixed_3b/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 192, 96}},
    {"Mixed_3b/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 96, 128}},
    {"Mixed_3b/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 192, 16}},
    {"Mixed_3b/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 16, 32}},
    {"Mixed_3b/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 192, 32}},
    {"Mixed_3c/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 256, 128}},
    {"Mixed_3c/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 256, 128}},
    {"Mixed_3c/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 128, 192}},
    {"Mixed_3c/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 256, 32}},
    {"Mixed_3c/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 32, 96}},
    {"Mixed_3c/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 256, 64}},
    {"Mixed_4b/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 480, 192}},
    {"Mixed_4b/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 480, 96}},
    {"Mixed_4b/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 96, 208}},
    {"Mixed_4b/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 480, 16}},
    {"Mixed_4b/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 16, 48}},
    {"Mixed_4b/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 480, 64}},
    {"Mixed_4c/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 512, 160}},
    {"Mixed_4c/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 512, 112}},
    {"Mixed_4c/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 112, 224}},
    {"Mixed_4c/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 512, 24}},
    {"Mixed_4c/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 24, 64}},
    {"Mixed_4c/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 512, 64}},
    {"Mixed_4d/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 512, 128}},
    {"Mixed_4d/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 512, 128}},
    {"Mixed_4d/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 128, 256}},
    {"Mixed_4d/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 512, 24}},
    {"Mixed_4d/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 24, 64}},
    {"Mixed_4d/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 512, 64}},
    {"Mixed_4e/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 512, 112}},
    {"Mixed_4e/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 512, 144}},
    {"Mixed_4e/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 144, 288}},
    {"Mixed_4e/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 512, 32}},
    {"Mixed_4e/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 32, 64}},
    {"Mixed_4e/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 512, 64}},
    {"Mixed_4f/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 528, 256}},
    {"Mixed_4f/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 528, 160}},
    {"Mixed_4f/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 160, 320}},
    {"Mixed_4f/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 528, 32}},
    {"Mixed_4f/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 32, 128}},
    {"Mixed_4f/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 528, 128}},
    {"Mixed_5b/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 832, 256}},
    {"Mixed_5b/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 832, 160}},
    {"Mixed_5b/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 160, 320}},
    {"Mixed_5b/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 832, 32}},
    {"Mixed_5b/Branch_2/Conv3d_0a_3x3", {3, 3, 3, 32, 128}},
    {"Mixed_5b/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 832, 128}},
    {"Mixed_5c/Branch_0/Conv3d_0a_1x1", {1, 1, 1, 832, 384}},
    {"Mixed_5c/Branch_1/Conv3d_0a_1x1", {1, 1, 1, 832, 192}},
    {"Mixed_5c/Branch_1/Conv3d_0b_3x3", {3, 3, 3, 192, 384}},
    {"Mixed_5c/Branch_2/Conv3d_0a_1x1", {1, 1, 1, 832, 48}},
    {"Mixed_5c/Branch_2/Conv3d_0b_3x3", {3, 3, 3, 48, 128}},
    {"Mixed_5c/Branch_3/Conv3d_0b_1x1", {1, 1, 1, 832, 128}},
};
// clang-format on

}  // namespace dactyl
