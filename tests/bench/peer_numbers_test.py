"""peer_numbers_test.py BENCH RESULTS SLUICE_BENCH: PyTorch's random numbers have the bits of the formula, by NumPy's
unsigned integers and by Python's own; differences are found, and a NaN is one."""
import math
import pathlib
import sys

sys.dont_write_bytecode = True
try:
    import numpy as np
    import torch
except ImportError:
    print("skipped: PyTorch is not installed for", sys.executable)
    sys.exit(77)
sys.path.insert(0, str(pathlib.Path(sys.argv[1])))
import peer_numbers
from peer_numbers import Refusal, differences, random_numbers, random_words

MASK = (1 << 64) - 1
DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])


def word(stream, index):
    """SplitMix64 with integers that have no end."""
    z = (index + (stream << 40) + 1) * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return (z ^ z >> 31) >> 40


def words_by_numpy(stream, first, count):
    with np.errstate(over="ignore"):
        z = np.arange(first, first + count, dtype=np.uint64)
        z = (z + np.uint64((stream << 40) + 1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (z ^ (z >> np.uint64(31))) >> np.uint64(40)


peer_numbers.ON_HOST = peer_numbers.ON_DEVICE = 1 << 12  # so that the numbers come in many pieces
for device in DEVICES:
    for name, stream in peer_numbers.STREAMS.items():
        for first in (0, 1, 12345, (1 << 35) + 7):
            found = random_words(name, first, 10000, device).cpu().numpy()
            assert (found == words_by_numpy(stream, first, 10000).astype(np.int64)).all(), (device, name, first)
            assert [int(each) for each in found[:50]] == [word(stream, first + i) for i in range(50)], (device, name)
    for scale in (1.0, 0.1, 1 / math.sqrt(1000)):
        expected = np.float32(scale) * (words_by_numpy(2, 77, 30000).astype(np.float32) * np.float32(2.0 ** -23)
                                        - np.float32(1))
        found = random_numbers("parameters", 77, 30000, scale, device).cpu().numpy()
        assert found.dtype == np.float32 and (found.view(np.int32) == expected.view(np.int32)).all(), (device, scale)

    # A digest as bench/layers/output_comparison.cpp makes it, and what differs from it.
    values = random_numbers("inputs", 0, 20000, 3.0, device).view(100, 200)
    flat = values.double().cpu().numpy().reshape(-1)
    signs = np.where(words_by_numpy(3, 0, 8 * flat.size).reshape(-1, 8) < (1 << 23), -1.0, 1.0)
    digest = {"size": flat.size, "norm": float(np.linalg.norm(flat)), "projections": (flat @ signs).tolist()}
    assert differences("y", values, digest) < 1e-12
    noise = random_numbers("tokens", 5, 20000, 1.0, device).view(100, 200)
    for size in (1e-3, 1e-1):
        found = differences("y", values + size * noise, digest)
        true = size * float(noise.norm() / values.norm())
        assert true / 2 < found < 2 * true, (device, size, found, true)
    for wrong in (math.nan, math.inf):
        spoilt = values.clone()
        spoilt[50, 50] = wrong
        assert differences("y", spoilt, digest) == math.inf, (device, wrong)
    try:
        differences("y", values[1:], digest)
        raise AssertionError("a shorter output was compared")
    except Refusal as refusal:
        assert "19800 numbers" in str(refusal)
