// FFmpeg's log, kept off the terminal and turned into reasons.
#ifdef DACTYL_FFMPEG
#include "train/data/ffmpeg.h"

#include <cstdarg>
#include <mutex>
#include <utility>

#include "weights/bytes.h"

namespace dactyl::ffmpeg {
namespace {

thread_local std::string last_words;  // coding runs on the caller's thread, so its messages arrive there

thread_local Complaints heard;

AVClassCategory category(void* source) {
  const AVClass* type = source ? *static_cast<AVClass**>(source) : nullptr;
  if (!type) return AV_CLASS_CATEGORY_NA;
  return type->get_category ? type->get_category(source) : type->category;
}

void keep_errors(void* source, int level, const char* format, std::va_list values) {
  if (level > AV_LOG_ERROR) return;
  const AVClassCategory from = category(source);
  heard.demuxer += from == AV_CLASS_CATEGORY_DEMUXER;
  heard.decoder += from == AV_CLASS_CATEGORY_DECODER;
  char text[256];
  std::vsnprintf(text, sizeof text, format, values);
  last_words = text;
  while (!last_words.empty() && (last_words.back() == '\n' || last_words.back() == '.')) last_words.pop_back();
}

}  // namespace

void listen() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(keep_errors); });
  last_words.clear();
}

const Complaints& complaints() { return heard; }

std::string reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  if (code < 0) av_strerror(code, text, sizeof text);
  const std::string words = std::exchange(last_words, {});
  if (words.empty()) return text;
  return code < 0 ? text + (" (" + shown(words) + ")") : shown(words);
}

}  // namespace dactyl::ffmpeg
#endif
