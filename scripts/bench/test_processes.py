"""Programs that a benchmark runs, and how they die."""

import os
import sys
import unittest

import neighbour
import process
import server

# Doubles numbers; some other jobs end it, or keep it forever.
ECHO = """
import json, sys, time
for line in sys.stdin:
    job = json.loads(line)
    if job == "die": sys.exit("out of memory")
    if job == "sleep": time.sleep(60)
    print("nonsense" if job == "talk" else json.dumps(2 * job), flush=True)
"""


class Processes(unittest.TestCase):
    def test_output_and_memory(self):
        output, peak = process.run([sys.executable, "-c", "import sys; x = b'a' * 50_000_000; print(len(x))"])
        self.assertEqual(output, "50000000\n")
        self.assertGreater(peak, 50_000_000)

    def test_failures_say_what_failed(self):
        with self.assertRaisesRegex(process.Failed, "exit 3: sad"):
            process.run([sys.executable, "-c", "import sys; print('sad', file=sys.stderr); sys.exit(3)"])
        with self.assertRaisesRegex(process.Failed, "/nonexistent"):
            process.run(["/nonexistent/program"])
        with self.assertRaisesRegex(process.Failed, "too long"):
            process.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0)


class Servers(unittest.TestCase):
    def setUp(self):
        self.server = server.Server([sys.executable, "-c", ECHO])
        self.addCleanup(self.server.close)

    def test_one_that_died_starts_again(self):
        self.assertEqual(self.server.ask(2), 4)
        with self.assertRaisesRegex(process.Failed, "exit 1: out of memory"):
            self.server.ask("die")
        self.assertEqual(self.server.ask(3), 6)

    def test_one_that_died_between_questions_fails_and_starts_again(self):
        self.server.ask(1)
        self.server.process.kill()
        self.server.process.wait()
        with self.assertRaisesRegex(process.Failed, "exit -9"):
            self.server.ask(1)
        self.assertEqual(self.server.ask(1), 2)

    def test_one_that_takes_too_long_or_talks_nonsense_is_ended(self):
        for job, timeout in [("sleep", 0.2), ("talk", 60)]:
            with self.assertRaises(process.Failed):
                self.server.ask(job, timeout)
            self.assertIsNone(self.server.process)
        self.assertEqual(self.server.ask(1), 2)

    def test_a_program_that_is_not_there_fails(self):
        with self.assertRaises(process.Failed):
            server.Server(["/nonexistent/program"]).ask(1)


class Neighbours(unittest.TestCase):
    core = min(os.sched_getaffinity(0))

    def test_a_neighbour_is_there_for_a_block(self):
        with neighbour.BusyNeighbour(self.core) as there:
            self.assertEqual(os.sched_getaffinity(there.pid), {self.core})
        self.assertIsNotNone(there.returncode)

    def test_one_that_cannot_start_fails(self):
        with self.assertRaisesRegex(process.Failed, "exit 1"):
            with neighbour.BusyNeighbour(1 << 20):
                self.fail("nobody was there")

    def test_one_that_ended_early_spoils_what_was_measured(self):
        with self.assertRaisesRegex(process.Failed, "ended early: exit -9"):
            with neighbour.BusyNeighbour(self.core) as there:
                there.kill()
                os.waitid(os.P_PID, there.pid, os.WEXITED | os.WNOWAIT)

    def test_the_failure_of_the_work_is_not_hidden(self):
        with self.assertRaisesRegex(process.Failed, "work"):
            with neighbour.BusyNeighbour(self.core) as there:
                there.kill()
                raise process.Failed("work")


if __name__ == "__main__":
    unittest.main()
