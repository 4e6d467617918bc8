"""One trial: a run of `distill`, watched through what it writes to the registry, and stopped where it is behind."""

import contextlib
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

# A trial is compared when it has done this share of its epochs, and with so many others at least.
FIRST_SHARE = 0.25
FEWEST_OTHERS = 4


@dataclass
class Curve:
    """Explained variance after every epoch, of a network of so many parameters that is to have so many epochs."""

    epochs: int
    parameters: int | None = None
    explained: list = field(default_factory=list)

    @property
    def best(self):
        return max(self.explained, default=None)

    def best_at(self, share):
        """The best of the first epochs up to this share of all, nil before the first."""
        return max(self.explained[: int(share * self.epochs + 1e-9)], default=None)


def is_behind(curve, finished):
    """The median rule: whether a trial's best so far is below the median of others at the same share of their epochs.

    At the same epoch a short schedule would be ahead, since its rate has come down already. Only networks with no more
    parameters count: a small one is not expected to explain what a large one does.
    """
    share = len(curve.explained) / curve.epochs
    if curve.parameters is None or share < FIRST_SHARE or share >= 1:
        return False
    others = [other.best_at(share) for other in finished if other.parameters <= curve.parameters]
    others = [value for value in others if value is not None]
    return len(others) >= FEWEST_OTHERS and curve.best < statistics.median(others)


class Unreadable(Exception):
    """The registry is none."""


class Busy(Exception):
    """The registry does not answer now, but may later."""


class Registry:
    SECONDS = 20  # that it waits for another program

    def __init__(self, path):
        self.path = path

    def rows(self, sql, *values):
        if not os.path.exists(self.path):
            return []
        try:
            connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=self.SECONDS)
            with contextlib.closing(connection):
                return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Busy(f"{self.path}: the registry is locked by another program")
            raise Unreadable(f"{self.path}: expected a registry of runs, found {error}")

    # Those after a given one into a given folder.
    RUNS = "runs WHERE id > ? AND stage = 'distill' AND EXISTS (SELECT 1 FROM json_each(argv) WHERE value = ?)"

    def seconds(self, output, since):
        found = self.rows("SELECT total(wall_seconds) FROM " + self.RUNS, since, output)
        return round(found[0][0], 1) if found else 0.0

    def last_run(self):
        return next((run for (run,) in self.rows("SELECT max(id) FROM runs")), None) or 0

    def read(self, curve, output, layer, since):
        """Fills the curve from the runs into this folder, a later one going on where the one before stopped."""
        values = self.rows(
            "SELECT key, max(value) FROM metrics WHERE run IN (SELECT id FROM " + self.RUNS + ") AND key IN (?, ?)"
            " GROUP BY key, step ORDER BY step",
            since, output, f"layer.{layer}.parameters", f"layer.{layer}.valid.explained")
        curve.explained = [value for key, value in values if key.endswith("explained") and value is not None]
        parameters = [int(value) for key, value in values if key.endswith("parameters")]
        curve.parameters = parameters[0] if parameters else None


class NoProgram(Exception):
    """The command cannot be started."""


class Stop(Exception):
    """A signal to this program."""

    def __init__(self, number):
        super().__init__(f"stopped by signal {number}")
        self.number = number


def run(command, watch, is_hopeless, received, poll=0.5):
    """Runs a command until it ends, or is stopped since it is hopeless: its exit code, and whether it was stopped.

    `watch` is called now and then and at the end, and `received` says which signal has come for us: then the command
    gets it too, ends at its checkpoint, and Stop is thrown. What it says is passed on, unless it was stopped.
    """
    with tempfile.TemporaryFile("w+") as said:
        code, stopped = run_watched(command, said, watch, is_hopeless, received, poll)
        if received():
            raise Stop(received())
        if not stopped:
            said.seek(0)
            sys.stderr.write(said.read())
    return code, stopped and code == 128 + signal.SIGTERM


def run_watched(command, said, watch, is_hopeless, received, poll):
    # a session of its own, so that Ctrl-C reaches it once
    try:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True)
    except OSError as error:
        raise NoProgram(error.strerror.lower())
    stopped = False
    try:
        while True:
            try:
                code = child.wait(timeout=poll)
                break
            except subprocess.TimeoutExpired:
                pass
            with contextlib.suppress(Busy):  # it is asked again
                watch()
            if not stopped and (received() or is_hopeless()):
                stopped = True
                child.send_signal(received() or signal.SIGTERM)
        watch()
    except BaseException:  # nobody would be left to stop it
        child.send_signal(signal.SIGTERM)
        child.wait()
        raise
    return 128 - code if code < 0 else code, stopped
