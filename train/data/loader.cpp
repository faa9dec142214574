// The loader's consuming half: order, hand-over to the device, and the book of bad samples.
#include "train/data/loader.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <optional>

#include "engine/stamp.h"
#include "engine/upload.h"
#include "train/data/prefetch.h"

namespace dactyl {
namespace {

constexpr i64 most_in_a_row = 100;

// In training a batch is full; a source smaller than it becomes the batch, equal for all ranks.
LoaderOptions checked(const DataSource& source, LoaderOptions o) {
  check(Exit::usage, o.batch >= 1, "loader: a batch of {}", o.batch);
  check(!o.decoder || o.decoder->device() == o.device, "loader: decodes on another device than {}", o.device);
  check(o.ranks >= 1 && o.rank >= 0 && o.rank < o.ranks, "loader: rank {} of {}", o.rank, o.ranks);
  check(Exit::usage, o.batch % o.ranks == 0, "loader: a batch of {} is not divisible by {} ranks", o.batch, o.ranks);
  check(Exit::data, source.size() > 0, "loader: the data has no samples");
  if (o.training && source.size() < o.batch) o.batch = source.size() / o.ranks * o.ranks;
  check(Exit::data, o.batch > 0, "loader: {} samples for {} ranks", source.size(), o.ranks);
  return o;
}

// Of a batch of prepared pictures: (N, H, W, C), of clips (N, D, H, W, C).
Shape batch_shape(const DataSource& source, const LoaderOptions& o) {
  const InputSpec& input = o.input;
  const i64 n = o.batch / o.ranks, side = std::max({input.resize_to, input.height, input.width});
  const i64 channels = source.channels();
  return input.frames ? Shape{n, input.frames, side, side, channels} : Shape{n, side, side, channels};
}

EpochPlan plan_of(const DataSource& source, const LoaderOptions& options, i64 epoch) {
  EpochPlan plan{epoch, std::vector<i64>(static_cast<std::size_t>(source.size()))};
  std::iota(plan.order.begin(), plan.order.end(), 0);
  if (options.training)
    Sequence(options.seed, static_cast<std::uint32_t>(epoch), 0x0DE2u).shuffle(plan.order.begin(), plan.order.end());
  return plan;
}

}  // namespace

struct Loader::State {
  State(const DataSource& s, LoaderOptions o)
      : source(s),
        options(checked(s, std::move(o))),
        batches(options.training ? s.size() / options.batch : (s.size() + options.batch - 1) / options.batch),
        class_counts(s.class_counts()),
        class_bad(class_counts.size()),
        prefetch(s, options, batch_shape(s, options), batches, [this](i64 e) { return plan_of(source, options, e); }) {
    const i64 n = options.batch / options.ranks;
    bytes = Tensor(batch_shape(s, options), DType::u8, options.device);
    geometry = Tensor({n, 8}, DType::f32, options.device);
    labels = Tensor({n}, DType::i32, options.device);
    if (options.device.is_cuda() && !options.decoder) upload.emplace(options.device, prefetch.block_bytes());
  }

  i64 number() const { return epoch * batches + position; }  // through all epochs
  void release_last();
  void enter_faults(const BatchBuffer& buffer);
  void enter(const Fault& fault);
  void check_limits(const Fault& fault) const;
  BatchBuffer& await();
  void count_pauses();
  void deliver(BatchBuffer& buffer, Batch& batch);

  const DataSource& source;
  const LoaderOptions options;
  const i64 batches;
  Tensor bytes, geometry, labels;
  i64 epoch = 0, position = 0;  // position: the batch that next() gives
  bool started = false;
  bool holding = false;  // the batch before position was handed out and its buffer not yet released

  // While next() waited: from when the device was done with all it had been given to when there was more.
  struct Pause {
    Stamp from, to;
    Event over;
  };
  std::deque<Pause> pauses;  // that the device has not come to yet
  double waited = 0;         // seconds, in pauses that are over

  std::map<i64, std::string> bad;  // sample -> reason
  std::vector<i64> class_counts, class_bad;
  i64 in_a_row = 0;
  std::optional<Upload> upload;  // to a GPU
  Prefetch prefetch;             // last: its threads end, and copies, before anything they see goes
};

void Loader::State::release_last() {
  if (holding) prefetch.release(number() - 1);
  holding = false;
}

void Loader::State::enter_faults(const BatchBuffer& buffer) {
  for (std::size_t slot = 0; slot < buffer.faults.size(); ++slot) {
    in_a_row = buffer.faults[slot].empty() ? 0 : in_a_row + 1;
    for (const Fault& fault : buffer.faults[slot]) enter(fault);
  }
}

void Loader::State::enter(const Fault& fault) {
  if (bad.emplace(fault.sample, fault.reason).second) ++class_bad[static_cast<std::size_t>(source.label(fault.sample))];
  check_limits(fault);
}

// An evaluation says what it left out and leaves the judgement to its reader.
void Loader::State::check_limits(const Fault& fault) const {
  if (!options.training) return;
  check(Exit::data, in_a_row <= most_in_a_row, "data: more than {} samples in a row cannot be read, the last: {}: {}",
        most_in_a_row, source.name(fault.sample), fault.reason);
  const auto c = static_cast<std::size_t>(source.label(fault.sample));
  const double most =
      std::max(static_cast<double>(options.bad_few), options.bad_limit * static_cast<double>(class_counts[c]));
  check(
      Exit::data, static_cast<double>(class_bad[c]) <= most,
      "data: {} of the {} samples of class \"{}\" cannot be read, the limit is {} %; the last: {}: {}; remove them or "
      "raise --bad-limit",
      class_bad[c], class_counts[c], source.labels()[c], 100 * options.bad_limit, source.name(fault.sample),
      fault.reason);
}

BatchBuffer& Loader::State::await() {
  if (prefetch.ready(number())) return prefetch.wait(number());
  const Stamp from = Stamp::now();
  BatchBuffer& buffer = prefetch.wait(number());
  const Stamp to = Stamp::now();
  pauses.push_back({from, to, Context::current().compute().record()});
  return buffer;
}

void Loader::State::count_pauses() {
  for (; !pauses.empty() && pauses.front().over.done(); pauses.pop_front())
    waited += pauses.front().to.since(pauses.front().from);
}

// To a GPU in one piece, while the step before still reads the tensors; what remains is a copy within its memory. Where
// the device decodes, the batch is there.
void Loader::State::deliver(BatchBuffer& buffer, Batch& batch) {
  const std::byte* block = options.decoder ? buffer.there.raw()
                           : upload        ? upload->send(buffer.block.get(), buffer.copied)
                                           : buffer.block.get();
  const Device device = options.decoder || upload ? options.device : Device::cpu();
  const auto copy = [&](Tensor& to, const void* part) {
    const std::ptrdiff_t at = static_cast<const std::byte*>(part) - buffer.block.get();
    copy_bytes(to.raw(), options.device, block + at, device, static_cast<std::size_t>(to.bytes()));
    to.touch();
  };
  copy(bytes, buffer.bytes);
  copy(geometry, buffer.geometry);
  copy(labels, buffer.labels);
  if (upload) upload->taken();
  if (options.decoder) buffer.taken = Context::current().compute().record();
  batch = {bytes, geometry, labels, buffer.samples, epoch, position, 0};
  batch.count = std::count_if(batch.samples.begin(), batch.samples.end(), [](i64 s) { return s >= 0; });
}

Loader::Loader(const DataSource& source, LoaderOptions options)
    : state_(std::make_unique<State>(source, std::move(options))) {}

Loader::~Loader() = default;

void Loader::start(i64 epoch, i64 batch) {
  State& s = *state_;
  check(epoch >= 0 && batch >= 0 && batch <= s.batches, "loader: batch {} of {}, epoch {}", batch, s.batches, epoch);
  s.release_last();
  s.started = true;
  s.epoch = epoch;
  s.position = batch;
  // A training's next epoch will be wanted too, except at its very end.
  constexpr i64 later = i64{1} << 40;
  s.prefetch.start(s.number(), s.options.training ? s.number() + later : (epoch + 1) * s.batches);
}

bool Loader::next(Batch& batch) {
  State& s = *state_;
  check(s.started, "loader: next() before start()");
  s.release_last();
  if (s.position == s.batches) return false;
  BatchBuffer& buffer = s.await();
  s.count_pauses();
  s.enter_faults(buffer);
  if (buffer.error) std::rethrow_exception(buffer.error);
  s.deliver(buffer, batch);
  ++s.position;
  s.holding = true;
  return true;
}

i64 Loader::batches() const { return state_->batches; }

LoadTimes& LoadTimes::operator+=(const LoadTimes& more) {
  waited += more.waited;
  stages += more.stages;
  decoded.on_device += more.decoded.on_device;
  decoded.on_host += more.decoded.on_host;
  return *this;
}

LoadTimes Loader::times() const {
  state_->count_pauses();
  LoadTimes times = state_->prefetch.times();
  times.waited = state_->waited;
  return times;
}

i64 Loader::threads() const { return state_->prefetch.threads(); }

std::vector<BadSample> Loader::bad() const {
  std::vector<BadSample> list;
  for (const auto& [sample, reason] : state_->bad) list.push_back({state_->source.name(sample), reason});
  std::sort(list.begin(), list.end(), [](const BadSample& a, const BadSample& b) { return a.name < b.name; });
  return list;
}

}  // namespace dactyl
