"""The search without Optuna: what is proposed, what is pruned, how a trial is run, what the tables say.

    python3 -B Tests/search/search_test.py
"""

import argparse
import contextlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import unittest
import unittest.mock

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/search")
sys.path.insert(0, SOURCES)

import report
import search
import trials
from space import ATTENTIONS, FAMILIES, LARGEST, Place, start, suggest


class Chosen:
    """Stands for Optuna's trial: takes what was chosen, or the end of the range."""

    def __init__(self, largest=False, **chosen):
        self.largest, self.ranges = largest, {}
        self.chosen = {name.replace("__", "."): value for name, value in chosen.items()}

    def suggest_int(self, name, low, high, step=1, log=False):
        self.ranges[name] = (low, high)
        value = self.chosen.get(name, high if self.largest else low)
        assert low <= value <= high and (value - low) % step == 0, (name, value, low, high, step)
        return value

    def suggest_float(self, name, low, high, step=None, log=False):
        return self.chosen.get(name, high if self.largest else low)

    def suggest_categorical(self, name, choices):
        return self.chosen.get(name, choices[0])


class Trial:
    """Stands for Optuna's trial: has a number and remembers."""

    def __init__(self):
        self.number, self.user_attrs = 3, {}

    def set_user_attr(self, name, value):
        self.user_attrs[name] = value


CROSS = Place("cross", 4, width=128, heads=8)


class EndTests(unittest.TestCase):
    def test_a_study_of_which_no_trial_has_finished_has_failed(self):
        study = search.Search.__new__(search.Search)  # without Optuna
        study.arguments = argparse.Namespace(trials=2, study="study.sqlite")
        study.signal, study.finished, study.completed, study.place = 0, lambda: [1, 2], lambda: [], CROSS
        with self.assertRaises(search.Failure) as caught:
            study.run()
        self.assertEqual(caught.exception.code, search.BAD_DATA)
        self.assertIn("delete-study --study-name cross.4", caught.exception.hint)  # others may lie in the same file
        study.completed = lambda: [1]
        study.run()

    def test_what_was_killed_is_tried_again(self):
        self.assertLessEqual({71, 137}, set(search.NOT_THE_TRIALS_FAULT))
        study, trial = search.Search.__new__(search.Search), Trial()
        for code in (137, 71):  # by whoever is short of memory
            trial.user_attrs.clear()
            with self.assertRaises(search.Failure) as caught:
                study.excuse(trial, "mix-k16.cross.4", code)
            self.assertEqual(caught.exception.code, code)
            self.assertIn("once more", caught.exception.hint)
            study.excuse(trial, "mix-k16.cross.4", code)  # and then it has failed
        for _ in range(3):
            with self.assertRaises(search.Failure):
                study.excuse(trial, "mix-k16.cross.4", 74)


class LockTests(unittest.TestCase):
    def test_the_lock_says_what_is_read(self):
        """The words that pipeline.mk looks for before it deletes a capture."""
        with tempfile.TemporaryDirectory() as folder:
            study = search.Search.__new__(search.Search)
            study.arguments = argparse.Namespace(study=folder + "/study.sqlite", capture="runs/x/capture/heads.cross")
            study.lock()
            with open(folder + "/study.sqlite.lock") as file:
                self.assertEqual(file.read(), "runs/x/capture/heads.cross\n")
            study.lock_file.close()


class AttemptTests(unittest.TestCase):
    """What becomes of a trial, without Optuna and without distill."""

    def attempt(self, end, explained=(0.5,), trial=None):
        def read(curve, *_):
            curve.explained.extend(explained)
            curve.parameters = 1000 if explained else None

        study, trial, told = search.Search.__new__(search.Search), trial or Trial(), []
        states = argparse.Namespace(FAIL="fail", PRUNED="pruned", COMPLETE="complete")
        study.optuna = argparse.Namespace(trial=argparse.Namespace(TrialState=states))
        study.study = argparse.Namespace(tell=lambda _, values, state: told.append((values, state)))
        study.arguments = argparse.Namespace(
            distill="distill", capture="c", families=["mix"], runs=self.folder + "/run", registry="r", seed=1, threads=1)
        study.registry = argparse.Namespace(last_run=lambda: 0, seconds=lambda *_: 1.0, read=read)
        study.place, study.signal, study.finished = CROSS, 0, lambda: []
        point = argparse.Namespace(spec="mix-k16.cross.4", flags={"epochs": 2}, arguments=lambda: [])

        def run(command, received, is_hopeless, watch):
            watch()
            return end

        with unittest.mock.patch.object(search, "suggest", lambda *_: point), \
                unittest.mock.patch.object(trials, "run", run), contextlib.redirect_stderr(io.StringIO()):
            study.attempt(trial)
        return told

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = self.scratch.name
        os.mkdir(self.folder + "/run.3")

    def tearDown(self):
        self.scratch.cleanup()

    def test_one_that_ends_well_is_complete(self):
        self.assertEqual(self.attempt((0, False), (0.5, 0.75)), [([0.75, 3.0], "complete")])
        self.assertTrue(os.path.isdir(self.folder + "/run.3"))

    def test_a_hopeless_one_is_pruned_and_its_folder_goes(self):
        self.assertEqual(self.attempt((143, True)), [(None, "pruned")])
        self.assertFalse(os.path.isdir(self.folder + "/run.3"))

    def test_one_that_diverges_has_failed(self):
        self.assertEqual(self.attempt((65, False)), [(None, "fail")])

    def test_one_that_is_short_of_memory_has_failed_the_second_time(self):
        trial = Trial()
        with self.assertRaises(search.Failure) as caught:
            self.attempt((137, False), (), trial)
        self.assertEqual(caught.exception.code, 137)
        self.assertEqual(self.attempt((137, False), (), trial), [(None, "fail")])

    def test_one_without_figures_is_tried_again(self):
        with self.assertRaises(search.Failure) as caught:
            self.attempt((0, False), ())
        self.assertEqual(caught.exception.code, search.BAD_DATA)


class SpaceTests(unittest.TestCase):
    def test_specs_are_written_as_distill_reads_them(self):
        def spec(**chosen):
            return suggest(Chosen(**chosen), CROSS, FAMILIES).spec

        self.assertEqual(spec(family="mix", mix__k=32, mix__r=64, mix__v=128), "mix-k32r64.cross.4")
        self.assertEqual(spec(family="mix", mix__k=15, mix__r=0, mix__v=32), "mix-k15v32.cross.4")
        self.assertEqual(spec(family="slots", slots__k=48, slots__d=12, slots__v=128), "slots-k48d12.cross.4")
        self.assertEqual(spec(family="slots", slots__k=9, slots__d=3, slots__v=8), "slots-k9d3v8.cross.4")
        self.assertEqual(spec(family="alr", alr__h=50), "alr-h50.cross.4")

    def test_only_alr_has_dropout(self):
        for family in FAMILIES:
            words = suggest(Chosen(largest=True, family=family), CROSS, FAMILIES).arguments()
            self.assertEqual("--dropout" in words, family == "alr")
            self.assertEqual(words[2:8], ["--epochs", "12", "--peak", "0.03", "--weight-decay", "0.1"])

    def test_numbers_are_rounded_once(self):
        point = suggest(Chosen(peak=0.00123456, weight_decay=0.000098765), CROSS, FAMILIES)
        self.assertEqual(point.flags["peak"], 0.00123)
        self.assertIn("9.88e-05", point.arguments())

    def test_starts_are_in_the_space(self):
        for attention in ATTENTIONS:
            for width, heads in ((128, 8), (32, 4), (12, 2)):
                place = Place(attention, 0, width, heads)
                for family in FAMILIES:
                    trial = Chosen(**start(family, place))
                    suggest(trial, place, FAMILIES)
                    for name in start(family, place):
                        self.assertTrue(name == "family" or name in trial.ranges, name)

    def test_every_family_has_a_largest_size_everywhere(self):
        for attention in ATTENTIONS:
            self.assertEqual(set(LARGEST[attention]), set(FAMILIES))


def curve(explained, parameters=100, epochs=4):
    return trials.Curve(epochs=epochs, parameters=parameters, explained=explained)


class MedianRuleTests(unittest.TestCase):
    # after the second epoch 0.4, 0.5, 0.6 and 0.7
    finished = [curve([0.2 + i / 10, 0.4 + i / 10, 0.5 + i / 10, 0.6 + i / 10]) for i in range(4)]

    def test_below_the_median_is_behind(self):
        self.assertTrue(trials.is_behind(curve([0.1, 0.54]), self.finished))
        self.assertFalse(trials.is_behind(curve([0.1, 0.56]), self.finished))

    def test_the_best_so_far_counts(self):
        self.assertFalse(trials.is_behind(curve([0.56, 0.1]), self.finished))

    def test_a_small_network_is_not_compared_with_larger_ones(self):
        self.assertFalse(trials.is_behind(curve([0.1, 0.1], parameters=99), self.finished))

    def test_compared_at_the_same_share_of_the_epochs(self):
        # after 4 of 8 epochs, the others have done 2 of 4
        self.assertTrue(trials.is_behind(curve([0, 0, 0, 0.54], epochs=8), self.finished))
        self.assertFalse(trials.is_behind(curve([0, 0, 0, 0.56], epochs=8), self.finished))
        # after 1 of 8 epochs it is too early
        self.assertFalse(trials.is_behind(curve([0], epochs=8), self.finished))

    def test_needs_others_and_knowledge(self):
        self.assertFalse(trials.is_behind(curve([0.1, 0.1]), self.finished[:3]))
        self.assertFalse(trials.is_behind(curve([0.1, 0.1], parameters=None), self.finished))
        self.assertFalse(trials.is_behind(curve([]), self.finished))

    def test_what_is_done_is_not_pruned(self):
        self.assertFalse(trials.is_behind(curve([0, 0, 0, 0]), self.finished))


STAND_IN = """
    import json, signal, sqlite3, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    registry, output, values, code, wait = sys.argv[1:]
    base = sqlite3.connect(registry)
    run = base.execute("INSERT INTO runs (stage, argv) VALUES ('distill', ?)", (json.dumps(sys.argv),)).lastrowid
    base.execute("INSERT INTO metrics VALUES (?, 'layer.4.parameters', 0, 100)", (run,))
    for step, value in enumerate(map(float, values.split(","))):
        base.execute("INSERT INTO metrics VALUES (?, 'layer.4.valid.explained', ?, ?)", (run, step * 10, value))
        base.execute("INSERT INTO metrics VALUES (?, 'layer.4.valid.explained.3', ?, 0.99)", (run, step * 10))
        base.commit()
        time.sleep(0.2)
    time.sleep(float(wait))
    base.execute("UPDATE runs SET wall_seconds = 2.5 WHERE id = ?", (run,))
    base.commit()
    sys.exit(int(code))
"""


class RunTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path, self.program = os.path.join(folder.name, "registry.sqlite"), os.path.join(folder.name, "distill.py")
        with open(self.program, "w") as file:
            file.write(textwrap.dedent(STAND_IN))
        base = sqlite3.connect(self.path)
        base.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, stage TEXT, argv TEXT, wall_seconds REAL);"
            "CREATE TABLE metrics (run INTEGER, key TEXT, step INTEGER, value REAL, PRIMARY KEY (run, key, step))")
        base.close()
        self.registry, self.curve = trials.Registry(self.path), trials.Curve(epochs=4)

    def run_it(self, values="0.5,0.6", code=0, wait=0.0, output="runs/1", since=0, is_hopeless=bool, received=int):
        command = [sys.executable, self.program, self.path, output, values, str(code), str(wait)]
        return trials.run(
            command, watch=lambda: self.registry.read(self.curve, output, 4, since), is_hopeless=is_hopeless,
            received=received, poll=0.05)

    def test_reads_what_the_run_wrote(self):
        self.assertEqual(self.run_it(), (0, False))
        self.assertEqual((self.curve.explained, self.curve.parameters, self.curve.best), ([0.5, 0.6], 100, 0.6))

    def test_stops_a_hopeless_run(self):
        result = self.run_it("0.5,0.1,0.1,0.1", wait=60, is_hopeless=lambda: len(self.curve.explained) >= 2)
        self.assertEqual(result, (143, True))

    def test_one_that_ends_by_itself_is_not_pruned(self):
        self.assertEqual(self.run_it(code=65), (65, False))

    def test_a_signal_goes_on_to_the_run(self):
        with self.assertRaises(trials.Stop) as stop:
            self.run_it(wait=60, received=lambda: signal.SIGINT if self.curve.explained else 0)
        self.assertEqual(stop.exception.number, signal.SIGINT)

    def test_goes_on_over_runs_into_one_folder(self):
        self.run_it("0.1", output="runs/1")  # of a study before
        since = self.registry.last_run()
        self.run_it("0.9", output="runs/2", since=since)
        self.run_it("0.5", output="runs/1", since=since)
        self.run_it("0.5,0.6", output="runs/1", since=since)
        self.assertEqual(self.curve.explained, [0.5, 0.6])
        self.assertEqual(self.registry.seconds("runs/1", since), 5)

    def test_a_registry_that_is_locked_is_asked_again(self):
        base, self.registry.SECONDS = sqlite3.connect(self.path, isolation_level=None), 0
        base.execute("PRAGMA journal_mode = DELETE")
        base.execute("BEGIN EXCLUSIVE")
        with self.assertRaises(trials.Busy):
            self.registry.last_run()
        looks = []

        def watch():
            looks.append(1)
            if len(looks) == 2:
                base.execute("COMMIT")
            self.registry.last_run()

        with tempfile.TemporaryFile("w+") as said:
            command = [sys.executable, "-c", "import time; time.sleep(0.5)"]
            self.assertEqual(trials.run_watched(command, said, watch, bool, int, 0.05), (0, False))
        self.assertGreater(len(looks), 2)
        base.close()

    def test_a_registry_that_is_none(self):
        with open(self.path + ".text", "w") as file:
            file.write("no database\n" * 500)
        with self.assertRaises(trials.Unreadable):
            trials.Registry(self.path + ".text").last_run()

    def test_a_program_that_cannot_be_started(self):
        for command in [self.path + ".none"], [os.path.dirname(self.path)], [self.path + "/none"]:
            with self.assertRaises(trials.NoProgram):
                trials.run(command, watch=bool, is_hopeless=bool, received=int)

    def test_a_registry_that_is_not_there_yet(self):
        registry = trials.Registry(self.path + ".none")
        self.assertEqual(registry.last_run(), 0)
        registry.read(self.curve, "x", 4, 0)
        self.assertEqual(self.curve.explained, [])


def found(number, explained, parameters, **more):
    settings = {"family": "mix", "epochs": 5, "peak": 0.01, "weight_decay": 0.001}
    return {
        "trial": number, "state": "complete", "spec": f"mix-k{number}.cross.4", "explained": explained,
        "parameters": parameters, "seconds": 30, "settings": settings, **more}


class ReportTests(unittest.TestCase):
    def test_the_front(self):
        figures = [(0.5, 100), (0.4, 100), (0.5, 200), (0.9, 300), (0.3, 50), (0.2, 60)]
        everything = [found(i + 1, *pair) for i, pair in enumerate(figures)]
        self.assertEqual([trial["trial"] for trial in report.front(everything)], [5, 1, 4])
        self.assertEqual(report.front([]), [])

    def test_the_page(self):
        everything = [found(1, 0.5, 12345), found(2, 0.4, 100), found(3, None, 5, state="pruned")]
        shares = {"explained": {"peak": 0.25, "family": 0.75}, "parameters": {}}
        page = report.markdown({
            "study": "cross.4", "front": report.front(everything[:2]), "trials": everything,
            "importance": {"all": shares, "mix": {"explained": {}, "parameters": {}}}})
        self.assertIn("3 trials in 0.03 hours: 2 finished, 1 pruned.", page)
        self.assertIn("| mix-k1.cross.4 |     12,345 |    0.5000 |", page)
        self.assertLess(page.index("family "), page.index("peak   "))
        self.assertNotIn("of mix", page)
        for line in page.splitlines():
            self.assertEqual(line, line.rstrip())


class UsageTests(unittest.TestCase):
    """Wrong settings are one line and an exit code, before Optuna is looked for."""

    def search(self, **changed):
        values = {
            "distill": "distill", "capture": "nowhere", "attention": "cross", "layer": 4, "trials": 3, "study": "s",
            "runs": "r", "registry": "x", "output": "o.json", **changed}
        words = [word for name, value in values.items() for word in (f"--{name}", str(value))]
        result = subprocess.run([sys.executable, "-B", SOURCES + "/search.py", *words], capture_output=True, text=True)
        return result.returncode, result.stderr

    def test_wrong_settings(self):
        for changed, words in (
            ({"attention": "sideways"}, "invalid choice: 'sideways'"), ({"layer": "x"}, "invalid int value: 'x'"),
            ({"trials": 0}, "--trials must be at least 1, not 0"), ({"families": "elr"}, "invalid choice: 'elr'")):
            code, lines = self.search(**changed)
            self.assertEqual((code, len(lines.splitlines())), (64, 2), lines)
            self.assertIn(words, lines)

    def test_no_capture(self):
        code, lines = self.search()
        self.assertEqual(code, 66)
        expected = "search: nowhere/manifest.json: expected a folder finished by capture, found none\nhint: "
        self.assertTrue(lines.startswith(expected), lines)

    def test_what_was_not_captured(self):
        configuration = {"width": 32, "heads": 4, "layers": [0, 1], "attentions": ["cross"], "spans": ["heads"]}
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/manifest.json", "w") as file:
                json.dump({"configuration": configuration, "files": {}}, file)
            self.assertEqual(self.search(capture=folder), (64, "search: layer 4: the capture holds layers 0 1\n"))
            line = "search: attention encoder: the capture holds heads.cross\n"
            self.assertEqual(self.search(capture=folder, attention="encoder"), (64, line))
            with open(folder + "/manifest.json", "w") as file:
                file.write("{")
            self.assertEqual(self.search(capture=folder)[0], 65)


if __name__ == "__main__":
    unittest.main()
