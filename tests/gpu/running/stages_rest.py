"""`visit run rest`: everything else that can be wrong on a GPU."""

import re

from . import stages, trainings

# Kernels of ours with barriers or shared memory, which racecheck and synccheck are for; the others have neither.
WITH_BARRIERS = ("kernels_norm_test", "kernels_loss_test", "kernels_bias_test", "kernels_pooling_test",
                 "kernels_embedding_test", "kernels_cell_step_test", "engine_recurrent_dropout_test")


def tests(visit):
    """Every other case that names CUDA. The engine's golden tensors first: they judge all cells at once."""
    # In a CMake build folder there are others too: of the imagined GPU, and without a case for a GPU.
    found = {path.name for path in visit.build.programs("*_test") if not path.name.startswith("cuda_on_cpu_")}
    names = sorted(found - set(stages.PERSISTENT),
                   key=lambda name: (name != "engine_recurrent_golden_test", not name.startswith("engine"), name))
    if not names:
        visit.write("tests", "all", "cut", f"not run: {visit.build.bin} holds no test for a GPU")
    for name in names:
        stages.google_tests(visit, "tests", name, few=1, needed=False)


def cudnn(visit):
    """Beside cuDNN: LSTM and GRU first, TF32 with them."""
    stages.json_lines(visit, "cudnn", "gpu_cudnn_comparison",
                      choose=lambda names: sorted(names, key=lambda name: not re.match("lstm|gru", name)))


def repeats(visit):
    """The same passes 20 times, then whole trainings: the same bits."""
    stages.json_lines(visit, "repeats", "gpu_repeated_passes", ["--times", "2" if visit.dry else "20"])
    for cell in ("lstm", "gru", "rnn")[:1 if visit.dry else 3]:
        trainings.same_bits(visit, "repeats", cell, 2 if visit.dry else 5)


def checks(visit):
    """racecheck and synccheck, the persistent kernels first."""
    tool = stages.sanitizer(visit, "checks")
    if not tool:
        return
    for kind in ("racecheck", "synccheck"):
        stages.sanitized(visit, "checks", tool, kind, stages.PERSISTENT[0],
                         lambda names: stages.smallest_of_each(names, 2))
    for name in WITH_BARRIERS:
        for kind in ("racecheck", "synccheck"):
            stages.sanitized(visit, "checks", tool, kind, name, lambda names: stages.smallest(names, 1))


def initcheck(visit):
    """Whether the persistent kernels read what nobody wrote, in the smallest case of each: the fourth of the toolkit's
    sanitizers, in what time is left."""
    tool = stages.sanitizer(visit, "initcheck")
    if tool:
        stages.sanitized(visit, "initcheck", tool, "initcheck", stages.PERSISTENT[0],
                         lambda names: stages.smallest_of_each(names, 1))


STAGES = [stages.Stage("tests", 120, tests), stages.Stage("cudnn", 86, cudnn),
          stages.Stage("repeats", 50, repeats), stages.Stage("training", 40, trainings.beside_the_cpu),
          stages.Stage("checks", 68, checks), stages.Stage("initcheck", 14, initcheck)]
