"""What the benchmark computes from measurements: `python3 -m unittest discover -s scripts/bench`."""

import sys
import unittest

import figures
import hot_spots
import page
import process
import rounds
import table
import trials


class Figures(unittest.TestCase):
    def test_spread(self):
        spread = figures.Spread([3, 1, 2, 10])
        self.assertEqual((spread.median, spread.low, spread.high, spread.count), (2.5, 1, 10, 4))
        self.assertEqual(spread.text("{:.1f}"), "2.5 (1.0 to 10.0)")
        self.assertEqual(figures.Spread([7]).text(), "7")
        with self.assertRaises(ValueError):
            figures.Spread([])

    def test_ratio_is_taken_by_pairs(self):
        entries = [{"a": {"x": 2}, "b": {"x": 1}}, {"a": {"x": 30}, "b": {"x": 10}}, {"a": {"x": 5}, "b": {"failure": "f"}}]
        ratio = figures.ratio(entries, "a", "b", "x")
        self.assertEqual((ratio.median, ratio.low, ratio.high, ratio.count), (2.5, 2, 3, 2))
        self.assertIsNone(figures.ratio(entries, "a", "c", "x"))

    def test_verdict(self):
        self.assertEqual(figures.verdict(2.0, 1.4, 2), "beyond the stretch")
        self.assertEqual(figures.verdict(1.5, 1.4, 2), "reached")
        self.assertEqual(figures.verdict(0.7, 1.4, 2), "50 % of the goal")
        self.assertEqual(figures.verdict(3, None, None), "")


class Limits(unittest.TestCase):
    limits = {"gigaflops": 1000, "gigabytes": 50}

    def test_large_batches_are_bound_by_arithmetic_and_single_sequences_by_memory(self):
        self.assertAlmostEqual(table.generation_limit("s", 64)(self.limits), 1e12 / (2 * 134_515_008))
        self.assertAlmostEqual(table.generation_limit("s", 1)(self.limits), 50e9 / (2 * 134_515_008))
        self.assertAlmostEqual(table.training_limit("q")(self.limits), 1e12 / (6 * 596_049_920))


class Rounds(unittest.TestCase):
    def test_sides_take_turns_and_a_failure_stops_nobody(self):
        calls = []

        def side(name):
            def work():
                calls.append(name)
                if name == "b":
                    raise process.Failed("no")
                return {"x": 1}

            return work

        trial = trials.Trial("t", {"a": side("a"), "b": side("b")}, cost=1)
        said, rounds.Progress.say = rounds.Progress.say, staticmethod(lambda text: None)
        try:
            results = rounds.run([trial], 2, lambda: {"gigaflops": 1})
        finally:
            rounds.Progress.say = said
        self.assertEqual(calls, ["a", "b", "a", "b"])
        self.assertEqual(results["t"][1], {"limits": {"gigaflops": 1}, "a": {"x": 1}, "b": {"failure": "no"}})


class Processes(unittest.TestCase):
    def test_output_and_memory(self):
        output, peak = process.run([sys.executable, "-c", "import sys; x = b'a' * 50_000_000; print(len(x))"])
        self.assertEqual(output, "50000000\n")
        self.assertGreater(peak, 50_000_000)

    def test_a_neighbour_is_there_for_a_block(self):
        with process.BusyNeighbour(0) as neighbour:
            self.assertIsNone(neighbour.poll())
        self.assertIsNotNone(neighbour.returncode)

    def test_failures_say_what_failed(self):
        with self.assertRaisesRegex(process.Failed, "exit 3: sad"):
            process.run([sys.executable, "-c", "import sys; print('sad', file=sys.stderr); sys.exit(3)"])
        with self.assertRaisesRegex(process.Failed, "too long"):
            process.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0)


class Profiles(unittest.TestCase):
    def test_lines_of_perf(self):
        report = "# nothing\n\n    70.12%  [.] matmul_columns\n     1.50%  [k] clear_page_erms   \n"
        self.assertEqual(hot_spots.parse(report), [(70.12, "matmul_columns"), (1.5, "clear_page_erms (kernel)")])


class Page(unittest.TestCase):
    def test_rows_name_trials_that_exist(self):
        names = {trial.name for trial in trials.every_trial(None, None, None, 0)}
        for row in [*table.work_rows(), *table.memory_rows(), *table.matmul_rows()]:
            self.assertIn(row.trial, names, row.title)
            sides = next(trial for trial in trials.every_trial(None, None, None, 0) if trial.name == row.trial).sides
            self.assertIn(row.ours, sides, row.title)
            self.assertIn(row.peer, sides, row.title)

    def test_page(self):
        entry = {
            "limits": {"gigaflops": 1000, "gigabytes": 50}, "Apus": {"decode": 3000, "peak": 1 << 20},
            "llama.cpp": {"decode": 1000, "peak": 2 << 20},
        }
        measured = {
            "machine": {
                "processor": "P", "cores": 2, "threads": 2, "memory": 24 << 30, "system": "Linux", "date": "2026-01-01",
                "revision": "abc", "swift": "Swift 6", "load": 0.0,
            },
            "versions": {"llama.cpp": "1", "llama options": ["-fa", "on"], "torch": "2", "transformers": "5"},
            "rounds": 2, "results": {"generate-s-64": [entry, entry]},
        }
        text = page.write(measured)
        self.assertIn("| **3.00** (3.00 to 3.00) | 2.7 (3.2) | reached | 81 % |", text)
        self.assertIn("| generation, 64 × (64 + 64), S | 1 | llama.cpp | 2 | **0.50** |", text)
        self.assertNotIn("Matrix products", text)
        self.assertNotIn("| |", page.tables({"matmul-s": [entry]}))


if __name__ == "__main__":
    unittest.main()
