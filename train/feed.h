// Where a training step's numbers come from: pictures through the whole net, or stored features through its head.
#pragma once

#include <memory>

#include "nets/nets.h"
#include "train/data/loader.h"

namespace dactyl {

// Batches in the order of (seed, epoch). The tensors forward() reads stay at their addresses, so that it can be
// captured.
class Feed {
 public:
  Feed(const DataSource& source, const LoaderOptions& options) : loader_(source, options) {}
  virtual ~Feed() = default;

  void start(i64 epoch, i64 batch) { loader_.start(epoch, batch); }
  virtual bool next() { return loader_.next(batch_); }  // false at the end of the epoch
  virtual Scores forward(Pass& pass) = 0;               // of the current batch
  const Tensor& labels() const { return batch_.labels; }
  i64 batches() const { return loader_.batches(); }
  LoadTimes times() const { return loader_.times(); }
  i64 threads() const { return loader_.threads(); }
  virtual std::vector<BadSample> bad() const { return loader_.bad(); }

 protected:
  Batch batch_;

 private:
  Loader loader_;
};

std::unique_ptr<Feed> picture_feed(const Model& model, const DataSource& source, const LoaderOptions& options,
                                   DType dtype);

}  // namespace dactyl
