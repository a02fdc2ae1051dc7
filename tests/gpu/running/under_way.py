"""A visit under way: where its results go, how much time is left, what may still be started."""

import collections
import os
import select
import signal
import time

from . import child, commands
from . import report as reports

RESERVE = 4.0  # seconds before the end in which nothing runs: for ending what does, and for the summary
IN_A_STAGE = "no time left for this stage"


def say(text):
    """Prints a line. Neither a reader that has gone nor one that does not read stops the visit."""
    data = (text + "\n").encode(errors="replace")
    poll = select.poll()
    try:
        poll.register(1, select.POLLOUT)
        while data:
            if not poll.poll(1000):
                return
            data = data[os.write(1, data[:4096]):]
    except OSError:
        pass


class Signals:
    """SIGTERM, SIGINT and SIGHUP end the visit in good order."""

    def __init__(self):
        self.got = ""
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(one, self._note)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def ignore(self):
        """At the end, when all is written: Python would die of them while it tidies up."""
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)

    def _note(self, number, _):
        self.got = self.got or signal.Signals(number).name


class Nothing:
    """A log or report before there is one."""

    def begin(self, command): pass
    def add(self, data): pass
    def end(self, how): pass
    def drop(self): return False


class Visit:
    """`seconds` from `began` (of time.monotonic) are all there is."""

    def __init__(self, root, seconds, began, dry=False, silence=20.0):
        self.root, self.seconds, self.began, self.dry = root, seconds, began, dry
        self.silence, self.most_hangs = silence, 3
        self.wait_for_death = child.WAIT_FOR_DEATH
        self.deadline = began + seconds - min(RESERVE, 0.05 * seconds)
        self.stage_end = self.deadline
        self.signals, self.stuck = Signals(), False
        self.hangs = collections.Counter()
        self.counts = collections.defaultdict(collections.Counter)  # of a stage, of results
        self.cases = []                                             # lines of the report
        self.log, self.report = Nothing(), None
        self.stage_seconds, self.chosen, self.predictions = {}, {}, {}
        self._given_up, self._said = "", set()
        self.plain_environment = dict(os.environ)
        # Known once it has begun (run.py). `info`: what `sluice info --json` said.
        self.name, self.machine, self.head, self.tree, self.info = "", {}, {}, "", commands.Captured()
        self.build, self.environment, self.out, self.scratch = None, self.plain_environment, None, None

    # --- Time ---

    def elapsed(self):
        return time.monotonic() - self.began

    def must_end(self):
        """Why nothing more is started in this visit; "" if something may be."""
        if self.stuck:
            return "GPU stuck"
        if self.signals.got:
            return f"the visit was ended by {self.signals.got}"
        if self._given_up:
            return self._given_up
        return "no time left" if time.monotonic() > self.deadline else ""

    def why_stop(self):
        """The same of the stage that is under way."""
        return self.must_end() or (IN_A_STAGE if time.monotonic() > self.stage_end else "")

    def give_up(self, why):
        """Nothing that follows makes sense."""
        self._given_up = self._given_up or why

    # --- Processes, one at a time ---

    def start(self, command, environment, text=None):
        self.log.begin(command)
        return child.Child(command, environment, self.root, text)

    def end(self, process):
        self.log.end(child.in_words(process.ended) if process.gone else "does not die")
        if process.gone:
            process.close()

    def is_stuck(self, program):
        """Nothing more is started: a process that SIGKILL does not end holds the GPU."""
        if not self.stuck:
            self.stuck = True
            say(f"GPU stuck: {program} still lives {self.wait_for_death:g} s after SIGKILL; nothing more is started")
        return "GPU stuck"

    # --- Results ---

    def write(self, stage, name, result, detail="", seconds=0.0, **more):
        if result != "passed" and not detail:
            detail = "it does not say why"
        one = reports.case_line(stage, name, result, detail, seconds, more)
        self.cases.append(one)
        self.counts[stage][result] += 1
        if self.report is not None:
            self.report.line(one)
        if result == "failed":
            say(f"failed   {name}: {one['detail'][:300]}")

    def write_errors(self, stage, name, errors):
        if self.report is not None:
            self.report.line({"kind": "errors", "stage": stage, "name": name, "errors": errors})

    def say_once(self, text):
        if text not in self._said:
            self._said.add(text)
            say(text)

    def title(self):
        warning = f"\nwarning: {self.head['warning']}" if "warning" in self.head else ""
        changed = " and changes" if self.build.manifest.get("dirty") else ""
        bounded = self.build.manifest.get("bounded")
        if bounded is not None:
            changed += f", {len(bounded) or 'no'} programs with bounded spins"
        return (f"== visit {self.name}: {self.machine.get('gpu')}, driver {self.machine.get('driver') or '-'}, commit "
                f"{str(self.head.get('commit') or 'unknown')[:12]}{changed}{warning}")

    def count(self, result):
        return sum(counts[result] for counts in self.counts.values())
