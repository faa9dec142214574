"""benchmarks/precision.py with a made-up dactyl: what it compares, and what its exit code says.

    python3 tests/benchmarks/precision_test.py
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "precision.py"

# Losses fall from 2 by a hundredth a step, off by OFF_<precision> on a GPU; accuracies are as told.
FAKE = """#!{python}
import os, sys
from pathlib import Path
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
if words[0] == "data":
    sys.exit(0)
on_gpu, precision = option("--device") == "cuda", option("--precision")
if os.environ.get("FAIL") == precision:
    sys.exit("dactyl: out of luck")
off = float(os.environ.get("OFF_" + precision, 0)) if on_gpu else 0
out = Path(option("--out"))
out.mkdir(parents=True)
stage = [w for w in words if w.startswith("all:")][0]
if stage.endswith("it@1e-4"):
    steps = int(stage[4:-7])
    (out / "train.csv").write_text("step,loss\\n" + "".join(f"{{i}},{{(2 - 0.01 * i) * (1 + off * i)}}\\n" for i in range(steps)))
print(f"best model, of step 9: accuracy {{os.environ.get('ACCURACY_' + precision, '90.00')}} % [1 %, 2 %]")
"""


def run(folder, *more, **environment):
    program = Path(folder) / "dactyl"
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    done = subprocess.run([sys.executable, str(SCRIPT), "--dactyl", str(program), *more], capture_output=True, text=True,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout + done.stderr


class Precision(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_differences_are_relative_and_the_largest(self):
        figures = Path(self.folder.name) / "figures.json"
        code, said = run(self.folder.name, "--steps", "60", "--json", str(figures), OFF_fp32="1e-6", OFF_bf16="1e-3")
        self.assertEqual(code, 0, said)
        rows = json.loads(figures.read_text())["steps"]
        self.assertEqual([(r["net"], r["precision"]) for r in rows],
                         [(net, p) for net in ("alexnet", "googlenet-bn", "i3d") for p in ("fp32", "bf16")])
        self.assertAlmostEqual(rows[0]["to_50"], 49e-6)
        self.assertAlmostEqual(rows[0]["to_the_end"], 59e-6)
        self.assertAlmostEqual(rows[1]["to_50"], 49e-3)
        self.assertAlmostEqual(rows[0]["last_20_cpu"], 2 - 0.01 * 49.5)

    def test_fp32_that_leaves_the_cpu_is_named(self):
        code, said = run(self.folder.name, "--nets", "i3d", "--steps", "60", OFF_fp32="1e-5")
        self.assertEqual(code, 5, said)
        self.assertIn("fp32 leaves the CPU by more than 1e-04 up to step 50: i3d 4.9e-04", said)
        self.assertEqual(run(self.folder.name, "--nets", "i3d", "--steps", "9", OFF_fp32="1e-5")[0], 0)
        self.assertEqual(run(self.folder.name, "--nets", "i3d", "--steps", "9", OFF_fp32="nan")[0], 5)

    def test_accuracy_lost_is_told(self):
        photos = ["--nets", "", "--data", "photos", "--seeds", "4,5"]
        code, said = run(self.folder.name, *photos, ACCURACY_fp32="91.00", ACCURACY_bf16="90.40")
        self.assertEqual(code, 5, said)
        self.assertIn("seed 5: fp32 91.00 %, bf16 90.40 %", said)
        self.assertIn("bf16 loses 0.60 points", said)
        self.assertEqual(run(self.folder.name, *photos, ACCURACY_fp32="90.40", ACCURACY_bf16="91.00")[0], 0)

    def test_what_fails_is_told(self):
        code, said = run(self.folder.name, "--nets", "alexnet", FAIL="bf16")
        self.assertEqual(code, 1)
        self.assertIn("out of luck", said)
        code, said = run(self.folder.name, "--nets", "lenet")
        self.assertEqual(code, 2)
        self.assertIn("there are: alexnet, googlenet-bn, i3d", said)


if __name__ == "__main__":
    unittest.main()
