// Moments of a video.
#include "train/data/clip_sampling.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/random.h"

namespace dactyl {
namespace {

constexpr std::array<const char*, 5> names = {"uniform", "segments", "window", "centre", "dense"};

// A stream of its own, beside those of augmentation.
Sequence draw(std::uint64_t seed, i64 epoch, i64 sample) {
  return Sequence(seed ^ 0xC11D'5A3B'0000'0007u, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(sample));
}

// A frame is nearest from half its length before it appears: parts begin there.
template <class Moment>
Times parts(const ClipSampling& s, const VideoInfo& video, const Moment& moment) {
  Times times;
  const double part = video.duration / s.frames, half = 0.5 / video.fps;
  for (int k = 0; k < s.frames; ++k) times.push_back((k + moment()) * part - half);
  return times;
}

Times consecutive(const ClipSampling& s, i64 start, double fps) {
  Times times;
  for (int k = 0; k < s.frames; ++k) times.push_back(static_cast<double>(start + k) / fps);
  return times;
}

void check_video(const ClipSampling& s, const VideoInfo& video) {
  check(Exit::usage, s.frames > 0 && s.fps >= 0 && s.stride >= 0,
        "clip sampling: {} frames at {} per second, stride {}", s.frames, s.fps, s.stride);
  check(video.duration > 0 && video.fps > 0, "clip sampling: a video of {} s with {} frames per second", video.duration,
        video.fps);
}

template <class T>
bool take(std::string_view& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value > 0)) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_numbers(std::string_view rest, ClipSampling& s) {
  if (!take(rest, s.frames)) return false;
  const bool windows = s.kind == Sampling::window || s.kind == Sampling::centre || s.kind == Sampling::dense;
  if (windows && rest.starts_with('@')) {
    rest.remove_prefix(1);
    if (!take(rest, s.fps)) return false;
  }
  if (s.kind == Sampling::dense && rest.starts_with('/')) {
    rest.remove_prefix(1);
    if (!take(rest, s.stride)) return false;
  }
  return rest.empty() && s.frames <= 10'000 && s.fps <= 1000 && s.stride <= 100'000;
}

}  // namespace

ClipSampling parse_sampling(const std::string& text) {
  ClipSampling s;
  const std::size_t equals = text.find('=');
  const auto name = std::find(names.begin(), names.end(), text.substr(0, equals));
  s.kind = static_cast<Sampling>(name - names.begin());
  const bool good =
      name != names.end() && (equals == text.npos || take_numbers(std::string_view(text).substr(equals + 1), s));
  check(
      Exit::usage, good,
      "clip sampling: \"{}\" is none; examples: uniform=20, segments=20, window=64, window=64@25 (frames per second), "
      "centre=64@25, dense=64@25/32 (stride)",
      text);
  return s;
}

std::string to_text(const ClipSampling& s) {
  std::string text = names.at(static_cast<std::size_t>(s.kind)) + ("=" + to_text(s.frames));
  if (s.fps > 0) text += "@" + to_text(s.fps);
  if (s.stride > 0) text += "/" + to_text(s.stride);
  return text;
}

std::vector<Times> sample_times(const ClipSampling& s, const VideoInfo& video, std::uint64_t seed, i64 epoch,
                                i64 sample) {
  check_video(s, video);
  Sequence random = draw(seed, epoch, sample);
  if (s.kind == Sampling::uniform) return {parts(s, video, [] { return 0.5; })};
  if (s.kind == Sampling::segments) return {parts(s, video, [&] { return random.uniform(); })};
  const double fps = s.fps > 0 ? s.fps : video.fps;
  const i64 last = std::max<i64>(std::llround(video.duration * fps) - s.frames, 0);  // start
  if (s.kind == Sampling::centre) return {consecutive(s, last / 2, fps)};
  if (s.kind == Sampling::window) return {consecutive(s, random.below(last + 1), fps)};
  std::vector<Times> lists;
  const i64 stride = s.stride > 0 ? s.stride : s.frames;
  for (i64 start = 0; start < last; start += stride) lists.push_back(consecutive(s, start, fps));
  lists.push_back(consecutive(s, last, fps));
  return lists;
}

}  // namespace dactyl
