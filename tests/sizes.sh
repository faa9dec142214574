#!/usr/bin/env bash
# No file over 250 lines (kernels/fast: 500), no header over 120 (kernels/ops.h, the list of all operations: 150), no
# function over 40, not counting its tables (between "clang-format off" and "on"). Prints the largest of each.
cd "$(dirname "$0")/.." || exit 1
find engine kernels nets weights train apps tests benchmarks \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) -print |
  sort | xargs awk '
function indent(s) { match(s, /^ */); return RLENGTH }
function measure(kind, name, lines, limit) {
  if (lines > largest[kind]) { largest[kind] = lines; where[kind] = name }
  if (lines > limit) { print name ": " kind " of " lines " lines, the limit is " limit; broken = 1 }
}
function end_file() {
  if (file == "kernels/ops.h") measure("list of operations", file, count, 150)
  else if (file ~ /\.h$/) measure("header", file, count, 120)
  else if (file ~ /^kernels\/fast\//) measure("fast kernel file", file, count, 500)
  else if (file != "") measure("file", file, count, 250)
}
FNR == 1 { end_file(); file = FILENAME; inside = begun = table = rows = 0 }
/clang-format (off|on)$/ { table = /off$/ }
table { ++rows }
{ count = FNR; sub(/ *\/\/.*$/, "") }
# Inside a function, or a table of values: up to the closing brace below its first line.
inside {
  if (indent($0) == depth && $0 ~ /^ *}/) { if (inside == 2) measure("function", file ":" begun, FNR - begun + 1 - (rows - rows_before), 40); inside = begun = 0 }
  next
}
/^ *($|#|namespace|class|struct|enum|union|template|using|public:|private:|protected:|friend)/ { begun = 0; next }
!begun { begun = FNR; rows_before = rows; depth = indent($0); text = "" }
{ text = text $0 }
/\{$/ { inside = text ~ /\(/ ? 2 : 1; next }
/[;}]$/ { begun = 0 }
END {
  end_file()
  for (kind in largest) print "largest " kind ": " largest[kind] " lines, " where[kind]
  exit broken
}'
