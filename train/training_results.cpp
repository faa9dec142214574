// What a run leaves behind: validations, checkpoints, curves, the report.
#include <algorithm>
#include <filesystem>

#include "kernels/ops.h"
#include "train/curves.h"
#include "train/data/develop.h"
#include "train/report.h"
#include "train/signals.h"
#include "train/training.h"

namespace dactyl {
namespace {

double value_of(const std::string& metric, const Metrics& m) { return metric == "f1" ? m.macro_f1 : m.top1; }

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

// The training loss knows class weights and smoothed labels, the validation loss does not.
std::string loss_note(const TrainOptions& o) {
  if (o.class_weights == "none") return o.smoothing > 0 ? "labels smoothed" : "";
  return o.smoothing > 0 ? "weighted, smoothed" : "weighted by class";
}

// Into the book of bad samples, each once.
void enter(std::vector<BadSample>& book, const std::vector<BadSample>& found) {
  for (const BadSample& b : found)
    if (std::none_of(book.begin(), book.end(), [&](const BadSample& known) { return known.name == b.name; }))
      book.push_back(b);
}

std::vector<Prediction> predict_all(const Subject& s, const TrainOptions& o, DType dtype, std::vector<BadSample>* bad) {
  Progress progress("validating", s.validation.size(), "pictures");
  i64 seen = 0;
  const auto advance = [&](i64 done, i64) {
    if (Signals::stop() != Exit::good) throw Stopped{};
    progress.advance(done - seen);
    seen = done;
  };
  return evaluate(s.model, s.validation,
                  {.batch = o.batch, .threads = o.threads, .dtype = dtype, .bad = bad, .progress = advance});
}

// A figure of no samples would make any model the best one.
void require_readable(const std::vector<Prediction>& predictions, const std::vector<BadSample>& bad, i64 samples) {
  if (!predictions.empty() || bad.empty()) return;
  fail(Exit::data, "validation: not one of the {} samples can be read, the first: {}: {}; mend or replace these files",
       {to_text(samples), bad.front().name, bad.front().reason});
}

}  // namespace

void Training::validate() {
  book_->flush();
  require_finite();
  std::vector<BadSample> bad;
  const std::vector<Prediction> predictions =
      on_features_ ? predict_features(subject_.model, subject_.validation, val_features_, options_.batch, dtype_)
                   : predict_all(subject_, options_, dtype_, &bad);
  if (on_features_) bad = val_features_.bad;
  require_readable(predictions, bad, subject_.validation.size());
  const Metrics m = measure(predictions, subject_.validation.labels(), options_.seed, 0);
  enter(state_.bad, bad);
  char row[128];
  std::snprintf(row, sizeof row, "%ld,%.9g,%.6g,%.6g,%.6g", state_.step, m.loss, m.top1, m.top5, m.macro_f1);
  val_log_->add(row);
  board_->scalar("validation/loss", state_.step, m.loss);
  board_->scalar("validation/accuracy", state_.step, m.top1);
  state_.validated = state_.step;
  const bool better = value_of(options_.metric, m) > state_.best;
  state_.without_gain = better ? 0 : state_.without_gain + 1;
  log_.say("step " + to_text(state_.step) + ": validation accuracy " + percent(m.top1) +
           (options_.metric == "f1" ? ", macro F1 " + percent(m.macro_f1) : "") + ", loss " + to_text(m.loss) +
           (better ? ", the best so far" : ""));
  if (better && save_best()) {
    state_.best = value_of(options_.metric, m);
    state_.best_step = state_.step;
  }
  if (options_.patience > 0 && state_.without_gain >= options_.patience) {
    state_.stopped = true;
    log_.say("no improvement in " + to_text(state_.without_gain) + " validations: stopping early");
  }
  book_->restart();
}

// A gradient may overflow in a step whose loss was good; such weights are never saved.
void Training::require_finite() const {
  if (!optimizer_) return;
  const Tensor bad = Tensor::zeros({1});
  count_nonfinite(bad, optimizer_->flat().values);
  if (bad.item() > 0) throw Diverged{state_.step + 1};
}

// If the disk is full the former best model stays the best one, unless no validation will come any more.
bool Training::save_best() {
  try {
    to_checkpoint(*subject_.model.parameters, subject_.passport).write(folder_ / "best.safetensors");
    return true;
  } catch (const Error& error) {
    if (error.exit() != Exit::data || done()) throw;
    log_.say(std::string("the best model could not be saved, the former one stays; the run goes on: ") + error.what());
    return false;
  }
}

void Training::try_save() {
  try {
    save();
  } catch (const Error& error) {
    if (error.exit() != Exit::data || saved_step_ < 0 || done()) throw;
    log_.say("step " + to_text(state_.step) +
             ": the state could not be saved, the former one stays; the run goes on, the next save tries again: " +
             error.what());
  }
}

// The state holds everything; the weights beside it are for other tools. Rows of the logs reach the disk before it.
void Training::save() {
  if (book_) book_->flush();
  if (feed_) enter(state_.bad, feed_->bad());
  train_log_->sync();
  val_log_->sync();
  board_->flush();
  if (saved_step_ == state_.step && saved_) return;  // nothing happened since it was read
  require_finite();
  write_state(folder_ / "last.state", state_, *subject_.model.parameters, optimizer_.get(), subject_.passport);
  to_checkpoint(*subject_.model.parameters, subject_.passport).write(folder_ / "last.safetensors");
  saved_step_ = state_.step;
  if (book_) book_->restart();
}

LoadTimes Training::load_times() const {
  LoadTimes all = load_before_;
  if (feed_) all += feed_->times();
  return all;
}

void Training::judge_input() {
  if (!feed_ || on_features_) return;
  result_.data = waits_.measured();
  result_.data_text = wait_text(
      result_.data, reading_of(options_.data, options_.flow, subject_.train, loader_options(true), feed_->threads()));
  if (!result_.data_text.empty()) log_.say(result_.data_text);
  tell_decoded();
}

void Training::tell_decoded() {
  const bool told = result_.decoded.all() > 0;
  result_.decoded = load_times().decoded;
  const i64 all = result_.decoded.all();
  if (!decoder_ || all == 0 || told) return;
  log_.say("of " + to_text(all) + " pictures " + decoder_->name() + " decoded " + to_text(result_.decoded.on_device) +
           "; the CPU the rest: what is no plain JPEG (progressive, CMYK, PNG), is zoomed or turned, or was refused");
}

// At most every ten seconds, and drawn by another process while training goes on.
void Training::draw(bool last) {
  const auto now = std::chrono::steady_clock::now();
  if (!last && (!measured_ || now - drawn_ < std::chrono::seconds(10))) return;
  if (last) curves_.wait();
  drawn_ = now;
  std::vector<i64> starts;
  for (const StagePlan& stage : plan_) starts.push_back(stage.first);
  const std::string title = subject_.model.name + ", " + to_text(subject_.train.size()) + " training samples of " +
                            to_text(subject_.train.labels().size()) + " classes";
  try {
    curves_.start(folder_.path(), "curves",
                  curves_script(title, starts, std::clamp<i64>(plan_.back().end / 50, 10, 200), state_.validated > 0,
                                loss_note(options_)));
  } catch (const Error& error) {
    if (error.exit() != Exit::data) throw;  // a full disk: the curves wait, the training does not
  }
  if (last) curves_.wait();
}

void Training::report() {
  draw(true);
  Model& model = subject_.model;
  const std::string best = folder_ / "best.safetensors";
  model.parameters->train_only([](const Parameter&) { return false; });
  load(*model.parameters, Checkpoint::read(best), model.name);
  std::vector<BadSample> bad;
  const std::vector<Prediction> predictions = predict_all(subject_, options_, dtype_, &bad);
  require_readable(predictions, bad, subject_.validation.size());
  enter(state_.bad, bad);
  result_.best = measure(predictions, subject_.validation.labels(), options_.seed);
  const Metrics& m = result_.best;
  write_report(folder_ / "eval", m, predictions, subject_.validation, subject_.validation.labels(), state_.bad);
  std::filesystem::remove(folder_ / "features.safetensors");
  log_.say("best model, of step " + to_text(state_.best_step) + ": accuracy " + percent(m.top1) + " [" +
           percent(m.top1_low) + ", " + percent(m.top1_high) + "], top-5 " + percent(m.top5) + ", macro F1 " +
           percent(m.macro_f1) + " on " + to_text(m.samples) + " validation samples");
  if (!state_.bad.empty())
    log_.say(to_text(state_.bad.size()) + " samples could not be read: " + folder_.path() + "/eval/bad_samples.csv");
  log_.say("everything is in " + folder_.path());
}

}  // namespace dactyl
