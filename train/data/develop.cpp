// Planes, taps and rows on the device, in portions that bound their memory.
#include "train/data/develop.h"

#include <algorithm>
#include <cstring>

#include "engine/tensor.h"
#include "train/data/load_stage.h"

namespace dactyl {
namespace {

constexpr i64 portion = i64{256} << 20;  // bytes of planes at a time, but one picture at least
constexpr i64 alignment = 256;

i64 aligned(i64 bytes, i64 to = alignment) { return (bytes + to - 1) / to * to; }

// Whole blocks of 16 × 16, as a decoder may write them. A grey picture has planes of chroma too, which nobody reads.
struct PlaneSizes {
  i64 luma_pitch, chroma_pitch, luma, chroma;  // bytes

  explicit PlaneSizes(const JpegLayout& l)
      : luma_pitch(aligned(l.width)),
        chroma_pitch(aligned((l.width + l.across - 1) / l.across)),
        luma(luma_pitch * aligned(l.height, 16)),
        chroma(chroma_pitch * aligned((l.height + l.down - 1) / l.down, 16)) {}
  i64 all() const { return luma + 2 * chroma; }
};

JpegPlanes planes_at(std::uint8_t* at, const JpegLayout& l) {
  const PlaneSizes sizes(l);
  return {.luma = at,
          .blue = at + sizes.luma,
          .red = at + sizes.luma + sizes.chroma,
          .luma_pitch = static_cast<int>(sizes.luma_pitch),
          .chroma_pitch = static_cast<int>(sizes.chroma_pitch),
          .height = l.height,
          .width = l.width,
          .across = l.across,
          .down = l.down,
          .grey = l.grey,
          .orientation = l.orientation};
}

i64 between_bytes(const CodedSlot& slot) {
  return i64{slot.down.end() - slot.down.begin()} * static_cast<i64>(slot.across.first.size()) * 3 * 2;
}

// The slots with a picture, divided so that their planes have room.
std::vector<std::vector<std::size_t>> portions_of(const std::vector<CodedSlot>& slots) {
  std::vector<std::vector<std::size_t>> portions;
  i64 left = 0;
  for (std::size_t s = 0; s < slots.size(); ++s) {
    if (!slots[s].picture) continue;
    const i64 bytes = PlaneSizes(slots[s].picture->layout).all();
    if (portions.empty() || bytes > left) {
      portions.emplace_back();
      left = portion;
    }
    portions.back().push_back(s);
    left -= bytes;
  }
  return portions;
}

// The taps of many pictures, one after the other.
class TapBlock {
 public:
  void add(const Taps& taps) {
    starts_.push_back(numbers_.size());
    for (const auto* list : {&taps.first, &taps.count, &taps.weight})
      numbers_.insert(numbers_.end(), list->begin(), list->end());
  }
  void upload(Device device) {
    there_ = Tensor({static_cast<i64>(numbers_.size())}, DType::i32, device);
    copy_bytes(there_.raw(), device, numbers_.data(), Device::cpu(), 4 * numbers_.size());
  }
  TapList list(std::size_t index, const Taps& taps) const {
    const std::int32_t* first = there_.data<std::int32_t>() + starts_[index];
    const std::size_t n = taps.first.size();
    return {first, first + n, first + 2 * n, static_cast<int>(n), taps.width};
  }

 private:
  std::vector<std::int32_t> numbers_;
  std::vector<std::size_t> starts_;
  Tensor there_;
};

}  // namespace

CodedSlot coded_slot(std::shared_ptr<const CodedPicture> picture, const InputSpec& input) {
  const JpegLayout& l = picture->layout;
  const Preparation p = preparation(l.shown_height(), l.shown_width(), input);
  Taps across = taps_for(l.shown_width(), p.width, p.left, p.side, input.filter);
  Taps down = taps_for(l.shown_height(), p.height, p.top, p.side, input.filter);
  return {std::move(picture), std::move(across), std::move(down)};
}

Developer::Developer(std::shared_ptr<PlaneDecoder> decoder, const InputSpec& input)
    : decoder_(std::move(decoder)), input_(input), context_(std::make_shared<Context>(decoder_->device())) {}

void Developer::develop_some(const std::vector<std::size_t>& chosen, std::size_t sample_bytes,
                             const std::vector<CodedSlot>& slots, std::byte* to, std::vector<std::size_t>& refused) {
  i64 plane_bytes = 0, row_bytes = 0;
  TapBlock taps;
  for (const std::size_t s : chosen) {
    plane_bytes += PlaneSizes(slots[s].picture->layout).all();
    row_bytes = std::max(row_bytes, between_bytes(slots[s]));
    taps.add(slots[s].across);
    taps.add(slots[s].down);
  }
  const Device device = context_->device();
  const Tensor planes({plane_bytes}, DType::u8, device), between({row_bytes}, DType::u8, device);
  std::vector<PlaneOrder> orders;
  std::uint8_t* at = planes.data<std::uint8_t>();
  for (const std::size_t s : chosen) {
    const CodedPicture& picture = *slots[s].picture;
    orders.push_back({&picture, planes_at(at, picture.layout)});
    at += PlaneSizes(picture.layout).all();
  }
  taps.upload(device);
  const std::vector<bool> good = decoder_->decode(orders);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const CodedSlot& slot = slots[chosen[i]];
    if (!good[i]) {
      refused.push_back(chosen[i]);
      continue;
    }
    prepare_planes(orders[i].planes, taps.list(2 * i, slot.across), taps.list(2 * i + 1, slot.down), slot.down.begin(),
                   slot.down.end() - slot.down.begin(), reinterpret_cast<std::uint16_t*>(between.raw()),
                   reinterpret_cast<std::uint8_t*>(to + chosen[i] * sample_bytes));
  }
  context_->compute().synchronize();  // a decoder's engines may be ahead of the stream: the planes are done with
}

i64 Developer::develop(std::byte* host, std::size_t bytes, std::size_t sample_bytes,
                       const std::vector<CodedSlot>& slots, const Event& taken, std::byte* to) {
  const std::lock_guard lock(mutex_);
  const Staged decoding(LoadStage::decode);
  decoder_->enter();
  const Use here(context_);
  context_->compute().wait(taken);
  const auto copy = [&](std::size_t at, std::size_t count) {
    copy_bytes(to + at, context_->device(), host + at, Device::cpu(), count);
  };
  std::vector<std::size_t> refused;
  for (const auto& chosen : portions_of(slots)) develop_some(chosen, sample_bytes, slots, to, refused);
  for (const std::size_t s : refused) {
    const Image image = prepared(decode(slots[s].picture->bytes), input_);
    std::memcpy(host + s * sample_bytes, image.rgb.data(), sample_bytes);
    copy(s * sample_bytes, sample_bytes);
  }
  for (std::size_t s = 0; s < slots.size(); ++s)
    if (!slots[s].picture) copy(s * sample_bytes, sample_bytes);
  copy(slots.size() * sample_bytes, bytes - slots.size() * sample_bytes);
  context_->compute().synchronize();
  return static_cast<i64>(refused.size());
}

}  // namespace dactyl
