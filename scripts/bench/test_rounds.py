"""Trials by turns, the settings of the peers, and what is kept."""

import pathlib
import tempfile
import unittest

import kept
import llama
import process
import rounds
import trials
import tuning


class Rounds(unittest.TestCase):
    def setUp(self):
        self.calls = []
        said, rounds.Progress.say = rounds.Progress.say, staticmethod(lambda text: None)
        self.addCleanup(setattr, rounds.Progress, "say", said)

    def side(self, name, failing=False):
        def work():
            self.calls.append(name)
            if failing:
                raise process.Failed("no")
            return {"x": 1}

        return work

    def run_trials(self, *which, count=2, limits=None):
        found = {}
        rounds.run(
            which, count, limits or (lambda: {"gigaflops": 1}),
            lambda trial, entries, settings: found.__setitem__(trial.name, (entries, settings, len(self.calls))))
        return found

    def test_sides_take_turns_in_both_orders_and_a_failure_stops_nobody(self):
        trial = trials.Trial("t", {"a": self.side("a"), "b": self.side("b", failing=True)}, cost=1)
        entries, _, _ = self.run_trials(trial, count=3)["t"]
        self.assertEqual(self.calls, ["a", "b", "b", "a", "a", "b"])
        self.assertEqual(entries[1], {"limits": {"gigaflops": 1}, "a": {"x": 1}, "b": {"failure": "no"}})

    def test_limits_that_fail_stop_nobody(self):
        entries, _, _ = self.run_trials(
            trials.Trial("t", {"a": self.side("a")}, cost=1), limits=self.side("limits", failing=True))["t"]
        self.assertEqual(entries[0], {"limits": {"failure": "no"}, "a": {"x": 1}})

    def test_a_trial_is_kept_as_soon_as_it_is_done(self):
        found = self.run_trials(
            trials.Trial("one", {"a": self.side("a")}, cost=1), trials.Trial("two", {"a": self.side("a")}, cost=1))
        self.assertEqual((found["one"][2], found["two"][2]), (2, 4))

    def test_small_differences_get_more_rounds_and_information_one(self):
        self.run_trials(trials.Trial("t", {"a": self.side("a")}, cost=1, times=3))
        self.run_trials(trials.Trial("u", {"b": self.side("b")}, cost=1, rounds=1))
        self.assertEqual(self.calls, ["a"] * 6 + ["b"])

    def test_a_peer_without_settings_takes_part(self):
        def fail():
            raise process.Failed("nothing works")

        trial = trials.Trial("t", {"a": self.side("a")}, cost=1, tuned={"a": fail, "b": lambda: ["-x"]})
        entries, settings, _ = self.run_trials(trial)["t"]
        self.assertEqual((settings, len(entries)), ({"b": ["-x"]}, 2))


class Settings(unittest.TestCase):
    candidates = [["-a"], ["-b"], ["-c"], ["-d"]]

    def choose(self, kept, rates, basis="1", quiet=True):
        self.tried = []

        def measure(settings):
            self.tried.append(settings[0])
            rate = rates[settings[0]].pop(0)
            if rate is None:
                raise process.Failed("no")
            return rate

        return tuning.Tuning(kept, "P", quiet, lambda text: None).choose("work", basis, self.candidates, measure)

    def test_who_is_close_is_tried_twice_and_who_fails_loses(self):
        found = self.choose({}, {"-a": [95, 120], "-b": [100, 100], "-c": [None], "-d": [50]})
        self.assertEqual(found, ["-a"])
        self.assertEqual(self.tried, ["-a", "-b", "-c", "-d", "-b", "-a"])

    def test_a_choice_holds_until_the_peer_changes(self):
        kept_choices = {}
        rates = {"-a": [1], "-b": [9, 9], "-c": [1], "-d": [1]}
        self.choose(kept_choices, rates)
        self.assertEqual(self.choose(kept_choices, {}), ["-b"])
        self.assertEqual(self.tried, [])
        other = {"-a": [9, 9], "-b": [1], "-c": [1], "-d": [1]}
        self.assertEqual(self.choose(kept_choices, other, basis="2"), ["-a"])

    def test_a_choice_beside_others_work_is_made_again_when_it_is_quiet(self):
        kept_choices = {}
        rates = {"-a": [1], "-b": [9, 9], "-c": [1], "-d": [1]}
        self.choose(kept_choices, rates, quiet=False)
        self.assertEqual(self.choose(kept_choices, {}, quiet=False), ["-b"])
        self.choose(kept_choices, {"-a": [9, 9], "-b": [1], "-c": [1], "-d": [1]})
        self.assertEqual(self.choose(kept_choices, {}, quiet=False), ["-a"])

    def test_where_all_fail_it_fails(self):
        with self.assertRaises(process.Failed):
            self.choose({}, {name: [None] for name in ("-a", "-b", "-c", "-d")})

    def test_words(self):
        self.assertEqual(tuning.words(["-fa", "on"]), "-fa on")
        settings = {"optimizer": "fused", "compile": False, "huge pages": True}
        self.assertEqual(tuning.words(settings), "optimizer fused, huge pages")

    def test_the_compiler_that_cmake_names(self):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder)
            self.assertEqual(llama.compiler(build), "an unknown compiler")
            (build / "CMakeFiles/4.0").mkdir(parents=True)
            (build / "CMakeFiles/4.0/CMakeCXXCompiler.cmake").write_text(
                'set(CMAKE_CXX_COMPILER_ID "GNU")\nset(CMAKE_CXX_COMPILER_VERSION "12.2.0")\n')
            self.assertEqual(llama.compiler(build), "GNU 12.2.0")


class Keeping(unittest.TestCase):
    machine = {"revision": "a", "date": "d", "processor": "p", "threads": 2, "load": 0.0}

    def test_a_trial_replaces_itself_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.json"
            first = kept.Kept(path)
            first.measured |= {"machine": self.machine, "versions": {"v": "1"}, "rounds": 5}
            for name in ("one", "two"):
                first.record(name, [{"a": {"x": 1}}], {}, self.machine, {"v": "1"}, 5)
            second = kept.Kept(path)
            self.assertEqual(kept.differences(second.measured), {})
            second.record("two", [{"a": {"x": 2}}], {"a": ["-x"]}, self.machine | {"revision": "b"}, {"v": "1"}, 2)
            third = kept.Kept(path).measured
            self.assertEqual(third["results"], {"one": [{"a": {"x": 1}}], "two": [{"a": {"x": 2}}]})
            self.assertEqual(kept.differences(third), {"two": "revision b, rounds 2"})

    def test_a_file_of_another_format_is_not_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.json"
            path.write_text('{"results": {"one": []}, "profiles": {"x": []}}')
            self.assertEqual(kept.Kept(path).measured["results"], {})


if __name__ == "__main__":
    unittest.main()
