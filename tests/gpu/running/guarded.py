"""Runs the cases of a program so that none costs more than it may: a case that hangs, crashes or breaks the device's
context is written down as failed, and the others go on in a new process.

What counts as what, and where a program's word is not taken:
- A case runs from its begin to its end. One with no end and nothing printed for `silence` seconds hangs; so does one
  that goes on printing for `longest` seconds.
- A kernel with bounded spins says itself what it waits for in vain, thread by thread, and breaks the context: a hang of
  its case, with the first thread's words.
- Three hangs of a kind leave out the rest of that kind. A kind is one of the persistent algorithms - block, cluster,
  grid - where a case's name tells it, in whatever program, since they share their kernels; else the program. Under a
  sanitizer all of it counts apart. The program itself, silent between two cases, counts as a case of its kind.
- A process that ends in a case is that case's failure. One that ends between cases before all have run, or with
  another code than its cases explain, is a failure of the program, and the rest run in a new process, unless not one
  case had run: then another would do the same.
- Results of cases that were not asked for count for nothing and are a failure of the program; of a case said twice
  the first counts.
- A case under way when time is over or the visit is stopped is cut: neither passed nor failed. At the end of a stage,
  not of the visit, one that is silent for half of `silence` already is given the other half, so that a hang is known.
"""

import collections
import dataclasses
import pathlib
import re
import time
import typing

from . import child, protocols

FAMILY = re.compile(r"(?<![a-z])(block|cluster|grid)(?![a-z])", re.IGNORECASE)
LAST_LINES = 6  # of a program that died, said with its failure


@dataclasses.dataclass
class Job:
    """Cases of one program."""
    stage: str
    program: pathlib.Path
    protocol: typing.Any
    names: list
    environment: dict
    label: str = ""         # what the program is called where it is the failure itself
    prefix: str = ""        # before its cases' names
    silence: float = 20.0   # seconds without a word
    start: float = 0.0      # the same before the first case, where a program takes long to start; 0: as silence
    longest: float = 0.0    # seconds of one case, whatever it prints; 0: twice the silence
    families: bool = True   # whether hangs are counted by block, cluster and grid
    excused: tuple = ()     # ends beside "exit 0" that need no failed case

    def kind(self, name):
        family = FAMILY.search(name or "") if self.families else None
        tool = getattr(self.protocol, "tool", "")
        return " ".join(filter(None, [tool, family[1].lower() if family else self.program.name]))


class _Case:
    def __init__(self, name, asked):
        self.name, self.asked, self.began = name, asked, time.monotonic()

    def seconds(self):
        return round(time.monotonic() - self.began, 3)


def run(visit, job):
    """Runs all of job.names and writes a result for each."""
    todo = dict.fromkeys(job.names)
    while todo:
        why = visit.why_stop()
        if not why:
            _leave_out(visit, job, todo)
            if not todo:
                return
            why = _Process(visit, job, todo).run()
        if why:
            for name in todo:
                visit.write(job.stage, job.prefix + name, "cut", why)
            return


def _leave_out(visit, job, todo):
    for name in list(todo):
        kind = job.kind(name)
        if visit.hangs[kind] >= visit.most_hangs:
            del todo[name]
            visit.write(job.stage, job.prefix + name, "cut", f"left out: {visit.most_hangs} cases of {kind} hung")


class _Process:
    """One process of a job's program."""

    def __init__(self, visit, job, todo):
        self.visit, self.job, self.todo = visit, job, todo
        self.case, self.last = None, ""       # the one under way, and the name of the last that ended
        self.ended = 0                        # cases that ended
        self.passed = self.failed = False     # whether one did
        self.lines, self.asked, self.finished = child.Lines(), set(), set()
        self.strange, self.notes, self.alone = [], [], []
        self.waits = []                       # what threads of a kernel of the case under way wait for in vain
        self.planned, self.silent, self.broken = len(todo), 0.0, False
        self.tail = collections.deque(maxlen=LAST_LINES)

    def run(self):
        """"" to go on with what is left to do, or why not."""
        command, text, asked = self.job.protocol.command(self.job.program, list(self.todo))
        self.asked = set(asked)
        try:
            process = self.visit.start(command, self.job.environment, text)
        except OSError as error:
            self._of_program("failed", f"could not be started: {error}")
            return "its program could not be started"
        why = self._watch(process)
        stuck = not process.kill(self.visit.wait_for_death)
        if not stuck:
            self._drain(process)
        ended = process.ended
        self.visit.end(process)
        return self._settle(why, ended, stuck)

    def _watch(self, process):
        """Why it is to be ended: "hang", "broken" or what why_stop() says; "" once it has ended by itself."""
        heard, job = time.monotonic(), self.job
        while not process.finished:
            got = process.read(0.1)
            now = time.monotonic()
            if got:
                heard = now
                self.visit.log.add(got)
                self._take(self.lines.feed(got))
            if self.broken:
                return "broken"
            self.silent = now - heard
            stop = self.visit.why_stop()
            if stop and not self._may_hang():
                return stop
            if self.silent > ((job.start or job.silence) if self._before_the_first() else job.silence):
                return "hang"
            if self.case and now - self.case.began > (job.longest or 2 * job.silence):
                return "hang"
        return ""

    def _may_hang(self):
        """Whether a case has been silent for so long that it is worth the next stage's time to know."""
        return not self.visit.must_end() and self.case is not None and self.silent > self.job.silence / 2

    def _before_the_first(self):
        return self.ended == 0 and self.case is None

    def _drain(self, process):
        """What it had printed when it ended: results that were ready count."""
        for _ in range(1000):
            got = process.read(0)
            if process.finished or self.broken:
                break
            if got:
                self.visit.log.add(got)
                self._take(self.lines.feed(got))
        if not self.broken:
            self._take(self.lines.end())

    def _take(self, lines):
        for line in lines:
            if protocols.WAITS_IN_VAIN.search(line):
                self.waits.append(line.strip()[:300])
                continue
            events = self.job.protocol.events(line)
            if not events and line.strip():
                self.tail.append(line.strip()[:300])
            for event in events:
                getattr(self, "_" + event[0])(*event[1:])
                if self.broken:  # what follows fails for this case's sake
                    return

    # --- What it says ---

    def _begin(self, name):
        if self.case is not None:
            self._finish(self.case, "failed", f"the program went on to {name} without saying how this case ended", {})
        self.case = _Case(name, name in self.asked and name in self.todo)
        self.tail.clear()
        self.waits.clear()

    def _end(self, name, result, detail, more):
        case = self.case if self.case is not None and self.case.name == name else None
        if case is None and name not in self.todo:
            if name not in self.finished:
                self.strange.append(name)
            return
        self._finish(case or _Case(name, name in self.asked), result, detail, more)
        self.case = None if case else self.case

    def _part(self, name, result, detail, more):
        if self.case is not None and self.case.asked:
            self._write(name, result, detail, self.case.seconds(), more)

    def _alone(self, name, result, detail, more):
        if name in self.todo and name in self.asked:
            self._finish(_Case(name, True), result, detail, more)
        else:
            self.alone.append((name, result, detail))

    def _note(self, text):
        self.notes.append(text)

    # --- What is written ---

    def _write(self, name, result, detail, seconds, more):
        if self.waits and result == "failed":
            others = f" (and {len(self.waits) - 1} threads more)" if len(self.waits) > 1 else ""
            if not detail.startswith("hang: "):  # which was counted
                self.visit.hangs[self.job.kind(self.case.name if self.case else name)] += 1
            detail, more = f"hang: {self.waits[0]}{others}; {detail}", {**more, "broken": True}
            self.waits.clear()
        self.visit.write(self.job.stage, self.job.prefix + name, result, detail, seconds, **more)
        self.passed, self.failed = self.passed or result == "passed", self.failed or result == "failed"
        self.broken = self.broken or bool(more.get("broken"))

    def _finish(self, case, result, detail, more):
        self.ended, self.last = self.ended + 1, case.name
        self.finished.add(case.name)
        if case.asked and case.name in self.todo:
            del self.todo[case.name]
            if result is not None:
                self._write(case.name, result, detail, case.seconds(), more)
        elif case.name not in self.strange:
            self.strange.append(case.name)

    def _of_program(self, result, detail):
        self.visit.write(self.job.stage, self.job.label, result, detail)

    def _said(self):
        return ": " + " ".join(self.tail)[-400:] if self.tail else ""

    # --- What follows from how it ended ---

    def _settle(self, why, ended, stuck):
        if self.strange:
            self._of_program("failed", "it says results of cases that it was not asked for: "
                             + ", ".join(self.strange[:3]) + (" ..." if len(self.strange) > 3 else ""))
        for name, result, detail in self.alone:
            if result == "failed":
                self.visit.write(self.job.stage, self.job.prefix + name, "failed", detail)
        if why == "hang":
            self._settle_hang(stuck)
        elif why == "broken" and self.case is not None:  # a part of it said so
            self._finish(self.case, None, "", {})
        elif why and why != "broken" and self.case is not None:
            self._cut(why)
        elif not why:
            self._settle_end(ended)
        for name, errors in self.job.protocol.recorded():
            self.visit.write_errors(self.job.stage, self.job.prefix + name, errors)
        if stuck:
            return self.visit.is_stuck(self.job.label)
        if len(self.todo) == self.planned and why in ("", "hang", "broken"):
            return "its program gets no further"
        return ""

    def _blame(self, detail, more):
        """The case under way is the failure."""
        case, self.case = self.case, None
        if case.asked:
            self._finish(case, "failed", detail, more)
        else:
            self._of_program("failed", f"{case.name}, which was not asked for: {detail}")

    def _settle_hang(self, stuck):
        job = self.job
        limit = (job.start or job.silence) if self._before_the_first() else job.silence
        quiet = f"no end within {limit:g} s" if self.silent > limit else (
            f"no end within {job.longest or 2 * job.silence:g} s, though it goes on printing")
        also = "; GPU stuck: it does not die" if stuck else ""
        self.visit.hangs[job.kind(self.case.name if self.case else "")] += 1
        if self.case is not None:
            self._blame("hang: " + quiet + also + self._said(), {})
        else:
            where = f"after {self.last}" if self.last else "before its first case"
            self._of_program("failed", f"hang: nothing printed for {limit:g} s {where}{also}{self._said()}")

    def _cut(self, why):
        case, self.case = self.case, None
        if case.asked and case.name in self.todo:
            del self.todo[case.name]
            how = f"{why} (it had run for {case.seconds():.1f} s, silent for {self.silent:.1f} s)"
            self._write(case.name, "cut", how, case.seconds(), {})

    def _settle_end(self, ended):
        left = len(self.todo.keys() & self.asked)
        if self.case is not None:
            broken = ended == "exit 3" or bool(protocols.BROKEN.search(" ".join(self.tail)))
            self._blame(f"the program {child.in_words(ended)} in this case{self._said()}",
                        {"broken": True} if broken else {})
        elif ended == "exit 77" and self.ended == 0:
            why = next((detail for _, result, detail in self.alone if result == "skipped"), "it ended with code 77")
            for name in list(self.todo):
                self._finish(_Case(name, True), "skipped", why, {})
        elif left:
            cases = f"had {left} cases still to run after {self.last}" if self.ended else f"ran none of {left} cases"
            self._of_program("failed", f"it {child.in_words(ended)} and {cases}{self._said()}")
        elif self.notes and not self.failed:
            self._of_program("failed", "; ".join(self.notes) + ", which no case shows")
        elif not self._explained(ended):
            self._of_program("failed", f"all its cases had ended, yet it {child.in_words(ended)}{self._said()}")

    def _explained(self, ended):
        if self.visit.dry and ended == "exit 1" and not self.passed:  # the imagined GPU's: "no test ran"
            return True
        excused = (*self.job.excused, *getattr(self.job.protocol, "excused", ()))
        return ended == "exit 0" or ended in excused or (
            ended in (("exit 1", "exit 9") if self.failed else ("exit 77",)))
