// One function per family: the table of its paper, built into a model without values.
#pragma once

#include "nets/nets.h"
#include "nets/stack.h"

namespace dactyl {

Model alexnet(const ModelOptions&);              // BVLC's: Krizhevsky et al. 2012 with two groups and LRN
Model alexnet_torchvision(const ModelOptions&);  // Krizhevsky 2014, "one weird trick", as torchvision has it
Model googlenet(const ModelOptions&);            // BVLC's: Szegedy et al. 2014, Table 1
Model googlenet_bn(const ModelOptions&);         // torchvision's: batch normalisation, 3×3 in the 5×5 branch

// Wires a finished stack into a model: the layer named `features` feeds the head, the last layer.
void finish(Model& model, const Stack& net, const std::string& features, std::vector<std::string> heads);

}  // namespace dactyl
