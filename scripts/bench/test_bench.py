"""What the benchmark computes from measurements: `python3 -m unittest discover -s scripts/bench`."""

import unittest

import figures
import hot_spots
import missed
import page
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
        self.assertEqual(figures.verdict(figures.Spread([2.0]), 1.4, 2), "beyond the stretch")
        self.assertEqual(figures.verdict(figures.Spread([1.5]), 1.4, 2), "reached")
        self.assertEqual(figures.verdict(figures.Spread([0.7]), 1.4, 2), "50 % of the goal")
        self.assertEqual(figures.verdict(figures.Spread([3]), None, None), "")
        self.assertEqual(figures.verdict(None, 1.4, 2), "")

    def test_a_goal_within_the_interval_of_the_median_is_undecided(self):
        ratios = figures.Spread(0.96 + 0.005 * step for step in range(15))
        self.assertEqual(ratios.interval(), (ratios.sorted[3], ratios.sorted[11]))
        self.assertEqual(figures.verdict(ratios, 0.98, None), "reached, undecided: 0.975 to 1.015")
        self.assertEqual(figures.verdict(ratios, 0.97, None), "reached")
        self.assertEqual(figures.verdict(ratios, 1.02, None), "98 % of the goal")
        self.assertIsNone(figures.Spread([1, 2, 3, 4, 5]).interval())
        self.assertEqual(figures.Spread([6, 1, 2, 3, 4, 5]).interval(), (1, 6))


class Limits(unittest.TestCase):
    limits = {"gigaflops": 1000, "gigabytes": 50}

    def test_large_batches_are_bound_by_arithmetic_and_single_sequences_by_memory(self):
        self.assertAlmostEqual(table.generation_limit("s", 64)(self.limits), 1e12 / (2 * 134_515_008))
        self.assertAlmostEqual(table.generation_limit("s", 1)(self.limits), 50e9 / (2 * 134_515_008))
        self.assertAlmostEqual(table.training_limit("q")(self.limits), 1e12 / (6 * 596_049_920))

    def test_logits_that_are_not_computed_are_not_in_the_limit(self):
        self.assertAlmostEqual(table.forward_limit("s", 1)(self.limits), 1e12 / (2 * 134_515_008))
        self.assertAlmostEqual(table.forward_limit("s", 0)(self.limits), 1e12 / (2 * 106_203_456))

    def test_a_round_without_limits_has_no_share(self):
        row = next(row for row in table.work_rows() if row.trial == "generate-s-64")
        entry = {"Apus": {"decode": 3000}, "llama.cpp": {"decode": 1000}, "limits": {"failure": "no"}}
        self.assertIsNone(row.measured({"generate-s-64": [entry]})["share"])
        shared = row.measured({"generate-s-64": [entry, entry | {"limits": self.limits}]})["share"]
        self.assertEqual(shared.count, 1)


class Profiles(unittest.TestCase):
    def test_lines_of_perf(self):
        report = (
            "# nothing\n\n  700  apus  [.] matmul_rows\n  15  [kernel.kallsyms]  [k] clear_page_erms   \n"
            "  3  libcrypto.so.3  [.] 0x29dbbe\n  4  libcrypto.so.3  [.] 0x29dbbf\n  2  apus  [.] $s7Tensors11ComputeTeamC4wait\n")
        self.assertEqual(
            hot_spots.parse(report),
            {
                ("matrix products", "matmul_rows"): 700, ("operating system", "clear_page_erms"): 15,
                ("libraries", "libcrypto.so.3"): 7,
                ("handing out work and waiting for it", "$s7Tensors11ComputeTeamC4wait"): 2,
            })

    def test_the_start_does_not_count(self):
        start = {("libraries", "libcrypto"): 900, ("matrix products", "matmul_rows"): 100}
        whole = {
            ("libraries", "libcrypto"): 890, ("matrix products", "matmul_rows"): 400, ("operating system", "clear"): 100}
        found = hot_spots.summary(start, whole)
        self.assertEqual(found["functions"], [(75, "matmul_rows"), (25, "clear (kernel)")])
        self.assertEqual(found["kinds"], [(75, "matrix products"), (25, "operating system")])
        self.assertEqual(hot_spots.summary({}, whole), {})


class Page(unittest.TestCase):
    def test_rows_name_trials_that_exist(self):
        names = {trial.name for trial in trials.every_trial(None, None, None, 0)}
        for row in [*table.work_rows(), *table.memory_rows(), *table.matmul_rows()]:
            self.assertIn(row.trial, names, row.title)
            sides = next(trial for trial in trials.every_trial(None, None, None, 0) if trial.name == row.trial).sides
            self.assertIn(row.ours, sides, row.title)
            self.assertIn(row.peer, sides, row.title)

    def measured(self, ours=3000):
        entry = {
            "limits": {"gigaflops": 1000, "gigabytes": 50}, "Apus": {"decode": ours, "peak": 1 << 20},
            "llama.cpp": {"decode": 1000, "peak": 2 << 20},
        }
        versions = {"llama.cpp": "1 (built by GNU 12)", "PyTorch": "2", "transformers": "5"}
        machine = {
            "processor": "P", "cores": 2, "threads": 2, "memory": 24 << 30, "system": "Linux", "date": "2026-01-01",
            "revision": "abc", "swift": "Swift 6", "load": 0.0,
        }
        taken = {key: machine[key] for key in ("revision", "date", "processor", "threads")}
        taken |= {"rounds": 2, "versions": versions, "settings": {"llama.cpp": ["-fa", "off"]}}
        return {
            "machine": machine, "versions": versions, "rounds": 2, "results": {"generate-s-64": [entry, entry]},
            "taken": {"generate-s-64": taken}, "profiles": {}, "minutes": 42.4,
        }

    def test_page(self):
        measured = self.measured()
        text = page.write(measured)
        self.assertIn("| **3.00** (3.00 to 3.00) | 2.7 (3.2) | reached | 81 % |", text)
        self.assertIn("| generation, 64 × (64 + 64), S | 1 | llama.cpp | 2 | **0.50** |", text)
        self.assertIn("| `generate-s-64` | llama.cpp | -fa off |", text)
        self.assertIn("llama.cpp 1 (built by GNU 12), PyTorch 2", text)
        self.assertIn("took 42 minutes", text)
        for absent in ("Matrix products", "measured apart", "not reached", "Where the time goes", "failed in"):
            self.assertNotIn(absent, text)
        self.assertNotIn("| |", page.tables({"matmul-s": measured["results"]["generate-s-64"]}))

    def test_rows_of_another_day_and_failures_are_named(self):
        measured = self.measured()
        measured["taken"]["generate-s-64"] |= {"revision": "def", "versions": {"llama.cpp": "2"}}
        measured["results"]["generate-s-64"].append({"limits": {"failure": "gone"}, "llama.cpp": {"failure": "died"}})
        measured["results"]["train-s"] = [{"limits": {}}]
        measured["swarm"] = {"demos": [], "proofs": [], "failures": ["demo, seed 3: late"]}
        text = page.write(measured)
        self.assertIn("`generate-s-64` was measured apart: revision def, llama.cpp 2.", text)
        self.assertIn("`train-s` was measured apart: nothing is known", text)
        self.assertIn("`generate-s-64`: llama.cpp failed in 1 of 3 rounds: died", text)
        self.assertIn("- demo, seed 3: late", text)

    def test_missed_goals_are_explained_with_what_was_measured(self):
        measured = self.measured(ours=2000)
        self.assertIn(
            "- **generate, 64 sequences, 64 prompt + 64 new, S**: 2.00 × llama.cpp of 2.7, 74 % of the goal, at 54 % of the "
            "measured limit; the goal would be 73 % of it.", page.write(measured))
        self.assertNotIn("Products take", page.write(measured))
        kinds = [(60, "matrix products"), (20, "other kernels"), (5, "Swift"), (9, "handing out work and waiting for it")]
        measured["profiles"] = {"Generation, 64 × (64 + 64), S": {"kinds": kinds, "functions": [(60, "matmul_rows")]}}
        limits = {"gigaflops": 1000, "gigabytes": 9}
        measured["results"]["matmul-s"] = [{"limits": limits, "Apus": {"64": 900}, "oneDNN": {"64": 500}}]
        text = page.write(measured)
        self.assertIn("Products take 60 % of the time in the profile of S and alone reach 90 % of the limit", text)
        self.assertIn("take 25 %, threads wait for each other 9 %", text)
        self.assertIn("| 60.0 % | `matmul_rows` |", text)

    def test_every_goal_has_a_lever(self):
        for row in [*table.work_rows(), *table.matmul_rows()]:
            if row.goal:
                self.assertIn(row.trial, missed.levers.LEVERS, row.title)


if __name__ == "__main__":
    unittest.main()
