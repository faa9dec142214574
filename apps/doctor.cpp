// dactyl doctor: what this machine offers, and what dactyl will use of it.
#include <iostream>

#include "apps/cli.h"
#include "apps/machine.h"

namespace dactyl {
namespace {

#ifdef DACTYL_JPEG
constexpr bool fast_jpeg = true;
#else
constexpr bool fast_jpeg = false;
#endif

#ifdef DACTYL_NVJPEG
constexpr bool nvjpeg = true;
#else
constexpr bool nvjpeg = false;
#endif

Json plans() {
  Json files = Json::array();
  for (const PlanFile& file : plan_files())
    files.push_back({{"machine", file.machine}, {"plans", file.plans}, {"path", file.path}});
  return {{"folder", plan_folder()}, {"files", files}};
}

Json examine(const std::string& folder) {
  Json gpus = Json::array(), libraries_in = Json::object();
  for (int i = 0; i < gpu_count(); ++i) gpus.push_back(gpu_text(i));
  for (const auto& [name, version] : libraries()) libraries_in[name] = version;
  const std::string gnuplot = gnuplot_version();
  return {{"device", to_text(device_named("auto"))},
          {"gpus", gpus},
          {"built_with_cuda", libraries_in.contains("cuDNN")},
          {"libraries", libraries_in},
          {"convolution_plans", plans()},
          {"libjpeg_turbo", fast_jpeg},
          {"nvjpeg", nvjpeg},
          {"gnuplot", gnuplot},
          {"processor", processor_name()},
          {"cores", usable_cores()},
          {"vector_extensions", vector_extensions()},
          {"memory_gib", memory_gib()},
          {"disk", folder},
          {"disk_write_mb_s", write_speed(folder)}};
}

// What follows from the findings, for people.
std::vector<std::string> advice(const Json& found) {
  std::vector<std::string> lines;
  if (found["gpus"].empty())
    lines.push_back(found["built_with_cuda"] ? "no GPU answers: --device auto uses the CPU"
                                             : "built without CUDA: everything runs on the CPU");
  if (!found["libraries"].contains("oneDNN"))
    lines.push_back("built without oneDNN: convolutions on the CPU are many times slower (package libdnnl-dev)");
  if (found["gnuplot"] == "") lines.push_back("no gnuplot: curves stay as data files (package gnuplot-nox)");
  if (found["memory_gib"] < 2.0) lines.push_back("less than 2 GiB of memory: use a small --batch");
  return lines;
}

// "412 for Some GPU, …; in /home/me/.cache/dactyl"
std::string plans_text(const Json& plans) {
  const std::string folder = plans["folder"];
  std::string text;
  for (const Json& file : plans["files"])
    text += to_text(file["plans"].get<i64>()) + " for " + one_line(file["machine"].get<std::string>()) + "; ";
  if (folder.empty()) return "not kept: DACTYL_CACHE is off, or there is no home";
  return (text.empty() ? "none yet " : text) + "in " + folder;
}

void print(const Json& found) {
  const auto row = [](const std::string& name, const Json& value) {
    std::string text = value.is_string() ? value.get<std::string>() : "";
    if (value.is_array())
      for (const Json& entry : value) text += (text.empty() ? "" : ", ") + entry.get<std::string>();
    if (value.is_number_integer()) text = value.dump();
    std::cout << name << std::string(18 - name.size(), ' ') << (text.empty() ? "none" : text) << '\n';
  };
  row("device auto", found["device"]);
  row("GPUs", found["gpus"]);
  for (const auto& [name, version] : found["libraries"].items()) row(name, version);
  row("GPU plans", plans_text(found["convolution_plans"]));
  row("libjpeg-turbo", found["libjpeg_turbo"] ? "yes" : "no: stb_image reads JPEG");
  row("nvJPEG", found["nvjpeg"] ? "yes: train --decode gpu" : "no: the CPU decodes photos");
  row("gnuplot", found["gnuplot"]);
  row("processor", found["processor"]);
  row("cores", found["cores"]);
  row("vector units", found["vector_extensions"]);
  row("free memory", to_text(found["memory_gib"].get<double>()) + " GiB");
  row("disk writes", to_text(found["disk_write_mb_s"].get<double>()) + " MB/s in " + found["disk"].get<std::string>());
  for (const std::string& line : advice(found)) std::cout << "note: " << line << '\n';
}

}  // namespace

void add_doctor(CLI::App& program) {
  auto json = std::make_shared<bool>(false);
  auto folder = std::make_shared<std::string>(".");
  CLI::App* verb = add_verb(program, "doctor", "what this machine offers and what will be used of it",
                            "  dactyl doctor\n  dactyl doctor --disk /data --json");
  verb->add_option("--disk", *folder, "folder whose disk is timed")->capture_default_str();
  verb->add_flag("--json", *json, "JSON to stdout");
  verb->callback([json, folder] {
    const Json found = examine(*folder);
    if (*json)
      print_json(found);
    else
      print(found);
  });
}

}  // namespace dactyl
