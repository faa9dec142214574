// Pictures through the whole net.
#include "train/feed.h"

#include "train/inference.h"

namespace dactyl {
namespace {

class PictureFeed : public Feed {
 public:
  PictureFeed(const Model& model, const DataSource& source, const LoaderOptions& options, DType dtype)
      : Feed(source, options), model_(model), dtype_(dtype) {}
  Scores forward(Pass& pass) override { return model_.net(input_of(batch_, model_.input, dtype_), pass); }

 private:
  const Model& model_;
  DType dtype_;
};

}  // namespace

std::unique_ptr<Feed> picture_feed(const Model& model, const DataSource& source, const LoaderOptions& options,
                                   DType dtype) {
  return std::make_unique<PictureFeed>(model, source, options, dtype);
}

}  // namespace dactyl
