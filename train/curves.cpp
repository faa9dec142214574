// Two panels over one axis, as in Fig. 5 of the paper.
#include "train/curves.h"

#include "train/plot.h"

namespace dactyl {
namespace {

const char* const head = R"(# Draws train.csv and val.csv: gnuplot curves.gp
set datafile separator ','
set encoding utf8
set grid back lc rgb '#dddddd' lt 1
set border 3 lc rgb '#555555'
set tics nomirror textcolor rgb '#333333'
set key above horizontal maxrows 1 font ',11' samplen 1.5 reverse Left
set lmargin 9
set rmargin 3
average(x) = (n = n + 1, s = n == 1 ? x : s + (x - s) / (n < span ? n : span), s)
)";

const char* const panels = R"(
accuracy = 'set ylabel "accuracy, % of samples"; set yrange [0:100]; set key width -4'
loss = 'set ylabel "cross-entropy loss, nats per sample"; set yrange [0:*]; set key width -5'
do for [kind in 'svg png'] {
  if (kind eq 'svg') { set terminal svg size 900,800 dynamic font 'sans,13' background rgb 'white' }
  if (kind eq 'png') { set terminal pngcairo size 1800,1600 font 'sans,13' fontscale 2 linewidth 2 }
  set output 'curves.' . kind
  set multiplot layout 2,1 title heading . "\n" noenhanced
  set xlabel 'step'
  @accuracy
  n = 0; s = 0
  plot 'train.csv' using 1:(100 * $3) every ::1 with points pt 7 ps 0.7 lc rgb '#4f9bcb' title each, \
       '' using 1:(average(100 * $3)) every ::1 with lines lw 1.5 lc rgb '#2171b5' title smoothVALIDATION_ACCURACY
  @loss
  n = 0; s = 0
  plot 'train.csv' using 1:2 every ::1 with points pt 7 ps 0.7 lc rgb '#f59145' title each_loss, \
       '' using 1:(average($2)) every ::1 with lines lw 1.5 lc rgb '#d94801' title smoothVALIDATION_LOSS
  unset multiplot
  set output
}
)";

void replace(std::string& text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
}

// A validation column as points joined by lines.
std::string validation(const char* column, const char* colour) {
  return std::string(", \\\n       'val.csv' using 1:(") + column +
         ") every ::1 with linespoints lw 2 pt 7 ps 0.5 lc rgb '" + colour + "' title 'validation'";
}

}  // namespace

std::string curves_script(const std::string& title, const std::vector<i64>& starts, i64 smoothing, bool validated,
                          const std::string& loss_note) {
  std::string script = head;
  script += "span = " + to_text(smoothing) + "\n";
  script += "heading = " + quoted_for_plot(title + (starts.size() > 1 ? "; dashed: a stage begins" : "")) + "\n";
  script += "each = 'training, each batch'\n";
  script += "each_loss = " + quoted_for_plot("training, " + (loss_note.empty() ? "each batch" : loss_note)) + "\n";
  script += "smooth = 'mean of ' . span . ' batches'\n";
  for (const i64 start : starts)
    if (start > 0)
      script += "set arrow from " + to_text(start) + ",graph 0 to " + to_text(start) +
                ",graph 1 nohead dt 2 lc rgb '#888888'\n";
  std::string drawing = panels;
  replace(drawing, "VALIDATION_ACCURACY", validated ? validation("100 * $3", "#08306b") : "");
  replace(drawing, "VALIDATION_LOSS", validated ? validation("$2", "#7f2704") : "");
  return script + drawing;
}

}  // namespace dactyl
