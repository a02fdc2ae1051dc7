"""The numbers that sluice-bench makes (bench/layers/random_numbers.h), and how outputs are compared with its
(bench/layers/output_comparison.h)."""

import numpy as np

PROJECTIONS = 8
STREAMS = {"inputs": 1, "parameters": 2, "signs": 3, "lengths": 4, "tokens": 5}
ALLOWED = {"float32": 1e-4, "tf32": 5e-3, "float16": 5e-3, "bfloat16": 4e-2}


def random_words(stream, first, count):
    with np.errstate(over="ignore"):
        z = np.arange(first, first + count, dtype=np.uint64)
        z = (z + np.uint64((STREAMS[stream] << 40) + 1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (z ^ (z >> np.uint64(31))) >> np.uint64(40)


def random_numbers(stream, first, count, scale=1.0):
    return np.float32(scale) * (random_words(stream, first, count).astype(np.float32)
                                * np.float32(2.0 ** -23) - np.float32(1))


def differences(name, values, digest):
    """Estimated |a - b| / |b| of an output from its norm and projections."""
    values = values.detach().double().cpu().numpy().reshape(-1)
    if values.size != digest["size"]:
        raise Refusal(f"output {name} has {values.size} numbers, Sluice's {digest['size']}")
    projections = np.zeros(PROJECTIONS)
    step = 1 << 20
    for begin in range(0, values.size, step):
        part = values[begin:begin + step]
        words = random_words("signs", PROJECTIONS * begin, PROJECTIONS * part.size)
        signs = np.where(words.reshape(-1, PROJECTIONS) < (1 << 23), -1.0, 1.0)
        projections += part @ signs
    norm = digest["norm"] or 1.0
    apart = np.sqrt(np.mean((projections - np.array(digest["projections"])) ** 2))
    return max(apart, abs(np.linalg.norm(values) - digest["norm"])) / norm


class Refusal(Exception):
    """Why a case is not measured."""
