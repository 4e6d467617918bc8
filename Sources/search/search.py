"""Searches for networks that explain an attention with few parameters: Optuna proposes, `distill` tries.

A study has two objectives, explained variance on the validation set (the more the better) and parameters (the fewer the
better, on a logarithmic scale). It lies in an SQLite file and goes on where it was stopped.
"""

import argparse
import errno
import fcntl
import glob
import hashlib
import json
import math
import os
import shlex
import shutil
import signal
import sys
import warnings

import report
import trials
from space import ATTENTIONS, FAMILIES, Place, start, suggest

USAGE, BAD_DATA, MISSING, CANNOT_WRITE, IO_ERROR, LOCKED = 64, 65, 66, 73, 74, 75
# Ends of distill that have to do with where it runs, or who stopped or killed it, not with what is tried: the search
# stops, and this trial goes on next time.
SHORT_OF_MEMORY = (71, 137)
NOT_THE_TRIALS_FAULT = (USAGE, MISSING, *SHORT_OF_MEMORY, CANNOT_WRITE, IO_ERROR, LOCKED, 129, 130, 143)


class Failure(Exception):
    def __init__(self, code, message, hint=None):
        super().__init__(message)
        self.code, self.hint = code, hint


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Failure(USAGE, message, "make -f pipeline.mk help lists the settings of the search")


def read_arguments(words):
    parser = Parser(prog="search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--distill", required=True, help="the program, with what is put before it")
    parser.add_argument("--capture", required=True, help="folder made by capture, of span heads")
    parser.add_argument("--attention", required=True, choices=ATTENTIONS)
    parser.add_argument("--layer", required=True, type=int, help="the one that stands for its attention")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--trials", required=True, type=int, help="of the study, in all")
    parser.add_argument("--study", required=True, help="SQLite file, made or gone on with")
    parser.add_argument("--runs", required=True, help="folders of the trials, of which trial 3 has .3 at its end")
    parser.add_argument("--registry", required=True, help="the history that distill writes to")
    parser.add_argument("--output", required=True, help="results, NAME.json; NAME.md, for people, is written beside it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(words)
    if arguments.trials < 1:
        parser.error(f"--trials must be at least 1, not {arguments.trials}")
    if arguments.threads < 1:
        parser.error(f"--threads must be at least 1, not {arguments.threads}")
    arguments.families = [family for family in FAMILIES if family in arguments.families]
    return arguments


def read_capture(arguments):
    """What was captured, as a place, and a hash of the activations."""
    path = os.path.join(arguments.capture, "manifest.json")
    try:
        with open(path) as file:
            manifest = json.load(file)
        configuration = manifest["configuration"]
        place = Place(arguments.attention, arguments.layer, configuration["width"], configuration["heads"])
        layers, attentions, spans = configuration["layers"], configuration["attentions"], configuration["spans"]
        files = sorted((name, entry["sha256"]) for name, entry in manifest["files"].items())
    except FileNotFoundError:
        found, hint = "found none", "make -f pipeline.mk search makes it"
        raise Failure(MISSING, f"{path}: expected a folder finished by capture, {found}", hint)
    except OSError as error:
        raise Failure(MISSING if error.errno in (errno.EACCES, errno.EPERM) else IO_ERROR, in_words(error, path))
    except (ValueError, KeyError, TypeError):
        found, hint = "found something else", "delete the folder and make it again"
        raise Failure(BAD_DATA, f"{path}: expected the manifest of a capture, {found}", hint)
    if arguments.attention not in attentions or "heads" not in spans:
        held = " ".join(f"{span}.{attention}" for span in spans for attention in attentions)
        raise Failure(USAGE, f"attention {arguments.attention}: the capture holds {held}")
    if arguments.layer not in layers:
        raise Failure(USAGE, f"layer {arguments.layer}: the capture holds layers {' '.join(map(str, layers))}")
    return place, hashlib.sha256(json.dumps(files).encode()).hexdigest()


class Search:
    def __init__(self, arguments, place, capture):
        self.signal = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.note)
        import optuna  # takes a second, which wrong settings need not wait for

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # requirements.txt fixes the version
        self.optuna, self.arguments, self.place = optuna, arguments, place
        self.registry = trials.Registry(arguments.registry)
        os.makedirs(os.path.dirname(arguments.study) or ".", exist_ok=True)
        self.lock()
        self.study = self.open_study()
        if not self.study.user_attrs:
            for path in glob.glob(glob.escape(arguments.runs) + ".*"):  # of a study that was deleted
                shutil.rmtree(path)
            self.study.set_metric_names(["explained variance", "log10 of parameters"])
            for family in arguments.families:
                self.study.enqueue_trial(start(family, place), skip_if_exists=True)
        self.require_same(capture)

    def open_study(self):
        path = self.arguments.study
        try:
            return self.optuna.create_study(
                study_name=self.place.name, storage=self.storage(), load_if_exists=True,
                directions=["maximize", "minimize"])
        except Exception as error:  # of Optuna, SQLAlchemy or Alembic, whichever finds out
            reason = str(error).splitlines()[0]
            if isinstance(error, RuntimeError) and "optuna" in reason:  # made by another version
                upgrade = f"{self.program()} storage upgrade --storage {shlex.quote(self.storage())}"
                raise Failure(BAD_DATA, f"{path}: {reason}", f"make it of this one: {upgrade}")
            if not any(words in reason for words in ("not a database", "malformed")):
                raise  # it may be whole: locked, read-only, no room
            raise Failure(BAD_DATA, f"{path}: expected a study, found {reason}", f"to begin anew, delete {path}")

    def storage(self):
        return f"sqlite:///{os.path.abspath(self.arguments.study)}"

    @staticmethod
    def program():
        return os.path.join(os.path.dirname(sys.executable), "optuna")

    def anew(self):
        """How to begin this study anew; the file has those of other places too."""
        storage = shlex.quote(self.storage())
        return f"to begin anew: {self.program()} delete-study --study-name {self.place.name} --storage {storage}"

    def note(self, number, _):
        self.signal = number

    def lock(self):
        self.lock_file = open(self.arguments.study + ".lock", "a")
        try:
            fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(LOCKED, f"{self.arguments.study}: another search is at work on it")
        except OSError as error:
            raise Failure(CANNOT_WRITE, in_words(error, self.lock_file.name), "the study needs a file system with locks")
        self.lock_file.truncate(0)
        print(self.arguments.capture, file=self.lock_file, flush=True)  # which nobody may delete meanwhile

    def require_same(self, capture):
        """Trials can be compared if they learnt from the same activations, and models of them need the same ranges."""
        arguments = self.arguments
        wanted = {
            "capture": capture, "families": arguments.families, "seed": arguments.seed, "space": self.place.identity()}
        for key, value in wanted.items():
            found = self.study.user_attrs.get(key)
            if found is None:
                self.study.set_user_attr(key, value)
            elif found != value:
                raise Failure(
                    BAD_DATA, f"{arguments.study}: study {self.place.name} was begun with other settings ({key})",
                    self.anew())

    def finished(self):
        return [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]

    def run(self):
        while len(self.finished()) < self.arguments.trials:
            if self.signal:
                raise trials.Stop(self.signal)
            self.attempt(self.next())
        if not self.completed():
            raise Failure(
                BAD_DATA, f"{self.arguments.study}: expected a trial that came to its end, found {len(self.finished())} "
                "that did not", "ask for more; " + self.anew())

    def next(self):
        """The trial that was being tried when the search was stopped, or a new one.

        The sampler's seed is the trial's number, so that a study that was stopped proposes what it would have proposed.
        """
        seed = self.arguments.seed * 1_000_003 + len(self.finished())
        self.study.sampler = self.optuna.samplers.TPESampler(seed=seed)
        running = self.study.get_trials(deepcopy=False, states=[self.optuna.trial.TrialState.RUNNING])
        return self.optuna.trial.Trial(self.study, running[0]._trial_id) if running else self.study.ask()

    def attempt(self, trial):
        point = suggest(trial, self.place, self.arguments.families)
        output = f"{self.arguments.runs}.{trial.number}"
        if trial.user_attrs.get("after_run") is None:
            trial.set_user_attr("spec", point.spec)
            trial.set_user_attr("after_run", self.registry.last_run())
        curve = trials.Curve(epochs=point.flags["epochs"])
        others = [trials.Curve(**other.user_attrs["curve"]) for other in self.completed()]
        command, after_run = self.command(point, output), trial.user_attrs["after_run"]
        try:
            code, is_pruned = trials.run(
                command, received=lambda: self.signal, is_hopeless=lambda: trials.is_behind(curve, others),
                watch=lambda: self.registry.read(curve, output, self.place.layer, after_run))
        except trials.NoProgram as error:
            raise Failure(MISSING, f"{command[0]}: {error}", "make -f pipeline.mk build makes the programs")
        if not is_pruned and code and (code in NOT_THE_TRIALS_FAULT or curve.parameters is None):
            self.excuse(trial, point, code)
        self.tell(trial, point, output, curve, code, is_pruned)
        if is_pruned:
            shutil.rmtree(output)

    def excuse(self, trial, point, code):
        """Stops the search for what may go better the next time. A trial that is short of memory twice is too large."""
        hint = None
        if code in SHORT_OF_MEMORY:
            if trial.user_attrs.get("short_of_memory"):
                return
            trial.set_user_attr("short_of_memory", True)
            hint = "was there memory for it? the same command tries it once more, and goes on without it"
        raise Failure(code, f"trial {trial.number}, {point}: distill ended with code {code}", hint)

    def command(self, point, output):
        arguments = self.arguments
        return shlex.split(arguments.distill) + [
            "--capture", arguments.capture, *point.arguments(), "--seed", str(arguments.seed), "--output", output,
            "--registry", arguments.registry, "--threads", str(arguments.threads), "--quiet"]

    def completed(self):
        return [trial for trial in self.finished() if trial.state == self.optuna.trial.TrialState.COMPLETE]

    def tell(self, trial, point, output, curve, code, is_pruned):
        states = self.optuna.trial.TrialState
        trial.set_user_attr("curve", vars(curve))
        trial.set_user_attr("seconds", self.registry.seconds(output, trial.user_attrs["after_run"]))
        progress = f"after {len(curve.explained)} of {curve.epochs} epochs"
        values, state, words = None, states.FAIL, f"failed with code {code} {progress}"
        if is_pruned:
            state, words = states.PRUNED, f"explained {curve.best:.4f}, pruned {progress}"
        elif code == 0 and curve.explained and curve.parameters:
            values, state = [curve.best, math.log10(curve.parameters)], states.COMPLETE
            words = f"explained {curve.best:.4f}, {curve.parameters:,} parameters"
        elif code == 0:
            shutil.rmtree(output)
            trial.set_user_attr("after_run", None)
            raise Failure(
                BAD_DATA, f"{self.arguments.registry}: expected what trial {trial.number} wrote, found nothing",
                "the same command tries it again")
        self.study.tell(trial, values, state=state)
        print(f"search: trial {trial.number}, {point}: {words}", file=sys.stderr, flush=True)

    # ---- Results

    def importances(self):
        """How much of a figure's variance over the trials is due to each parameter (fANOVA, Hutter et al. 2014): of all
        trials those that every family has, and of each family's trials its own."""
        groups = {"all": ["family", "epochs", "peak", "weight_decay"]}
        for trial in self.completed():
            groups.setdefault(trial.params["family"], sorted(set(trial.params) - {"family"}))
        return {
            group: {"explained": self.importance(names, 0), "parameters": self.importance(names, 1)}
            for group, names in groups.items() if names}

    def importance(self, names, objective):
        optuna = self.optuna
        of_names = [trial for trial in self.completed() if set(names) <= set(trial.params)]
        if len(of_names) < 4 or len({trial.values[objective] for trial in of_names}) < 2:
            return {}
        return optuna.importance.get_param_importances(
            self.study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=1), params=names,
            target=lambda trial: trial.values[objective])

    def results(self):
        def described(trial):
            curve = trial.user_attrs.get("curve", {"epochs": None, "parameters": None, "explained": []})
            return {
                "trial": trial.number, "state": trial.state.name.lower(), "spec": trial.user_attrs.get("spec"),
                "explained": max(curve["explained"], default=None), "parameters": curve["parameters"],
                "epochs_done": len(curve["explained"]), "seconds": trial.user_attrs.get("seconds"),
                "settings": trial.params}

        everything = [described(trial) for trial in self.finished()]
        front = report.front([trial for trial in everything if trial["state"] == "complete"])
        return {
            "study": self.place.name, "attention": self.place.attention, "layer": self.place.layer, "front": front,
            "importance": self.importances(), "trials": everything}


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        with open(path + ".new", "w") as file:
            file.write(text)
        os.replace(path + ".new", path)
    except OSError as error:  # of a write it does not say to which file
        raise OSError(error.errno, error.strerror, path)


def in_words(error, path=None):
    path, reason = error.filename or path, error.strerror.lower()
    return f"{path}: {reason}" if path else reason


def main(arguments):
    arguments = read_arguments(arguments)
    place, capture = read_capture(arguments)
    search = Search(arguments, place, capture)
    search.run()
    results = search.results()
    write(os.path.splitext(arguments.output)[0] + ".md", report.markdown(results))
    write(arguments.output, json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failure as failure:
        print(f"search: {failure}", file=sys.stderr)
        if failure.hint:
            print(f"hint: {failure.hint}", file=sys.stderr)
        sys.exit(failure.code)
    except OSError as error:
        print(f"search: {in_words(error)}", file=sys.stderr)
        sys.exit(IO_ERROR if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) else CANNOT_WRITE)
    except trials.Stop as stop:
        print("search: stopped; the same command goes on", file=sys.stderr)
        sys.exit(128 + stop.number)
    except (trials.Busy, trials.Unreadable) as error:
        print(f"search: {error}", file=sys.stderr)
        sys.exit(LOCKED if isinstance(error, trials.Busy) else BAD_DATA)
    except Exception as error:  # of Optuna's storage, which has exceptions of several libraries
        if not type(error).__module__.startswith(("optuna", "sqlalchemy", "sqlite3")):
            raise
        print(f"search: the study cannot be read or written: {' '.join(str(error).split()[:30])}", file=sys.stderr)
        print("hint: the same command goes on, once there is room and nobody else writes to it", file=sys.stderr)
        sys.exit(IO_ERROR)
