// One function per family: the table of its paper, built into a model without values.
#pragma once

#include "nets/nets.h"
#include "nets/stack.h"

namespace dactyl {

Model alexnet(const ModelOptions&);              // BVLC's: Krizhevsky et al. 2012 with two groups and LRN
Model alexnet_torchvision(const ModelOptions&);  // Krizhevsky 2014, "one weird trick", as torchvision has it
Model googlenet(const ModelOptions&);            // BVLC's: Szegedy et al. 2014, Table 1
Model googlenet_bn(const ModelOptions&);         // torchvision's: batch normalisation, 3×3 in the 5×5 branch
Model i3d(const ModelOptions&);                  // DeepMind's: Carreira and Zisserman 2017
Model mobilenet(const std::string& name, double width, const ModelOptions&);  // Howard et al. 2017, Table 1

Model mobilenet_lstm(const std::string& name, double width, const ModelOptions&);  // MobileNet per frame, then an LSTM

InputSpec mobilenet_input(const ModelOptions&);  // one picture: bytes / 127.5 − 1
// Adds MobileNet's layers up to the mean over the picture; `width` multiplies every number of channels.
void mobilenet_trunk(Stack& net, double width);

// "mobilenet-0.75" is "mobilenet" at width 0.75; a name without a width is itself at width 1.
struct Family {
  std::string name;
  double width = 1;
};
Family family_of(const std::string& name);

// Wires a finished stack into a model: the layer named `features` feeds the head, the last layer.
void finish(Model& model, const Stack& net, const std::string& features, std::vector<std::string> heads);

}  // namespace dactyl
