// dactyl flow: the optical flow of videos, as a store to train from and as videos to look at.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "apps/cli.h"
#include "apps/clips.h"

namespace dactyl {
namespace {

const char* const colours = "red moves right, yellow-green down, cyan left, violet up";
const char* const no_label = "unknown";  // of videos that are given one by one

struct FlowVerb {
  ClipChoice clips;
  Place place;
  std::vector<std::string> files;
  FlowRecipe recipe;
  std::string out;
  int median = -1, previews = 4;
  double longest = 0;
  bool json = false;
};

// A folder of classes, CSV or pack, or videos without labels.
std::shared_ptr<const ClipSource> videos(const FlowVerb& o) {
  ClipChoice choice = o.clips;
  choice.data = o.files.front();
  if (o.files.size() == 1 && !has_video_extension(choice.data)) return open(choice);
  for (const std::string& file : o.files)
    check(Exit::usage, has_video_extension(file),
          "{}: is no video; give videos, or one folder of classes, CSV file or pack", file);
  return video_files({no_label}, o.files);
}

FlowRecipe recipe_of(const FlowVerb& o) {
  FlowRecipe recipe = o.recipe;
  const bool cpu = o.median == 5 && recipe.algorithm == "tvl1";
  if (cpu) recipe.algorithm = "tvl1-cpu";
  check(Exit::usage,
        cpu || o.median == -1 || (o.median == 0 && recipe.algorithm == "tvl1") ||
            (o.median == 5 && recipe.algorithm == "tvl1-cpu"),
        "--median {}: --algo tvl1 takes 0 (as OpenCV's CUDA version) or 5 (as its CPU version)", o.median);
  to_text(recipe);  // its faults come before the work
  return recipe;
}

// The frames beside their flow in colours.
Image side_by_side(const Image& frames, const Image& flow, const FlowVerb& o) {
  const double pixel = o.recipe.bound / 127.5;
  std::vector<float> uv;
  for (const std::uint8_t byte : flow.rgb) uv.push_back(static_cast<float>((byte - 127.5) * pixel));
  const Tensor colours =
      flow_picture(Tensor::from({flow.frames, flow.height, flow.width, 2}, uv), o.longest).to(Device::cpu());
  const std::uint8_t* right = colours.data<std::uint8_t>();
  Image both{flow.height, 2 * flow.width, {}, flow.frames};
  const std::size_t row = 3 * static_cast<std::size_t>(flow.width);
  for (int f = 0; f < flow.frames; ++f)
    for (int y = 0; y < flow.height; ++y, right += row) {
      const std::uint8_t* left = frames.frame(f) + static_cast<std::size_t>(y) * row;
      both.rgb.insert(both.rgb.end(), left, left + row);
      both.rgb.insert(both.rgb.end(), right, right + row);
    }
  return both;
}

// A label or a sample as part of a file's name that any system takes: at most 60 bytes of whole characters.
std::string for_file_name(std::string text) {
  for (char& c : text)
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x80 && std::isalnum(byte) == 0 && c != '-') c = '_';
  std::size_t end = std::min<std::size_t>(text.size(), 60);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// preview-0-down-hand00_0001.mp4; videos without labels have no class to name.
std::string preview_name(i64 number, const Labelled& samples, i64 i) {
  const std::string label = samples.labels()[static_cast<std::size_t>(samples.label(i))];
  return "preview-" + to_text(number) + "-" + (label == no_label ? "" : for_file_name(label) + "-") +
         for_file_name(std::filesystem::path(samples.name(i)).stem().string()) + ".mp4";
}

// The first sample of each class, then the second of each: a few of them show different classes.
std::vector<i64> one_class_after_another(const Labelled& samples) {
  std::vector<std::size_t> seen(samples.labels().size()), turn;
  std::vector<i64> order;
  for (i64 i = 0; i < samples.size(); ++i) {
    turn.push_back(seen[static_cast<std::size_t>(samples.label(i))]++);
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    return std::pair(turn[static_cast<std::size_t>(a)], samples.label(a)) <
           std::pair(turn[static_cast<std::size_t>(b)], samples.label(b));
  });
  return order;
}

std::vector<std::string> write_previews(const FlowVerb& o, const std::string& store,
                                        const std::shared_ptr<const ClipSource>& source) {
  std::vector<std::string> written;
  const auto flow = open_pack(store, source->labels());
  const auto small = with_short_side(source, o.recipe.side);
  std::map<std::string, i64> place;
  for (i64 i = 0; i < small->size(); ++i) place[small->name(i)] = i;
  for (const i64 i : one_class_after_another(*flow)) {
    const auto number = static_cast<i64>(written.size());
    if (number == o.previews) break;
    const Image both = side_by_side(small->all_frames(place.at(flow->name(i))), flow->all_frames(i), o);
    written.push_back(o.out + "/" + preview_name(number, *flow, i));
    write_video(written.back(), both, flow->info(i).fps, {.times = flow->info(i).times});
  }
  return written;
}

void flow(FlowVerb o) {
  o.recipe = recipe_of(o);
  check(Exit::usage, o.longest > 0, "--longest {}: pixels above 0 are expected", o.longest);
  const Signals signals;  // Ctrl-C leaves no half of a store
  const auto use = enter(o.place);
  make_folder(o.out);
  const std::shared_ptr<const ClipSource> source = videos(o);
  const std::string store = o.out + "/flow.pack";
  check(Exit::usage, !std::filesystem::exists(store), "{}: is there already; give another --out, or delete it", store);
  const auto start = std::chrono::steady_clock::now();
  const PackReport report =
      write_pack(store, *with_flow(source, o.recipe, use->context().device()), {.threads = o.place.threads});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::vector<std::string> previews = write_previews(o, store, source);
  if (o.json) {
    print_json({{"store", store},
                {"flow", to_text(o.recipe)},
                {"samples", report.samples},
                {"frames", report.frames},
                {"seconds", seconds},
                {"previews", previews},
                {"bad", report.bad}});
    return;
  }
  std::cout << report.samples << " clips, " << report.frames << " frames, "
            << static_cast<i64>(static_cast<double>(report.frames) / seconds) << " per second, " << report.bad.size()
            << " bad: " << store << "\nmade as: " << to_text(o.recipe) << '\n';
  for (const std::string& preview : previews) std::cout << "look at: " << preview << '\n';
  if (!previews.empty())
    std::cout << "colours: " << colours << "; brightness is length, full from " << o.longest
              << " pixels a frame on (--longest)\n";
  for (const std::string& reason : report.bad) std::cout << "bad: " << one_line(reason) << '\n';
}

}  // namespace

void add_flow(CLI::App& program) {
  auto o = std::make_shared<FlowVerb>();
  CLI::App* verb = add_verb(program, "flow", "optical flow of videos: a store to train from, and previews in colour",
                            "  dactyl flow --algo tvl1 words --out words-tvl1\n"
                            "  dactyl flow --algo farneback a.mp4 b.mp4 --out looked-at --previews 2\n"
                            "  dactyl train --model i3d --data words-tvl1/flow.pack --flow cached …");
  verb->add_option("FILE", o->files, "videos, or one folder of classes, CSV with path,label[,start,end], or pack")
      ->required();
  verb->add_option("--out", o->out, "folder for flow.pack and the previews")->required();
  verb->add_option("--algo", o->recipe.algorithm, "tvl1, tvl1-cpu, farneback or farneback-sample")
      ->capture_default_str();
  verb->add_option("--median", o->median, "of tvl1: 0, as OpenCV's CUDA version; 5, as its CPU version (tvl1-cpu)");
  verb->add_option("--side", o->recipe.side, "short side of the frames the flow is computed on, in pixels")
      ->capture_default_str();
  verb->add_option("--bound", o->recipe.bound, "longest component kept, in pixels")->capture_default_str();
  verb->add_option(
          "--previews", o->previews,
          "how many videos are drawn, of one class after another: frames beside flow. Colours: " + std::string(colours))
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  verb->add_option(
          "--longest", o->longest,
          "of previews: brightness is a vector's length, full from so many pixels a frame on; 0: a quarter of --bound")
      ->check(numbers_from(0, 1000));
  add_place(*verb, o->place);
  verb->add_flag("--json", o->json, "JSON to stdout");
  add_clip_options(*verb, o->clips);
  verb->callback([o] {
    Progress::silence(o->json);
    if (o->longest == 0) o->longest = o->recipe.bound / 4;
    flow(*o);
  });
}

}  // namespace dactyl
