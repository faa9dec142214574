// From a model's name to its table.
#include "weights/names/names.h"

#include "weights/names/alexnet.h"
#include "weights/names/googlenet.h"

namespace dactyl {

std::span<const NameRow> name_rows(const std::string& model) {
  if (model == "alexnet") return alexnet_names;
  if (model == "alexnet-torchvision") return alexnet_torchvision_names;
  if (model == "googlenet") return googlenet_names;
  check(Exit::usage, model == "googlenet-bn",
        "foreign weights can be poured into alexnet, alexnet-torchvision, googlenet and googlenet-bn, not into {}",
        model);
  return googlenet_bn_names;
}

NameRow row_of(std::span<const NameRow> rows, std::string_view parameter) {
  for (const NameRow& row : rows)
    if (row.name == parameter) return row;
  return {parameter, parameter};
}

}  // namespace dactyl
