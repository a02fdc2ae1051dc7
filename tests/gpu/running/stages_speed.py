"""`visit run speed` and `visit run deepbench`: how fast, beside cuDNN and PyTorch."""

import re

from . import benchmarks, stages


def _figures(visit, stage, groups, **job):
    """Cases of the suite figures, group by group; on the imagined GPU one of each."""
    def choose(names):
        of_groups = [[name for name in names if _group(name) == group] for group in groups]
        return [name for ones in of_groups for name in (stages.smallest(ones, 1) if visit.dry else ones)]

    benchmarks.sluice_bench(visit, stage, ["--suite", "figures"], choose, len(groups), **job)


def _group(name):
    return name.split("/")[1] if "/" in name else ""


def cudnn(visit):
    """Every algorithm of cuDNN's on the shapes that it is good at."""
    _figures(visit, "cudnn", ["cudnn-persistent", "cudnn-small-hidden", "large"])


def layers(visit):
    """What PyTorch is to be compared on: plain and packed layers, and whole steps, of which the imagined GPU needs 10 s
    each."""
    _figures(visit, "layers", ["pytorch", "packed", "step"], silence=(3 if visit.dry else 1) * visit.silence)


def eager(visit):
    benchmarks.pytorch(visit, "pytorch", re.compile("^figures/pytorch/"))


def packed(visit):
    benchmarks.pytorch(visit, "packed", re.compile("^figures/packed/"))


def step(visit):
    """The training step of the IMDB network."""
    benchmarks.pytorch(visit, "step", re.compile("^figures/step/"))


def limits(visit):
    """The shapes of predictions.md, all of them in their types."""
    _figures(visit, "limits", ["limit"])


SPEED = [stages.Stage("cudnn", 110, cudnn), stages.Stage("layers", 80, layers),
         stages.Stage("pytorch", 50, eager), stages.Stage("packed", 40, packed), stages.Stage("step", 36, step),
         stages.Stage("limits", 50, limits)]


def deepbench(visit, suite):
    """DeepBench's shapes beside every algorithm of cuDNN's, in float16, which not every PyTorch has on a CPU."""
    numbers = "bfloat16" if visit.dry else "float16"
    benchmarks.sluice_bench(visit, suite, ["--suite", f"deepbench-{suite}", "--dtype", numbers])


def deepbench_pytorch(visit):
    benchmarks.pytorch(visit, "pytorch", re.compile("^deepbench-"))


DEEPBENCH = [stages.Stage("train", 180, stages.of(deepbench, suite="train")),
             stages.Stage("infer", 96, stages.of(deepbench, suite="infer")),
             stages.Stage("pytorch", 90, deepbench_pytorch)]
