"""The numbers that sluice-bench makes (bench/layers/random_numbers.h), and how outputs are compared with its
(bench/layers/output_comparison.h), by PyTorch on whatever device the numbers are for: on a GPU neither waits
for the host. The bits are the same everywhere."""

import math

import torch

PROJECTIONS = 8
STREAMS = {"inputs": 1, "parameters": 2, "signs": 3, "lengths": 4, "tokens": 5}
ALLOWED = {"float32": 1e-4, "tf32": 5e-3, "float16": 5e-3, "bfloat16": 4e-2}
ON_HOST, ON_DEVICE = 1 << 16, 1 << 23  # words at once: what a core's cache holds, and few launches


def at_once(device):
    return ON_HOST if torch.device(device).type == "cpu" else ON_DEVICE


def signed(bits):
    """The int64 of these 64 bits: PyTorch multiplies and shifts no unsigned ones."""
    return bits - (1 << 64) if bits >= 1 << 63 else bits


def shifted(z, count):
    """z >> count without copies of the sign."""
    return (z >> count).bitwise_and_((1 << (64 - count)) - 1)


def random_words(stream, first, count, device="cpu"):
    """int64 [count]: words first, first + 1, ... of the stream, 24 bits each. Products wrap around."""
    begin = first + (STREAMS[stream] << 40) + 1
    z = torch.arange(begin, begin + count, dtype=torch.int64, device=device).mul_(signed(0x9E3779B97F4A7C15))
    z.bitwise_xor_(shifted(z, 30)).mul_(signed(0xBF58476D1CE4E5B9))
    z.bitwise_xor_(shifted(z, 27)).mul_(signed(0x94D049BB133111EB))
    return shifted(z.bitwise_xor_(shifted(z, 31)), 40)


def random_numbers(stream, first, count, scale=1.0, device="cpu"):
    """float32 [count]: the words as numbers in [-1, 1), times `scale` in single precision."""
    numbers = torch.empty(count, dtype=torch.float32, device=device)
    factor = torch.tensor(scale, dtype=torch.float32, device=device)
    for begin in range(0, count, at_once(device)):
        part = numbers[begin:begin + at_once(device)]
        part.copy_(random_words(stream, first + begin, part.numel(), device))
        part.mul_(2.0 ** -23).sub_(1.0).mul_(factor)
    return numbers


def differences(name, values, digest):
    """Estimated |a - b| / |b| of an output from its norm and projections; infinite if it has a NaN."""
    values = values.detach().reshape(-1)
    if values.numel() != digest["size"]:
        raise Refusal(f"output {name} has {values.numel()} numbers, Sluice's {digest['size']}")
    device, step = values.device, at_once(values.device) // PROJECTIONS
    sums = torch.zeros(PROJECTIONS + 2, dtype=torch.float64, device=device)  # projections, all, squares
    for begin in range(0, values.numel(), step):
        part = values[begin:begin + step].double()
        words = random_words("signs", PROJECTIONS * begin, PROJECTIONS * part.numel(), device)
        negative = (words < (1 << 23)).double().view(-1, PROJECTIONS)
        sums[:PROJECTIONS] -= 2 * (part @ negative)
        sums[PROJECTIONS] += part.sum()
        sums[PROJECTIONS + 1] += part @ part
    *found, total, squares = sums.tolist()  # the one wait
    norm = digest["norm"] or 1.0
    apart = math.sqrt(sum((a + total - b) ** 2 for a, b in zip(found, digest["projections"])) / PROJECTIONS)
    difference = max(apart, abs(math.sqrt(squares) - digest["norm"])) / norm
    return math.inf if math.isnan(difference) or math.isnan(apart) else difference


class Refusal(Exception):
    """Why a case is not measured."""
