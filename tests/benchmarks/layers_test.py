"""benchmarks/peers/layers.py on the CPU: arithmetic with a made-up peer, and with PyTorch where this Python has it.

    DACTYL_PROGRAM=build/dactyl python3 tests/benchmarks/layers_test.py
"""
import contextlib
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

PEERS = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"
sys.path.insert(0, str(PEERS))
import layer_summary
import layers
from layer_lines import parsed, plain

PROGRAM = os.environ.get("DACTYL_PROGRAM", "build/dactyl")
TORCH = importlib.util.find_spec("torch") is not None
STEM = "conv2d x=1x63x63x3 k=11x11 s=4 p=2 out=64 fp32"
TINY = ["--device", "cpu", "--nets", "alexnet-torchvision", "--batch", "1", "--input", "63", "--seconds", "0"]


def told(*more):
    with mock.patch.object(sys, "argv", ["layers.py", "--dactyl", PROGRAM, *TINY, *more]):
        return layers.options()


def row(ours, peer, **more):
    side = lambda us: {"median": us, "p10": 0.9 * us, "p90": 1.1 * us, "runs": 9}
    return {"shape": "conv2d …", "pass": "forward", "uses": {"a": 2}, "layers": {"a": "one"}, "stem": False, "ours": side(ours),
            "peer": side(peer), "ratio": peer / ours, **more}


def compared(a, peer):
    """Rows, what was left out, and the lines printed, of a run against a made-up peer."""
    shapes = layers.shapes_of([("net", a.batch, layers.show(a, "alexnet-torchvision"))], a.precision)
    rows, said = [], io.StringIO()
    with contextlib.redirect_stdout(said):
        left_out = list(layers.compare(a, shapes, peer, rows))
    return rows, left_out, said.getvalue()


class Lines(unittest.TestCase):
    def test_plain_is_what_remains_at_another_batch(self):
        line = "conv3d x=1x20x224x224x3 k=7x7x7 s=2 p=same out=64 groups=1 bias relu into=256 fp32"
        self.assertEqual(plain(line, 32, "bf16"), "conv3d x=32x20x224x224x3 k=7x7x7 s=2 p=same out=64 groups=1 bf16")

    def test_sizes_are_read(self):
        stem = parsed("conv3d x=32x20x224x223x3 k=7x7x7 s=2 p=same out=64 bf16")
        self.assertEqual((stem.low, stem.high, stem.out), ([2, 2, 3], [3, 3, 3], [10, 112, 112]))
        odd = parsed("conv2d x=4x8x9x6 k=3x2 s=1x2 p=1x0:1 out=10 groups=2 fp32")
        self.assertEqual((odd.kernel, odd.low, odd.high, odd.out), ([3, 2], [1, 0], [1, 1], [8, 5]))
        self.assertEqual((odd.batch, odd.channels, odd.groups, odd.outs, odd.precision), (4, 6, 2, 10, "fp32"))
        self.assertRaises(ValueError, parsed, "linear x=1x8 out=4 fp32")


class Arithmetic(unittest.TestCase):
    def test_shapes_are_counted_once_and_stems_come_first(self):
        conv = lambda name, line, macs: {"name": name, "kind": "conv", "descriptor": line, "macs": macs}
        first, large, small = ("conv2d x=1x9x9x%d k=1x1 s=1 p=0 out=4 bias fp32" % n for n in (3, 8, 4))
        some = [conv("stem", first, 1), conv("x", small, 2), conv("y", large, 50), conv("z", large, 50),
                {"name": "fc", "kind": "linear", "descriptor": "linear x=1x8 out=4 fp32", "macs": 9}]
        found = layers.shapes_of([("a", 8, some), ("b", 8, some[:2])], "bf16")
        self.assertEqual([s.uses for s in found], [{"a": 1, "b": 1}, {"a": 2}, {"a": 1, "b": 1}])
        self.assertEqual([s.stem for s in found], [True, False, False])
        self.assertEqual(found[1].line, "conv2d x=8x9x9x8 k=1x1 s=1 p=0 out=4 bf16")
        self.assertEqual(found[1].layers, {"a": "y"})

    def test_spread_and_sums(self):
        self.assertEqual(layer_summary.spread([3, 1, 2]), {"median": 2000, "p10": 1200, "p90": 2800, "runs": 3})
        s = layer_summary.summed([row(100, 200), row(100, 50)], "a")
        self.assertAlmostEqual(s["mean"], 1)
        self.assertEqual((s["shapes"], s["least"], s["below"]), (2, 0.5, 1))
        self.assertAlmostEqual(s["ours_ms"], 0.4)  # twice in the net
        self.assertAlmostEqual(s["peer_ms"], 0.5)

    def test_summary_names_what_is_slower(self):
        rows = [row(10, 40, stem=True), row(10, 9.5), row(10, 5), {"shape": "conv3d", "pass": "data"}]
        text = "\n".join(layer_summary.summary(rows))
        self.assertIn("slower beyond the spread (our 10 % above its 90 %): 1\n- a one forward 0.50", text)
        self.assertIn("below 1 within the spread: 1\n- a one forward 0.95", text)
        self.assertIn("stems: a one forward 4.00", text)
        self.assertIn("not compared: conv3d data", text)
        self.assertIn("all 3 rows, each shape once: geometric mean 1.239, least 0.50, below 1: 2", text)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "layers.json")


class Run(InFolder):
    def test_the_program_against_a_made_up_peer(self):
        asked = []

        def peer(layer, which):
            asked.append((layer.outs, which))
            return {"slow": [9e9], "fast": [8e9, 8e9, 8e9]}, {"other": "not there"}

        rows, left_out, said = compared(told("--json", self.file, "--most", "2", "--rounds", "2"), peer)
        self.assertEqual([r["pass"] for r in rows], ["forward", "weights", *layers.PASSES])  # of the stem no data gradient
        self.assertEqual(len(asked), 2 * len(rows))
        self.assertEqual(rows[0]["shape"], STEM)
        for r in rows:
            self.assertEqual((r["how"], r["peer"]["runs"], r["failed"]), ("fast", 6, {"other": "not there"}))
            self.assertGreater(r["ours"]["median"], 0)
            self.assertGreater(r["of_matrix_roof"], 0)
            self.assertGreater(r["ratio"], 1)
        self.assertEqual(left_out, [])
        self.assertEqual(said.count("\n"), len(rows))
        again, left_out, _ = compared(told("--json", self.file, "--resume", "--budget", "1e-9"), peer)
        self.assertEqual(len(again), len(rows))
        self.assertEqual(len(asked), 2 * len(rows))  # nothing was measured again
        self.assertEqual(len(left_out), 9)  # of the three other shapes

    def test_what_fails_is_said_and_the_rest_goes_on(self):
        turns = iter([({}, {"graph": "out of memory"})])
        rows, _, said = compared(told("--most", "1"), lambda layer, which: next(turns, ({"graph": [1.0]}, {})))
        self.assertIn("not compared: graph: out of memory", said)
        self.assertNotIn("ratio", rows[0])
        self.assertIn("ratio", rows[1])
        dactyl = layers.Dactyl(told())
        self.addCleanup(dactyl.close)
        self.assertIn("exit code 2", dactyl.ask("conv2d x=nonsense", "forward")["not"])
        self.assertGreater(dactyl.ask(STEM, "weights")["median_ms"], 0)


@unittest.skipUnless(TORCH, "no torch in this Python")
class Torch(InFolder):
    def script(self, *more):
        return [sys.executable, str(PEERS / "layers.py"), "--dactyl", PROGRAM, *TINY, "--json", self.file, *more]

    def test_end_to_end(self):
        done = subprocess.run(self.script("--most", "2"), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| alexnet-torchvision | weights | 2 |", done.stdout)
        self.assertEqual(sum("ratio" in json.loads(line) for line in Path(self.file).read_text().splitlines()), 5)
        wrong = subprocess.run(self.script("--pass", "sideways"), capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 2)

    def test_stopped_it_sums_up(self):
        with subprocess.Popen(self.script("--seconds", "1"), stdout=subprocess.PIPE, text=True) as run:
            while not run.stdout.readline().startswith("| conv2d"):
                self.assertIsNone(run.poll())
            run.send_signal(signal.SIGTERM)
            rest = run.stdout.read()
        self.assertEqual(run.returncode, 143)
        self.assertIn("all 1 rows, each shape once", rest)

    def test_paddings_give_as_many_results(self):
        import torch
        import torch_layers
        layer = parsed("conv3d x=2x6x9x8x3 k=3x5x4 s=2x2x1 p=same out=4 fp32")
        self.assertEqual([name for name, *_ in torch_layers.paddings(layer)], ["padded before"])  # no other gives as many
        layer = parsed("conv3d x=2x6x10x8x3 k=3x5x3 s=2 p=same out=4 fp32")
        ways = torch_layers.paddings(layer)
        self.assertEqual([name for name, *_ in ways], ["padded before", "symmetric"])
        found = []
        for layout in ("channels_last", "contiguous"):
            for _, padding, before in ways:
                def work(which):
                    torch.manual_seed(1)
                    return torch_layers.work_of(layer, which, "cpu", layout, padding, before)()

                data, none, _ = work("data")
                self.assertIsNone(none)
                if before:
                    data = torch.nn.functional.pad(data, [-n for n in before])
                none, weights, _ = work("weights")
                self.assertIsNone(none)
                self.assertEqual(list(weights.shape), [4, 3, 3, 5, 3])
                found.append((work("forward"), data, weights))
        self.assertEqual(list(found[0][0].shape), [2, 4, *layer.out])
        for one, two in ((found[0], found[2]), (found[1], found[3])):
            for left, right in zip(one, two):  # both layouts
                torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)

    def test_a_gpu_is_asked_in_this_order(self):
        """Captured: sweep, event, pass, event, each time; one that cannot be captured is launched instead."""
        import torch
        import torch_layers
        calls = []
        note = lambda name, value=None: mock.Mock(side_effect=lambda *_, **__: calls.append(name) or value)

        def event(**told):
            calls.append("external" if told.get("external") else "event")
            return SimpleNamespace(record=note("record"), elapsed_time=lambda other: 0.5)

        peer = torch_layers.TorchLayers("cpu", 0, 0, ["channels_last"], 0)
        peer.sweep = SimpleNamespace(fill_=note("sweep"))
        fakes = dict(Event=event, CUDAGraph=lambda: SimpleNamespace(replay=note("replay")), synchronize=note("wait"),
                     Stream=mock.Mock(), current_stream=mock.Mock(), stream=lambda s: contextlib.nullcontext(),
                     graph=lambda g: contextlib.nullcontext())
        with mock.patch.multiple(torch.cuda, **fakes):
            times = peer.on_gpu(note("pass"))
            self.assertEqual(times, {"graph": [0.5] * 8})
            start = 3 + 1 + 2 * torch_layers.REPETITIONS  # warming, waiting, events
            self.assertEqual(calls[start:start + 4], ["sweep", "record", "pass", "record"])
            self.assertEqual(calls[-4:], ["replay", "wait"] * 2)
            self.assertNotIn("event", calls)
            torch.cuda.graph = mock.Mock(side_effect=RuntimeError("no capture"))
            (how, ms), = peer.on_gpu(note("pass")).items()
            self.assertEqual((how, len(ms)), ("eager (no capture)", 5))
            self.assertEqual(calls[-5:], ["sweep", "record", "pass", "record", "wait"])


if __name__ == "__main__":
    unittest.main()
