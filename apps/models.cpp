// dactyl models: the nets there are, and each as a table of its layers.
#include <iomanip>
#include <iostream>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct ModelsOptions {
  std::string name;
  ModelOptions net;
  bool json = false;
};

std::string grouped(i64 n) {  // 60,965,224
  std::string text = std::to_string(n);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string extents(const Shape& shape) {  // of one sample: 112 × 112 × 64
  std::string text;
  for (int i = 1; i < shape.rank(); ++i) text += (i > 1 ? " x " : "") + std::to_string(shape[i]);
  return text;
}

void list(bool json) {
  Json all = Json::array();
  std::size_t widest = 0;
  for (const ModelInfo& info : models()) widest = std::max(widest, info.title.size());
  for (const ModelInfo& info : models()) {
    all.push_back({{"name", info.name}, {"title", info.title}, {"paper", info.paper}});
    if (!json)
      std::cout << std::left << std::setw(22) << info.name << std::setw(static_cast<int>(widest) + 2) << info.title
                << info.paper << '\n';
  }
  if (json) print_json(all);
}

void print_table(const ModelInfo& info, const ModelTable& table, const InputSpec& input) {
  std::cout << info.title << ", " << info.paper << "; input " << extents(input.shape(1)) << "\n\n";
  const auto row = [](const std::string& name, const std::string& kind, const std::string& output,
                      const std::string& parameters, const std::string& macs) {
    std::cout << std::left << std::setw(36) << name << std::setw(12) << kind << std::setw(22) << output << std::right
              << std::setw(14) << parameters << std::setw(16) << macs << '\n';
  };
  row("layer", "kind", "output", "parameters", "MACs");
  for (const LayerRow& r : table.rows)
    row(r.name, r.kind, extents(r.output), r.parameters ? grouped(r.parameters) : "", r.macs ? grouped(r.macs) : "");
  row("total", "", "", grouped(table.parameters), grouped(table.macs));
  if (table.parameters_with_auxiliary != table.parameters)
    std::cout << "\nwith the auxiliary heads of training: " << grouped(table.parameters_with_auxiliary)
              << " parameters";
  if (table.stored != table.parameters)
    std::cout << "\nwith running statistics: " << grouped(table.stored) << " stored numbers";
  std::cout << '\n';
}

Json to_json(const ModelInfo& info, const ModelTable& table, const InputSpec& input) {
  const auto extents_of = [](const Shape& shape) {
    Json list = Json::array();
    for (int i = 1; i < shape.rank(); ++i) list.push_back(shape[i]);
    return list;
  };
  Json layers = Json::array();
  for (const LayerRow& r : table.rows) {
    layers.push_back({{"name", r.name},
                      {"kind", r.kind},
                      {"output", extents_of(r.output)},
                      {"parameters", r.parameters},
                      {"macs", r.macs}});
    if (!r.line.empty()) layers.back()["descriptor"] = r.line;
  }
  return {{"name", info.name},
          {"title", info.title},
          {"input", extents_of(input.shape(1))},
          {"layers", layers},
          {"parameters", table.parameters},
          {"parameters_with_auxiliary", table.parameters_with_auxiliary},
          {"stored", table.stored},
          {"macs", table.macs}};
}

void show(const ModelsOptions& o) {
  const ModelInfo info = model_info(o.name);
  const Model model = make_model(o.name, o.net);
  const ModelTable table = tabulate(model);
  if (o.json)
    print_json(to_json(info, table, model.input));
  else
    print_table(info, table, model.input);
}

}  // namespace

void add_models(CLI::App& program) {
  auto o = std::make_shared<ModelsOptions>();
  CLI::App* verb = add_verb(program, "models", "the nets and their variants as tables",
                            "  dactyl models\n  dactyl models show googlenet\n"
                            "  dactyl models show alexnet --input 227 --json\n"
                            "  dactyl models show i3d --frames 20 --channels 2");
  verb->add_flag("--json", o->json, "JSON to stdout");
  CLI::App* one = verb->add_subcommand("show", "layers, output shapes, parameters and multiply-accumulates of one net");
  one->add_option("NAME", o->name, "as listed by dactyl models")->required();
  add_net_size(*one, o->net);
  one->add_flag("--json", o->json, "JSON to stdout");
  one->callback([o] { show(*o); });
  verb->callback([o, one] {
    if (!one->parsed()) list(o->json);
  });
}

}  // namespace dactyl
