// The completeness check of JPEG files: decoders fill what is missing with grey and call it success.
#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "train/data/decode.h"

namespace dactyl {
namespace {

enum Code { tem = 0x01, dht = 0xC4, jpg = 0xC8, dac = 0xCC, rst0 = 0xD0, rst7 = 0xD7, soi = 0xD8, eoi = 0xD9 };
enum Segment { sos = 0xDA, dnl = 0xDC, dri = 0xDD, app1 = 0xE1, app14 = 0xEE };
constexpr int scan_limit = 256;  // each scan of a progressive file costs a pass over the whole picture

bool is_frame(int code) { return code >= 0xC0 && code <= 0xCF && code != dht && code != jpg && code != dac; }

class JpegWalk {
 public:
  JpegWalk(Bytes bytes, const ImageLimits& limits) : bytes_(bytes), limits_(limits) {}

  JpegFacts walk() {
    at_ = 2;
    for (int code = next_marker(); code != eoi; code = next_marker()) {
      check(Exit::data, code != soi && code != dnl && !(code >= rst0 && code <= rst7),
            "JPEG: misplaced marker {} at byte {}", code, at_);
      if (code == tem) continue;
      const Bytes body = segment();
      if (is_frame(code)) frame(code, body);
      if (code == dri && body.size() >= 2) interval_ = body[0] * 256 + body[1];
      if (code == app1) exif(body);
      if (code == app14 && starts_with(body, "Adobe")) facts_.adobe = true;
      if (code == sos) scan(body);
    }
    finish();
    return facts_;
  }

 private:
  static bool starts_with(Bytes body, std::string_view word) {
    return body.size() >= word.size() && std::memcmp(body.data(), word.data(), word.size()) == 0;
  }

  void need(std::size_t count) const {
    check(Exit::data, bytes_.size() - at_ >= count, "JPEG is cut off: it ends after {} bytes without its end marker",
          bytes_.size());
  }

  int next_marker() {
    need(2);
    check(Exit::data, bytes_[at_] == 0xFF, "JPEG: a marker is missing at byte {}", at_);
    while (bytes_[at_] == 0xFF) {  // any number of fill bytes may come first
      ++at_;
      need(1);
    }
    return bytes_[at_++];
  }

  Bytes segment() {
    need(2);
    const std::size_t length = bytes_[at_] * 256u + bytes_[at_ + 1];
    check(Exit::data, length >= 2, "JPEG: a segment of {} bytes at byte {}", length, at_);
    need(length);
    const Bytes body = bytes_.subspan(at_ + 2, length - 2);
    at_ += length;
    return body;
  }

  void frame(int code, Bytes body) {
    check(Exit::data, code <= 0xC2, "JPEG: {} is unsupported; save it as baseline or progressive JPEG",
          code >= 0xC9 ? "arithmetic coding" : "lossless or hierarchical coding");
    check(Exit::data, sent_.empty(), "JPEG: two frame headers");
    check(Exit::data, body.size() >= 6 && body.size() >= 6u + 3u * body[5], "JPEG: the frame header is too short");
    check(Exit::data, body[0] == 8, "JPEG: {} bits per sample are unsupported, the limit is 8", int{body[0]});
    facts_.height = body[1] * 256 + body[2];
    facts_.width = body[3] * 256 + body[4];
    facts_.components = body[5];
    check_sides("JPEG", facts_.height, facts_.width, limits_);
    check(Exit::data, facts_.components == 1 || facts_.components == 3 || facts_.components == 4,
          "JPEG: {} components; 1, 3 and 4 are supported", facts_.components);
    for (int c = 0; c < facts_.components; ++c) sent_[body[6u + 3u * static_cast<unsigned>(c)]].fill(-1);
    check(Exit::data, static_cast<int>(sent_.size()) == facts_.components, "JPEG: two components share a number");
    progressive_ = code == 0xC2;
  }

  void exif(Bytes body) {
    if (!seen_exif_ && starts_with(body, std::string_view("Exif\0\0", 6))) {
      facts_.orientation = exif_orientation(body.subspan(6));
      seen_exif_ = true;
    }
  }

  void scan(Bytes body) {
    check(Exit::data, !sent_.empty(), "JPEG: a scan comes before the frame header");
    check(Exit::data, !body.empty() && body.size() >= 4u + 2u * body[0], "JPEG: a scan header is too short");
    check(Exit::data, ++scans_ <= scan_limit, "JPEG: more than {} scans", scan_limit);
    const std::size_t count = body[0];
    const int first = progressive_ ? body[1 + 2 * count] : 0, last = progressive_ ? body[2 + 2 * count] : 63;
    check(Exit::data, first <= last && last < 64, "JPEG: a scan of coefficients {} to {}", first, last);
    for (std::size_t c = 0; c < count; ++c) {
      const auto component = sent_.find(body[1 + 2 * c]);
      check(Exit::data, component != sent_.end(), "JPEG: a scan of an unknown component");
      const int missing_bits = progressive_ ? body[3 + 2 * count] & 15 : 0;
      std::fill(component->second.begin() + first, component->second.begin() + last + 1, missing_bits);
    }
    skip_entropy_data();
  }

  // To the next marker that is not a restart; restarts must come in turn.
  void skip_entropy_data() {
    for (int restart = 0;;) {
      const void* found = at_ < bytes_.size() ? std::memchr(&bytes_[at_], 0xFF, bytes_.size() - at_) : nullptr;
      at_ = found ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes_.data()) : bytes_.size();
      need(2);
      const int code = bytes_[at_ + 1];
      const bool is_restart = code >= rst0 && code <= rst7;
      if (code != 0 && code != 0xFF && !is_restart) return;
      if (is_restart) {
        check(Exit::data, interval_ > 0 && code == rst0 + restart, "JPEG: restart marker out of turn at byte {}", at_);
        restart = (restart + 1) % 8;
      }
      at_ += code == 0xFF ? 1 : 2;
    }
  }

  void finish() const {
    check(Exit::data, !sent_.empty(), "JPEG: no picture between start and end marker");
    for (const auto& [component, missing_bits] : sent_)
      for (const int bits : missing_bits)
        check(Exit::data, bits == 0, "JPEG is incomplete: component {} lacks {}", component,
              scans_ == 0 ? "its scan" : "some of its scans");
  }

  Bytes bytes_;
  ImageLimits limits_;
  JpegFacts facts_;
  std::size_t at_ = 0;
  std::map<int, std::array<int, 64>> sent_;  // per component and coefficient: bits still missing; -1: all
  int interval_ = 0, scans_ = 0;
  bool progressive_ = false, seen_exif_ = false;
};

}  // namespace

JpegFacts examine_jpeg(Bytes bytes, const ImageLimits& limits) { return JpegWalk(bytes, limits).walk(); }

}  // namespace dactyl
