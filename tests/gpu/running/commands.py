"""Commands without cases of their own: run to their end under the same limits as everything else."""

import dataclasses
import time

from . import child

MOST_TEXT = 4 << 20  # bytes that are kept of what one prints


@dataclasses.dataclass
class Captured:
    text: str = ""
    ended: str = ""     # as child.Child says
    why: str = ""       # "hang", or why the visit stopped it; else it ended by itself
    seconds: float = 0.0

    @property
    def ok(self):
        return not self.why and self.ended == "exit 0"

    def in_words(self):
        last = " ".join(self.text.split())[-400:]
        return child.in_words(self.ended) + (f": {last}" if last else "")


def capture(visit, command, environment, limit=20.0, text=None, log=True):
    """Runs it for at most `limit` seconds. `log`: whether what it prints is worth a place in log.txt."""
    why = visit.why_stop()
    if why:
        return Captured(why=why)
    began = time.monotonic()
    try:
        process = visit.start(command, environment, text)
    except OSError as error:
        return Captured(ended=f"exec {error.strerror}")
    said = b""
    while not process.finished and not why:
        got = process.read(0.1)
        said += got[:max(0, MOST_TEXT - len(said))]
        if got and log:
            visit.log.add(got)
        why = visit.why_stop() or ("hang" if time.monotonic() - began > limit else "")
    if not process.kill(visit.wait_for_death):
        why = visit.is_stuck(str(command[0]))
    while why and not visit.stuck and not process.finished:
        said += process.read(0)[:max(0, MOST_TEXT - len(said))]
    found = Captured(said.decode(errors="replace"), process.ended, why, time.monotonic() - began)
    visit.end(process)
    return found


def single(visit, stage, name, command, environment, judge, limit=20.0):
    """A command that is a case. Returns what was captured."""
    kind = str(command[0]).rpartition("/")[2]
    if visit.hangs[kind] >= visit.most_hangs:
        visit.write(stage, name, "cut", f"left out: {visit.most_hangs} runs of {kind} hung")
        return Captured(why="cut")
    found = capture(visit, command, environment, limit)
    if found.why == "hang":
        visit.hangs[kind] += 1
    settle(visit, stage, name, found, judge)
    return found


def settle(visit, stage, name, found, judge):
    """Writes what came of it. `judge(text)`: what its output is worth where it ended with code 0, as
    (result, detail, more)."""
    if found.why == "hang":
        said = " ".join(found.text.split())[-300:]
        visit.write(stage, name, "failed", f"hang: no end within {found.seconds:.0f} s" + (f": {said}" if said else ""),
                    found.seconds)
    elif found.why:
        visit.write(stage, name, "failed" if visit.stuck and found.seconds else "cut", found.why, found.seconds)
    elif not found.ok:
        visit.write(stage, name, "failed", f"it {found.in_words()}", found.seconds)
    else:
        result, detail, more = judge(found.text)
        visit.write(stage, name, result, detail, found.seconds, **more)
