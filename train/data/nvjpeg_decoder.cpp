// Planes as nvJPEG leaves them: no colour conversion, no upsampling, so that only its inverse transform may round
// otherwise.
#include "train/data/nvjpeg_decoder.h"

#include <cstdlib>
#include <string_view>

#ifdef DACTYL_NVJPEG
#include <nvjpeg.h>
#endif

namespace dactyl {
namespace {

#ifdef DACTYL_NVJPEG
bool good(nvjpegStatus_t status) { return status == NVJPEG_STATUS_SUCCESS; }

void check(nvjpegStatus_t status, const char* what) {
  dactyl::check(good(status), "nvJPEG: {}: status {}; --decode cpu does without it", what, static_cast<int>(status));
}

class NvJpeg : public PlaneDecoder {
 public:
  explicit NvJpeg(Device device) : device_(device) {
    enter();
    const char* wanted = std::getenv("DACTYL_NVJPEG");
    const std::string_view word = wanted ? wanted : "";
    dactyl::check(Exit::usage, word.empty() || word == "engine" || word == "kernels",
                  "DACTYL_NVJPEG={}: expected engine or kernels", word);
    engine_ = word != "kernels" && good(nvjpegCreateEx(NVJPEG_BACKEND_HARDWARE, nullptr, nullptr, 0, &handle_));
    dactyl::check(Exit::usage, engine_ || word != "engine", "DACTYL_NVJPEG=engine: nvJPEG finds no JPEG engine here");
    if (!engine_) check(nvjpegCreateEx(NVJPEG_BACKEND_GPU_HYBRID, nullptr, nullptr, 0, &handle_), "starting");
    check(nvjpegJpegStateCreate(handle_, &state_), "making a decoder");
    check(nvjpegJpegStreamCreate(handle_, &header_), "making a parser");
  }
  ~NvJpeg() override {
    if (header_) nvjpegJpegStreamDestroy(header_);
    if (state_) nvjpegJpegStateDestroy(state_);
    if (handle_) nvjpegDestroy(handle_);
  }
  NvJpeg(const NvJpeg&) = delete;
  NvJpeg& operator=(const NvJpeg&) = delete;

  Device device() const override { return device_; }
  std::string name() const override { return engine_ ? "nvJPEG's engine" : "nvJPEG's kernels"; }

  // nvJPEG allocates as it pleases, which another thread's capture of a step must not forbid.
  void enter() override {
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    dactyl::check(
        cudaSetDevice(device_.index) == cudaSuccess && cudaThreadExchangeStreamCaptureMode(&mode) == cudaSuccess,
        "loader: a thread cannot use {}", device_);
  }

  std::vector<bool> decode(const std::vector<PlaneOrder>& orders) override {
    std::vector<bool> taken(orders.size(), false);
    for (const bool grey : {false, true}) {
      std::vector<std::size_t> chosen;
      for (std::size_t i = 0; i < orders.size(); ++i)
        if (orders[i].planes.grey == grey && supported(*orders[i].picture)) chosen.push_back(i);
      decode_group(orders, chosen, grey ? NVJPEG_OUTPUT_Y : NVJPEG_OUTPUT_YUV, taken);
    }
    return taken;
  }

 private:
  bool supported(const CodedPicture& picture) {
    int refused = 0;
    return good(nvjpegJpegStreamParseHeader(handle_, picture.bytes.data(), picture.bytes.size(), header_)) &&
           (!engine_ || (good(nvjpegDecodeBatchedSupported(handle_, header_, &refused)) && refused == 0));
  }

  // All at once; if that fails, one by one, so that a picture's fate does not depend on its neighbours.
  void decode_group(const std::vector<PlaneOrder>& orders, const std::vector<std::size_t>& chosen,
                    nvjpegOutputFormat_t format, std::vector<bool>& taken) {
    if (chosen.empty()) return;
    const bool all = decode_all(orders, chosen, format);
    for (const std::size_t i : chosen) taken[i] = all || (chosen.size() > 1 && decode_all(orders, {i}, format));
  }

  bool decode_all(const std::vector<PlaneOrder>& orders, const std::vector<std::size_t>& chosen,
                  nvjpegOutputFormat_t format) {
    std::vector<const unsigned char*> data;
    std::vector<std::size_t> lengths;
    std::vector<nvjpegImage_t> images;
    for (const std::size_t i : chosen) {
      const auto& [picture, p] = orders[i];
      data.push_back(picture->bytes.data());
      lengths.push_back(picture->bytes.size());
      const auto pitch = static_cast<std::size_t>(p.luma_pitch), chroma = static_cast<std::size_t>(p.chroma_pitch);
      images.push_back({{p.luma, p.blue, p.red, nullptr}, {pitch, chroma, chroma, 0}});
    }
    Stream& stream = Context::current().compute();
    stream.synchronize();  // the decoder's own memory may still be in use
    const int count = static_cast<int>(chosen.size());
    const bool done =
        good(nvjpegDecodeBatchedInitialize(handle_, state_, count, 1, format)) &&
        good(nvjpegDecodeBatched(handle_, state_, data.data(), lengths.data(), images.data(), stream.handle()));
    if (!done) cudaGetLastError();  // what it met is no later kernel's fault
    return done;
  }

  const Device device_;
  bool engine_ = false;
  nvjpegHandle_t handle_ = nullptr;
  nvjpegJpegState_t state_ = nullptr;
  nvjpegJpegStream_t header_ = nullptr;
};

constexpr bool built_in = true;
std::shared_ptr<PlaneDecoder> made(Device device) { return std::make_shared<NvJpeg>(device); }
#else
constexpr bool built_in = false;
std::shared_ptr<PlaneDecoder> made(Device) { return nullptr; }
#endif

#ifdef DACTYL_JPEG
constexpr bool checkable = true;
#else
constexpr bool checkable = false;
#endif

}  // namespace

std::string nvjpeg_missing(Device device) {
  if (!built_in)
    return "this build has no nvJPEG; with nvjpeg.h and libnvjpeg (of the CUDA toolkit, or the Python package "
           "nvidia-nvjpeg) configure it again";
  if (!checkable) return "this build has no libjpeg-turbo, which finds damage that nvJPEG overlooks";
  return device.is_cuda() ? "" : "needs a GPU, the device is " + to_text(device);
}

std::shared_ptr<PlaneDecoder> nvjpeg_decoder(Device device) {
  require_decoder("gpu", device);
  return made(device);
}

void require_decoder(const std::string& word, Device device) {
  check(Exit::usage, word == "auto" || word == "cpu" || word == "gpu", "--decode '{}': expected auto, cpu or gpu",
        word);
  if (word != "gpu") return;
  const std::string missing = nvjpeg_missing(device);
  check(Exit::usage, missing.empty(), "--decode gpu: {}; --decode cpu works everywhere", missing);
}

std::shared_ptr<PlaneDecoder> decoder_named(const std::string& word, Device device) {
  require_decoder(word, device);
  return word == "gpu" ? nvjpeg_decoder(device) : nullptr;
}

}  // namespace dactyl
