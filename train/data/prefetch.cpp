// Fills batches slot by slot on many threads.
#include "train/data/prefetch.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

namespace dactyl {
namespace {

constexpr std::size_t alignment = 256;
std::size_t aligned(i64 bytes) { return (static_cast<std::size_t>(bytes) + alignment - 1) / alignment * alignment; }

i64 thread_count(int wanted) {
  check(Exit::usage, wanted >= 0 && wanted <= most_threads, "loader: {} threads; 0 (automatic) to {} are possible",
        wanted, most_threads);
  return wanted > 0 ? wanted : std::clamp<i64>(std::thread::hardware_concurrency(), 1, 16);
}

// What a body throws; its time is the stage's.
template <class Body>
std::exception_ptr caught(LoadStage stage, const Body& body) {
  try {
    const Staged staged(stage);
    body();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

// Turned and zoomed pictures are made by the host, of its own pixels.
bool may_stay_coded(const DataSource& source, const LoaderOptions& o) {
  const bool warped = o.training && (o.augment.zoom > 0 || o.augment.rotate > 0);
  return o.decoder && source.frames() == 1 && !warped;
}

}  // namespace

BatchBuffer::BatchBuffer(i64 slots, i64 picture_bytes)
    : size(aligned(slots * picture_bytes) + aligned(slots * 32) + aligned(slots * 4)),
      block(pinned_bytes(size)),
      bytes(reinterpret_cast<std::uint8_t*>(block.get())),
      geometry(reinterpret_cast<float*>(bytes + aligned(slots * picture_bytes))),
      labels(reinterpret_cast<std::int32_t*>(bytes + aligned(slots * picture_bytes) + aligned(slots * 32))),
      samples(static_cast<std::size_t>(slots)),
      faults(static_cast<std::size_t>(slots)),
      coded(static_cast<std::size_t>(slots)) {}

Prefetch::Prefetch(const DataSource& source, const LoaderOptions& options, const Shape& batch, i64 batches,
                   MakePlan plan)
    : source_(source),
      options_(options),
      side_(batch[-2]),
      batches_(batches),
      slots_(batch[0]),
      sample_bytes_(static_cast<std::size_t>(batch.count() / batch[0])),
      cache_(source, options.input, source.frames() > 1 ? 0 : options.cache_bytes, may_stay_coded(source, options)),
      developer_(options.decoder ? std::make_unique<Developer>(options.decoder, options.input) : nullptr),
      make_plan_(std::move(plan)) {
  const i64 threads = thread_count(options.threads);
  const i64 ahead = 3 + 2 * threads / slots_;  // small batches: enough of them that every thread has work
  for (i64 i = 0; i < ahead; ++i) ring_.emplace_back(slots_, static_cast<i64>(sample_bytes_));
  for (BatchBuffer& buffer : ring_) {
    if (!developer_) break;
    buffer.there = Tensor({static_cast<i64>(buffer.size)}, DType::u8, options.decoder->device());
    buffer.taken = Context::current().compute().record();  // whoever had this memory before is done with it
  }
  try {
    for (i64 i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    check(Exit::memory, !threads_.empty(),
          "loader: no thread can be started: {}; is memory or the number of processes "
          "limited (ulimit -v, -u)?",
          error.what());
  }  // fewer threads than wished give the same batches
}

Prefetch::~Prefetch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_there_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (BatchBuffer& buffer : ring_) try {
      buffer.copied.synchronize();  // a copy in flight reads the buffer
    } catch (const Error&) {
      // a lost GPU reads nothing any more
    }
}

// After an error the batch is tried anew.
bool Prefetch::goes_on(i64 batch) const {
  return batch == released_ &&
         std::none_of(ring_.begin(), ring_.end(), [](const BatchBuffer& b) { return b.error != nullptr; });
}

void Prefetch::start(i64 batch, i64 end) {
  std::unique_lock lock(mutex_);
  if (!goes_on(batch)) {
    end_ticket_ = next_ticket_;  // nothing more to take
    work_done_.wait(lock, [&] { return busy_ == 0; });
    for (BatchBuffer& buffer : ring_) {
      buffer.copied.synchronize();
      buffer.copied = Event();
      buffer.missing = slots_;
      buffer.error = nullptr;
    }
    plan_ = nullptr;
    next_ticket_ = batch * slots_;
    released_ = batch;
  }
  end_ticket_ = end * slots_;
  work_there_.notify_all();
}

BatchBuffer& Prefetch::wait(i64 batch) {
  std::unique_lock lock(mutex_);
  BatchBuffer& buffer = buffer_of(batch);
  work_done_.wait(lock, [&] { return buffer.missing == 0; });
  return buffer;
}

void Prefetch::release(i64 batch) {
  BatchBuffer& buffer = buffer_of(batch);
  buffer.copied.synchronize();
  const std::lock_guard lock(mutex_);
  buffer.copied = Event();
  buffer.missing = slots_;
  buffer.error = nullptr;
  released_ = batch + 1;
  work_there_.notify_all();
}

bool Prefetch::ready(i64 batch) {
  const std::lock_guard lock(mutex_);
  return buffer_of(batch).missing == 0;
}

LoadTimes Prefetch::times() {
  const std::lock_guard lock(mutex_);
  return times_;
}

// Under the lock: tickets come in order, so the first of an epoch finds it missing.
std::shared_ptr<const EpochPlan> Prefetch::plan_of(i64 ticket) {
  const i64 epoch = ticket / (batches_ * slots_);
  if (!plan_ || plan_->epoch != epoch) plan_ = std::make_shared<const EpochPlan>(make_plan_(epoch));
  return plan_;
}

bool Prefetch::can_take() const {
  return next_ticket_ < end_ticket_ && next_ticket_ / slots_ < released_ + static_cast<i64>(ring_.size());
}

void Prefetch::work() {
  omp_set_num_threads(1);  // of this thread: samples are the parallel work
  std::unique_lock lock(mutex_);
  for (;;) {
    work_there_.wait(lock, [&] { return stop_ || can_take(); });
    if (stop_) return;
    const i64 ticket = next_ticket_++;
    const std::shared_ptr<const EpochPlan> plan = plan_of(ticket);
    ++busy_;
    lock.unlock();
    BatchBuffer& buffer = buffer_of(ticket / slots_);
    const i64 slot = ticket % slots_;
    std::exception_ptr error = caught(LoadStage::copy, [&] { fill(*plan, ticket); });
    lock.lock();
    if (developer_ && buffer.missing == 1 && !buffer.error && !error) {  // the last one does what needs all of them
      lock.unlock();
      error = caught(LoadStage::decode, [&] { develop(buffer); });
      lock.lock();
    }
    --busy_;
    times_.stages += take_stage_times();
    ++times_.stages.samples;
    if (error && (!buffer.error || slot < buffer.error_slot)) {
      buffer.error = error;
      buffer.error_slot = slot;
    }
    --buffer.missing;
    if (buffer.missing == 0 || busy_ == 0) work_done_.notify_all();
  }
}

void Prefetch::fill(const EpochPlan& plan, i64 ticket) {
  const i64 batch = ticket / slots_;
  const auto slot = static_cast<std::size_t>(ticket % slots_);
  BatchBuffer& buffer = buffer_of(batch);
  buffer.faults[slot].clear();
  buffer.coded[slot] = {};
  const i64 position = batch % batches_ * options_.batch + options_.rank * slots_ + ticket % slots_;
  if (position < static_cast<i64>(plan.order.size()))
    put_picture(plan.epoch, plan.order[static_cast<std::size_t>(position)], buffer, slot);
  else
    put_filler(buffer, slot);
}

void Prefetch::put_picture(i64 epoch, i64 sample, BatchBuffer& buffer, std::size_t slot) {
  Drawn drawn = cache_.draw(sample, options_.training ? epoch : -1);
  buffer.faults[slot] = std::move(drawn.faults);
  if (!drawn.image && !drawn.coded) return put_filler(buffer, slot);
  const int side = static_cast<int>(side_), label = source_.label(sample);
  Geometry geometry = centred(options_.input, side, side);
  std::uint8_t* to = buffer.bytes + slot * sample_bytes_;
  if (options_.training) {
    const auto c = static_cast<std::size_t>(label);
    AugmentOptions augment = options_.augment;
    if (c < options_.never_mirrored.size() && options_.never_mirrored[c]) augment.reflect_x = false;
    geometry = augmented(augment, options_.input, side, side, options_.seed, epoch, sample);
    if (drawn.image && (augment.zoom > 0 || augment.rotate > 0))
      drawn.image = std::make_shared<Image>(augmented(augment, *drawn.image, options_.seed, epoch, sample));
  }
  if (drawn.coded) {
    buffer.coded[slot] = coded_slot(std::move(drawn.coded), options_.input);
  } else {
    check(drawn.image->rgb.size() == sample_bytes_, "loader: {} gives {} bytes, a batch has room for {}",
          source_.name(sample), drawn.image->rgb.size(), sample_bytes_);
    std::memcpy(to, drawn.image->rgb.data(), sample_bytes_);
  }
  std::copy(geometry.begin(), geometry.end(), buffer.geometry + 8 * slot);
  buffer.labels[slot] = label;
  buffer.samples[slot] = drawn.sample;
}

void Prefetch::develop(BatchBuffer& buffer) {
  const i64 refused = developer_->develop(buffer.block.get(), buffer.size, sample_bytes_, buffer.coded, buffer.taken,
                                          buffer.there.raw());
  const auto coded = std::count_if(buffer.coded.begin(), buffer.coded.end(), [](const auto& s) { return s.picture; });
  const auto all = std::count_if(buffer.samples.begin(), buffer.samples.end(), [](i64 s) { return s >= 0; });
  const std::lock_guard lock(mutex_);
  times_.decoded.on_device += coded - refused;
  times_.decoded.on_host += all - coded + refused;
}

void Prefetch::put_filler(BatchBuffer& buffer, std::size_t slot) const {
  const Geometry geometry = centred(options_.input, static_cast<int>(side_), static_cast<int>(side_));
  std::memset(buffer.bytes + slot * sample_bytes_, 0, sample_bytes_);
  std::copy(geometry.begin(), geometry.end(), buffer.geometry + 8 * slot);
  buffer.labels[slot] = -1;
  buffer.samples[slot] = -1;
}

}  // namespace dactyl
