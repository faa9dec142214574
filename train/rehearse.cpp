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
  const std::shared_ptr<const DataSource> source = open_samples(o.data, {}, sample_choice(o));
  require_parts(o, *source);
  const std::string flow = source->flow(), encoding = flow.empty() ? "" : o.flow_encoding;
  LoadedModel loaded = open_for_training(o.model, o.weights, source->labels(), model_options(o, *source));
  require_flow(loaded.passport, flow, encoding, true);
  require_fit(o, *source, loaded.model);
  return passport;
}

}  // namespace dactyl
