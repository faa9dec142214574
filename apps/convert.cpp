// dactyl convert: weights of other programs in our format, and pictures' filters inflated for clips.
#include <filesystem>
#include <iostream>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct ConvertOptions {
  std::string model, weights, out, pictures, origin, licence;
  i64 frames = 0, channels = 3;
  bool inflate = false, narrow = false;
};

Passport passport_of(const Model& model, const Passport& source, const ConvertOptions& o, const std::string& origin) {
  const InputSpec& in = model.input;
  return {.model = model.name,
          .mean = in.mean,
          .scale = in.scale,
          .height = static_cast<long>(in.height),
          .width = static_cast<long>(in.width),
          .resize = source.resize,
          .labels = source.labels,
          .origin = origin,
          .licence = o.licence.empty() ? source.licence : o.licence,
          .frames = static_cast<long>(in.frames)};
}

std::string origin_of(const ConvertOptions& o, const Passport& source) {
  if (!o.origin.empty()) return o.origin;
  const std::string file = std::filesystem::path(o.weights).filename().string();
  return file + (source.origin.empty() ? "" : " (" + source.origin + ")");
}

void write(const ConvertOptions& o, Model& model, const Passport& source, const std::string& origin) {
  if (o.narrow) model.parameters->to(DType::bf16);
  to_checkpoint(*model.parameters, passport_of(model, source, o, origin)).write(o.out);
  std::cerr << o.out << ": " << model.name << ", " << model.parameters->all().size() << " tensors, " << origin << '\n';
}

void rewrite(const ConvertOptions& o) {
  LoadedModel loaded = open_model(o.model, o.weights, {.auxiliary = false});
  std::cerr << loaded.report.text();
  write(o, loaded.model, loaded.passport, origin_of(o, loaded.passport));
}

// BVLC's statistics are measured on pictures, if there are any.
void fill(Model& clips, const Model& net, const std::string& folder) {
  if (folder.empty()) return inflate(*clips.parameters, *net.parameters, net.name);
  check(Exit::usage, net.name == "googlenet", "--pictures: {} brings its statistics and needs none", net.name);
  const auto source = open_source(folder);
  Progress progress("measuring", 2 * source->size(), "pictures");
  inflate_measured(clips, net, *source, [&](i64 pictures) { progress.advance(pictures); });
}

void inflate_file(const ConvertOptions& o) {
  check(Exit::usage, o.model == "i3d", "--inflate makes an i3d; {} is none", o.model);
  const Checkpoint file = Checkpoint::read(o.weights);
  const std::string source = inflatable([&](const std::string& name) { return file.tensors.contains(name); });
  check(Exit::model_file, !source.empty(), "{}: holds neither googlenet-bn nor googlenet, which can be inflated",
        o.weights);
  const LoadedModel pictures = open_model(source, o.weights, {.auxiliary = false});
  std::cerr << pictures.report.text();
  Model clips = make_model("i3d", {.classes = pictures.model.classes, .frames = o.frames, .channels = o.channels});
  fill(clips, pictures.model, o.pictures);
  Passport passport = pictures.passport;
  passport.resize = "short256-antialias";
  const std::string how = "inflated from " + source + (o.pictures.empty() ? "" : " with statistics of pictures") + ", ";
  write(o, clips, passport, (o.origin.empty() ? how : "") + origin_of(o, passport));
}

}  // namespace

void add_convert(CLI::App& program) {
  auto o = std::make_shared<ConvertOptions>();
  CLI::App* verb = add_verb(
      program, "convert", "weights in our format; a net of pictures inflated for clips",
      "  dactyl convert --model mobilenet-0.75 --weights keras.safetensors --out m.safetensors\n"
      "  dactyl convert --model googlenet-bn --weights RUN/best.safetensors --bf16 --out small.safetensors\n"
      "  dactyl convert --inflate --model i3d --weights bvlc_googlenet.caffemodel --pictures photos --out "
      "rgb.safetensors\n"
      "  dactyl convert --inflate --model i3d --channels 2 --weights googlenet-bn.safetensors --out flow.safetensors");
  verb->add_option("--model", o->model, "the net to write, as listed by dactyl models")->required();
  verb->add_option("--weights", o->weights, ".caffemodel or .safetensors file to read")->required();
  verb->add_option("--out", o->out, ".safetensors file to write")->required();
  verb->add_flag("--bf16", o->narrow, "weights as bf16, in half the bytes; normalisations stay f32");
  verb->add_flag("--inflate", o->inflate, "repeat the filters of a GoogLeNet in time");
  verb->add_option("--pictures", o->pictures,
                   "folder of about a hundred photos, of anything: BVLC's GoogLeNet inflates well only with "
                   "statistics, which are measured on them");
  verb->add_option("--frames", o->frames, "of the clips to be trained on; default: the net's own")
      ->check(CLI::Range(9, 100000));
  verb->add_option("--channels", o->channels, "of the clips: 3, or 2 for optical flow")
      ->check(CLI::IsMember({2, 3}))
      ->capture_default_str();
  verb->add_option("--origin", o->origin, "what the file shall say it is from; default: the file read and its origin");
  verb->add_option("--licence", o->licence, "and under which licence; default: that of the file read");
  verb->callback([o] { o->inflate ? inflate_file(*o) : rewrite(*o); });
}

}  // namespace dactyl
