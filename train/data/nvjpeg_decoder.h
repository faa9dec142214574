// nvJPEG as the decoder of a batch's pictures.
#pragma once

#include "train/data/develop.h"

namespace dactyl {

// Why --decode gpu is not possible on this device with this build; empty: it is. One line, with what to do.
std::string nvjpeg_missing(Device device);
// By the GPU's own JPEG engines where it has them and nvJPEG may use them, else by kernels. DACTYL_NVJPEG=engine or
// kernels: by these alone. Throws a usage error where it is missing.
std::shared_ptr<PlaneDecoder> nvjpeg_decoder(Device device);

// As --decode says: auto, cpu (none) or gpu; another word, or what is missing, is a usage error.
void require_decoder(const std::string& word, Device device);
std::shared_ptr<PlaneDecoder> decoder_named(const std::string& word, Device device);

}  // namespace dactyl
