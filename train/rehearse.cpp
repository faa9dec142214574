// The beginning of train(), for several runs that shall follow each other unattended.
#include "train/rehearse.h"

#include "train/data/flow_clips.h"
#include "train/flow_input.h"
#include "train/input_text.h"
#include "train/open_model.h"
#include "train/run_data.h"
#include "train/settings.h"
#include "train/stage_plan.h"

namespace dactyl {
namespace {

std::shared_ptr<const DataSource> open(const TrainOptions& o) {
  return open_samples(o.data, {},
                      {.frames = {parse_sampling(o.clips), parse_sampling(o.test_clips), o.seed},
                       .classes = o.classes,
                       .flow = flow_wanted(o),
                       .frame_folders = o.frame_folders});
}

void require_parts(const TrainOptions& o, const DataSource& source) {
  const Split split = choose_split(source, o);
  check(Exit::data, source.labels().size() > 1, "{}: {} classes take part; at least two are needed", o.data,
        source.labels().size());
  check(Exit::data, !split.train.empty() && !split.test.empty(),
        "{}: {} samples to train with and {} to validate; both parts need some", o.data, split.train.size(),
        split.test.size());
}

Passport passport_for(const TrainOptions& o) {
  const Passport passport = passport_in(o.weights);
  check(Exit::model_file, passport.empty() || passport.model == o.model,
        "{}: holds weights of {}, not of {}; another file is needed", o.weights, shown(passport.model), o.model);
  return passport;
}

LoadedModel model_for(const TrainOptions& o, const DataSource& source, i64 channels) {
  const bool clips = source.frames() > 1;
  return open_for_training(o.model, o.weights, source.labels(),
                           {.height = o.input,
                            .width = o.input,
                            .frames = clips ? source.frames() : 0,
                            .channels = clips ? channels : 0,
                            .auxiliary = o.weights.empty(),
                            .dropout = o.dropout});
}

// What the options ask of this net.
void require_fit(const TrainOptions& o, const DataSource& source, Model& model) {
  check(Exit::data, model.input.frames == 0 || source.frames() > 1,
        "{}: holds pictures, {} takes clips; --frame-folders on makes a clip of every folder of pictures", o.data,
        o.model);
  for (const Stage& stage : o.stages) learns(model, stage.what, o.freeze);
  never_mirrored(o.no_mirror, source.labels());
  if (!o.resize.empty()) set_resize(model.input, o.resize);
}

}  // namespace

Passport rehearse(const TrainOptions& o) {
  check_options(o);
  const Use use(Device::cpu());
  const Passport passport = o.weights.empty() ? Passport{} : passport_for(o);  // the quickest first
  const std::shared_ptr<const DataSource> source = open(o);
  require_parts(o, *source);
  const std::string flow = source->flow(), encoding = flow.empty() ? "" : o.flow_encoding;
  const i64 channels = flow.empty() ? source->channels() : channels_of(flow_encoding(encoding));
  LoadedModel loaded = model_for(o, *source, channels);
  require_flow(loaded.passport, flow, encoding, true);
  require_fit(o, *source, loaded.model);
  return passport;
}

}  // namespace dactyl
