// The comparisons with PyTorch, as far as this machine's Python can run them.
#include <cstdlib>

#include "tests/apps/program.h"

namespace dactyl {
namespace {

using Peers = Program;

TEST_F(Peers, layers_are_compared_and_summed_up) {
  const char* given = std::getenv("PYTHON");
  const std::string python = given ? given : "python3";
  if (std::system((python + " -c 'import json, unittest.mock' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "no " << python << " here";
  const std::string log = path("log.txt"), script = DACTYL_SOURCE "/tests/benchmarks/layers_test.py";
  const int code =
      std::system(("DACTYL_PROGRAM=" DACTYL_PROGRAM " " + python + " " + script + " >" + log + " 2>&1").c_str());
  const std::string said = text_of(log);
  EXPECT_EQ(code, 0) << said;
  EXPECT_NE(said.find("\nOK"), std::string::npos) << said;
  if (said.find("skipped") != std::string::npos) std::puts("PyTorch's half is left out: no torch in this Python");
}

}  // namespace
}  // namespace dactyl
