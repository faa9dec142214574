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

void keep_errors(void*, int level, const char* format, std::va_list values) {
  if (level > AV_LOG_ERROR) return;
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

std::string reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  std::string words = std::exchange(last_words, {});
  return words.empty() ? text : text + (" (" + shown(words) + ")");
}

}  // namespace dactyl::ffmpeg
#endif
