"""What all stages are made of: a program, the choice of its cases, and what it is allowed to cost."""

import dataclasses
import functools
import math
import re
import typing

from . import commands, guarded, machine, protocols

# Programs of the persistent kernels: the first to hang, and so the first to run.
PERSISTENT = ("kernels_persistent_test", "engine_persistent_test", "engine_persistent_gradient_test",
              "engine_shared_input_test")
FAMILIES = ("block", "cluster", "grid")


@dataclasses.dataclass
class Stage:
    """`share`: of the visit's time, beside the other stages' shares, what it has at worst; what the stage before it
    leaves over comes on top. About the seconds that it has in a visit of 240 s (first, ncu) or 380 s (the others)."""
    name: str
    share: float
    run: typing.Callable


def family(name):
    """block, cluster, grid or ""."""
    found = guarded.FAMILY.search(name)
    return found[1].lower() if found else ""


def size(name):
    """Of a case, by the numbers in its name: T x B x I x H, or a network's V x E x H x B. Smaller is faster."""
    numbers = re.findall(r"(?<![A-Za-z0-9])[tbihve](\d+)(?![A-Za-z0-9])", name, re.IGNORECASE)
    return math.prod(max(1, int(number)) for number in numbers)


def smallest(names, most):
    """`most` of them, in their order."""
    chosen = set(sorted(names, key=size)[:most])
    return [name for name in names if name in chosen]


def smallest_of_each(names, most):
    """The same of each family."""
    chosen = {name for kind in FAMILIES for name in smallest([one for one in names if family(one) == kind], most)}
    return [name for name in names if name in chosen]


def program(visit, stage, name):
    """Its path; where there is none it is written down as cut."""
    path = visit.build.program(name)
    if path is None:
        visit.write(stage, name, "cut", f"not run: it is not in {visit.build.bin}")
    return path


def listed(visit, stage, path, protocol, environment=None, label=""):
    """The names of its cases, or None where it does not say, which is written down."""
    found = commands.capture(visit, protocol.listing(path), environment or visit.environment, 3 * visit.silence,
                             log=False)
    # The imagined GPU's test programs call it a failure that they ran no test.
    if found.ok or (visit.dry and found.ended == "exit 1" and protocol.names(found.text)):
        return protocol.names(found.text)
    if found.why and found.why != "hang":
        visit.write(stage, label or path.name, "cut", found.why)
    else:
        how = "does not end" if found.why else found.in_words()
        visit.write(stage, label or path.name, "failed", f"asked for its cases, it {how}")
    return None


def cases(visit, stage, path, protocol, choose=None, few=2, needed=True, **job):
    """Runs those of the program's cases that `choose(names)` takes, on the imagined GPU `few` small ones of them."""
    label = job.setdefault("label", path.name)
    job.setdefault("prefix", label + " ")
    environment = job.setdefault("environment", visit.environment)
    names = listed(visit, stage, path, protocol, environment, label)
    if names is None:
        return
    names = choose(names) if choose else names
    if visit.dry:
        names = smallest(names, few)
    if not names and needed:
        visit.write(stage, label, "cut", "not run: it has none of the cases that were to run")
    job.setdefault("silence", visit.silence)
    guarded.run(visit, guarded.Job(stage, path, protocol, names, **job))


def google_tests(visit, stage, name, choose=None, **options):
    """The GPU's cases of a GoogleTest program."""
    path = program(visit, stage, name)
    if path is not None:
        cases(visit, stage, path, protocols.GoogleTest(scratch=visit.scratch), choose, **options)


def json_lines(visit, stage, name, more=(), choose=None, **options):
    path = program(visit, stage, name)
    if path is not None:
        cases(visit, stage, path, protocols.JsonLines(more), choose, prefix="", **options)


def sanitized(visit, stage, tool, kind, name, choose, few=1):
    """A GoogleTest program's cases under compute-sanitizer, which makes them slow and silent."""
    path = visit.build.program(name)
    if path is not None:
        cases(visit, stage, path, protocols.Sanitized(tool, kind), choose, few, needed=False, label=f"{kind} {name}",
              silence=3 * visit.silence)


def of(function, *arguments, **named):
    """A stage's `run`."""
    return functools.partial(function, *arguments, **named)


def sanitizer(visit, stage):
    """The path of compute-sanitizer; where there is none, or nothing for it to look at, the stage is skipped."""
    path = None if visit.dry else machine.sanitizer()
    if path is None:
        visit.write(stage, "all", "skipped", "the imagined GPU has sanitizers of its own" if visit.dry else
                    "no compute-sanitizer here")
    return path
