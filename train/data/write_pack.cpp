// Decoding samples ahead on several threads, and writing them in order.
#include <omp.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "train/data/pack.h"
#include "train/data/pack_format.h"
#include "train/progress.h"
#include "train/signals.h"
#include "weights/atomic_file.h"
#include "weights/crc32c.h"

namespace dactyl {
namespace {

// A sample decoded, or why it cannot be.
struct Decoded {
  PackedSample facts;
  Image clip;
  std::string tail;  // times and checksums
  std::string reason;
};

Decoded decode(const ClipSource& source, i64 i) {
  Decoded d;
  d.facts.name = source.name(i);
  d.facts.label = source.label(i);
  try {
    VideoInfo info;
    d.clip = std::move(source
                           .clips(i,
                                  [&](const VideoInfo& found) {
                                    info = found;
                                    return std::vector<Times>{info.times};
                                  })
                           .front());
    for (const std::string& file : source.files(i)) d.facts.sources.push_back(examine_source(file));
    d.facts.frames = d.clip.frames;
    d.facts.height = d.clip.height;
    d.facts.width = d.clip.width;
    d.facts.channels = d.clip.channels;
    d.facts.duration = info.duration;
    d.facts.fps = info.fps;
    d.tail.append(reinterpret_cast<const char*>(info.times.data()), info.times.size() * sizeof(double));
    for (int f = 0; f < d.clip.frames; ++f) {
      const std::uint32_t crc = crc32c(d.clip.frame(f), d.clip.frame_bytes());
      d.tail.append(reinterpret_cast<const char*>(&crc), sizeof crc);
    }
    d.facts.crc = crc32c(d.tail.data(), d.tail.size());
  } catch (const Error& error) {
    if (error.exit() != Exit::data) throw;
    d.clip = {};
    d.reason = error.what();
  }
  return d;
}

// Threads that decode samples 0, 1, …, never more than `ahead` beyond the one that is waited for.
class Ahead {
 public:
  Ahead(const ClipSource& source, i64 threads) : source_(source), ahead_(threads) {
    for (i64 t = 0; t < threads; ++t) threads_.emplace_back([this] { work(); });
  }
  ~Ahead() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
  }

  Decoded take(i64 i) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_.count(i) || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    Decoded d = std::move(done_.extract(i).mapped());
    taken_ = i + 1;
    changed_.notify_all();
    return d;
  }

 private:
  void work() {
    omp_set_num_threads(1);  // of this thread: samples are the parallel work
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || next_ >= source_.size() || next_ < taken_ + ahead_; });
      if (stop_ || next_ >= source_.size()) return;
      const i64 i = next_++;
      lock.unlock();
      Decoded d;
      std::exception_ptr failure;
      try {
        d = decode(source_, i);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      if (failure && !failure_) failure_ = failure;
      done_.emplace(i, std::move(d));
      changed_.notify_all();
    }
  }

  const ClipSource& source_;
  const i64 ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<i64, Decoded> done_;
  std::exception_ptr failure_;
  i64 next_ = 0, taken_ = 0;
  bool stop_ = false;
  std::vector<std::jthread> threads_;  // joined first
};

// The file as it grows: samples, their places in the index, what is reported.
struct PackWriter {
  AtomicFile file;
  PackIndex index;
  PackReport report = {};

  void write(const void* data, std::size_t bytes) {
    file.write(data, bytes);
    report.bytes += static_cast<i64>(bytes);
  }
  void add(Decoded d) {
    if (!d.reason.empty()) return report.bad.push_back(std::move(d.reason));
    d.facts.offset = report.bytes;
    if (!index.flow.empty()) index.side = std::min(d.facts.height, d.facts.width);
    write(d.clip.rgb.data(), d.clip.rgb.size());
    write(d.tail.data(), d.tail.size());
    report.frames += d.facts.frames;
    index.samples.push_back(std::move(d.facts));
  }
  PackReport finish() {
    report.samples = static_cast<i64>(index.samples.size());
    const std::string end = packed_end(index, report.bytes);
    write(end.data(), end.size());
    file.commit();
    return report;
  }
};

i64 thread_count(int wanted) {
  check(Exit::usage, wanted >= 0 && wanted <= 256, "pack: {} threads; 0 (automatic) to 256 are possible", wanted);
  return wanted > 0 ? wanted : std::clamp<i64>(std::thread::hardware_concurrency(), 1, 16);
}

void require_going_on(const std::string& path, i64 done, i64 all) {
  const Exit stop = Signals::stop();
  check(stop, stop == Exit::good, "{}: interrupted after {} of {} clips; nothing was kept, start again", path, done,
        all);
}

}  // namespace

PackReport write_pack(const std::string& path, const ClipSource& source, const PackOptions& options) {
  const i64 threads = thread_count(options.threads);
  const std::shared_ptr<const ClipSource> borrowed(&source, [](const ClipSource*) {});
  // Flow has the size at which it was computed: its vectors are in pixels.
  const auto small = source.flow().empty() ? with_short_side(borrowed, options.side) : borrowed;
  PackWriter pack{{path, 0}, {options.side, source.channels(), source.flow(), source.labels(), {}}};
  pack.write(pack_mark, sizeof pack_mark);
  {
    Ahead ahead(*small, threads);
    Progress progress(source.flow().empty() ? "packing" : "computing flow", source.size(), "clips");
    for (i64 i = 0; i < source.size(); ++i, progress.advance()) {
      require_going_on(path, i, source.size());
      pack.add(ahead.take(i));
    }
  }
  const std::vector<std::string>& bad = pack.report.bad;
  check(Exit::data, !pack.index.samples.empty(), "{}: none of the {} samples is good; the first: {}", path,
        source.size(), bad.empty() ? "there is none" : bad.front());
  return pack.finish();
}

}  // namespace dactyl
