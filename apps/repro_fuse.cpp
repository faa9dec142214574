// The streams' scores together, as dactyl fuse has them.
#include "apps/fuse.h"
#include "apps/repro.h"

namespace dactyl {

Json fused(const std::vector<ReproRun>& runs, const std::string& out) {
  std::vector<std::string> streams;
  for (const ReproRun& run : runs)
    if (run.paper->fused) streams.push_back(run.paper->name + "=" + run.folder + "/eval");
  if (streams.size() < 2) return nullptr;
  fuse_into(out, streams);
  const Json figures = Json::parse(text_file(out + "/metrics.json", Exit::data), nullptr, false);
  check(Exit::data, figures.is_object(), "{}/metrics.json: is damaged", out);
  return figures;
}

}  // namespace dactyl
