// A ladder as a picture: each rung's share of the roof.
#pragma once

#include <string>
#include <vector>

namespace dactyl {

struct RungFigure {
  std::string name, change;
  double ms = 0, roof_percent = 0;
  bool other = false;  // not a rung: the engine's, a library's
};
// Writes folder/name.csv and name.gp, and with gnuplot name.svg and name.png. The folder must be there.
void draw_ladder(const std::string& folder, const std::string& name, const std::string& title,
                 const std::vector<RungFigure>& rungs);

}  // namespace dactyl
