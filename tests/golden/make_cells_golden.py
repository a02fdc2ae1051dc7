#!/usr/bin/env python3
"""Writes cells.safetensors: the cells that PyTorch has no module for, and the unit options.

Each step is the paper's formula, and autograd finds the gradients, in float64 from float32 inputs:
the LSTM with peepholes (Gers & Schmidhuber 2000), with coupled gates (Greff et al. 2017), IndRNN
(Li et al. 2018), zoneout (Krueger et al. 2017), recurrent dropout (Gal & Ghahramani 2016). Names
are those of make_recurrent_golden.py, where a cell's unit weights follow its biases, and

  rates      [3]        recurrent dropout, zoneout of h, zoneout of c; only in the cases called
                        `training` and `evaluation`, as is
  draws      int32 [3]  whether the pass drops, seed, step

Masks are drawn by a Philox4x32-10 of this file's own, with the numbers that
kernels/cells/unit_options.h promises. y, h_n and c_n of the LSTMs of one layer are those of ONNX
Runtime (P, input_forget), which must agree with the formulas.

Needs PyTorch, NumPy, ONNX and ONNX Runtime. Run it in this folder.
"""

import functools
import sys

import numpy as np
import onnx
import onnxruntime
import torch

from make_recurrent_golden import LENGTHS, LONG, Reference, make_case, write_safetensors

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "gru_reset_before": 3, "lstm_peephole": 4,
         "lstm_coupled": 3, "indrnn": 1}
UNIT_WEIGHTS = {"lstm_peephole": 3, "indrnn": 1}
NEW_CELLS = ("lstm_peephole", "lstm_coupled", "indrnn")
SEED, STEP = 21, 4
RATES = {"recurrent_dropout": 0.25, "zoneout_h": 0.375, "zoneout_c": 0.5}


def has_c(cell):
    return cell.startswith("lstm")


# ---- Random numbers: Salmon, Moraes, Dror, Shaw (2011).

@functools.lru_cache(maxsize=None)
def philox(counter, key):
    for _ in range(10):
        left, right = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = ((right >> 32) ^ counter[1] ^ key[0], right & 0xFFFFFFFF,
                   (left >> 32) ^ counter[3] ^ key[1], left & 0xFFFFFFFF)
        key = ((key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF)
    return counter


def kept(stream, time, row, number, rate):
    key = (SEED & 0xFFFFFFFF, (SEED >> 32) ^ (stream * 0x9E3779B9 & 0xFFFFFFFF))
    word = philox((number // 4, row, time, STEP), key)[number % 4]
    return (word >> 8) / 2**24 >= rate


class Options:
    """What the options do to a unit: in training by draws, in evaluation by the rates."""

    def __init__(self, rates, training):
        self.rates, self.training = rates, training

    def dropout_mask(self, direction, row, gates, hidden):
        """[G, H]"""
        rate = self.rates["recurrent_dropout"] if self.training else 0.0
        mask = torch.ones(gates, hidden, dtype=torch.float64)
        for number in range(gates * hidden if rate else 0):
            keep = kept(2 * direction + 1, 0, row, number, rate)
            mask[number // hidden, number % hidden] = keep / (1 - rate)
        return mask

    def zone_out(self, state, direction, time, row, before, after):
        """State 0 is h, 1 is c."""
        rate = self.rates["zoneout_c" if state else "zoneout_h"]
        if rate == 0.0:
            return after
        if not self.training:
            return rate * before + (1 - rate) * after
        hidden = len(after)
        keeps_state = torch.tensor([not kept(4 * direction + 2, time, row, state * hidden + unit, rate)
                                    for unit in range(hidden)])
        return torch.where(keeps_state, before, after)


NO_OPTIONS = Options(dict.fromkeys(RATES, 0.0), False)


# ---- The cells.

def one_step(cell, x, w, r, bw, br, p, h, c, mask):
    """h and c of one row. w, r, bw, br by gate, p by unit weight; mask [G, H] on h where it enters R."""

    def pre(gate, of_h=None):
        entering = mask[gate] * (h if of_h is None else of_h)
        return w[gate] @ x + bw[gate] + r[gate] @ entering + br[gate]

    sigmoid, tanh = torch.sigmoid, torch.tanh
    if cell == "indrnn":
        return torch.relu(w[0] @ x + bw[0] + br[0] + p[0] * mask[0] * h), None
    if cell.startswith("rnn"):
        return (tanh if cell == "rnn_tanh" else torch.relu)(pre(0)), None
    if cell.startswith("gru"):
        reset, update = sigmoid(pre(0)), sigmoid(pre(1))
        if cell == "gru":
            new = tanh(w[2] @ x + bw[2] + reset * (r[2] @ (mask[2] * h) + br[2]))
        else:
            new = tanh(pre(2, reset * h))
        return (1 - update) * new + update * h, None
    if cell == "lstm_coupled":
        i, g, o = sigmoid(pre(0)), tanh(pre(1)), sigmoid(pre(2))
        c = (1 - i) * c + i * g
        return o * tanh(c), c
    peephole = p if cell == "lstm_peephole" else torch.zeros(3, len(h), dtype=h.dtype)
    i, f = sigmoid(pre(0) + peephole[0] * c), sigmoid(pre(1) + peephole[1] * c)
    c = f * c + i * tanh(pre(2))
    return sigmoid(pre(3) + peephole[2] * c) * tanh(c), c


def shapes(cell, layers, directions, input_size, hidden):
    rows = GATES[cell] * hidden
    for layer in range(layers):
        size = input_size if layer == 0 else directions * hidden
        for _ in range(directions):
            yield (rows, size)
            if cell != "indrnn":
                yield (rows, hidden)
            yield from ((rows,), (rows,))
            if cell in UNIT_WEIGHTS:
                yield (UNIT_WEIGHTS[cell] * hidden,)


def weights_of(cell, parameters, index, hidden):
    """w, r, bw, br by gate and p by unit weight; None for what there is not."""
    each = len(list(shapes(cell, 1, 1, 1, 1)))
    mine = list(parameters[each * index:each * (index + 1)])
    w = mine.pop(0).view(GATES[cell], hidden, -1)
    r = mine.pop(0).view(GATES[cell], hidden, hidden) if cell != "indrnn" else None
    bw, br = mine.pop(0).view(-1, hidden), mine.pop(0).view(-1, hidden)
    return w, r, bw, br, mine[0].view(-1, hidden) if mine else None


def forward(cell, options, layers, directions, lengths, x, parameters, h0, c0):
    inputs, finals = x, ([], [])
    hidden = h0.shape[2]
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            index = layer * directions + direction
            weights = weights_of(cell, parameters, index, hidden)
            rows = []
            for b, length in enumerate(lengths):
                h, c = h0[index, b], c0[index, b] if has_c(cell) else None
                mask = options.dropout_mask(index, b, GATES[cell], hidden)
                out = [torch.zeros_like(h)] * max(lengths)
                for t in (range(length) if direction == 0 else reversed(range(length))):
                    new_h, new_c = one_step(cell, inputs[t, b], *weights, h, c, mask)
                    h = out[t] = options.zone_out(0, index, t, b, h, new_h)
                    c = options.zone_out(1, index, t, b, c, new_c) if has_c(cell) else None
                finals[0].append(h)
                finals[1].append(c)
                rows.append(torch.stack(out))
            outputs.append(torch.stack(rows, dim=1))
        inputs = torch.cat(outputs, dim=2)
    states = [torch.stack(final).view(layers * directions, len(lengths), hidden)
              if final[0] is not None else None for final in finals]
    return inputs, *states


# ---- ONNX Runtime, whose gates are i, o, f, c and whose P is p_i, p_o, p_f.

def onnx_forward(cell, directions, lengths, x, parameters, h0, c0):
    hidden = h0.shape[2]

    def by_direction(pick):
        return torch.stack([pick(*weights_of(cell, parameters, d, hidden))
                            for d in range(directions)]).detach().numpy().astype(np.float32)

    def in_order(gates):  # of coupled gates f is not read
        i, o, f, g = (0, 3, 1, 2) if cell == "lstm_peephole" else (0, 2, 0, 1)
        return torch.cat([gates[i], gates[o], gates[f], gates[g]])

    feeds = {"X": x, "L": torch.tensor(lengths, dtype=torch.int32), "H": h0, "C": c0}
    feeds = {name: tensor.detach().numpy() for name, tensor in feeds.items()}
    feeds = {name: array if name == "L" else array.astype(np.float32) for name, array in feeds.items()}
    feeds["W"] = by_direction(lambda w, r, bw, br, p: in_order(w))
    feeds["R"] = by_direction(lambda w, r, bw, br, p: in_order(r))
    feeds["B"] = by_direction(lambda w, r, bw, br, p: torch.cat([in_order(bw), in_order(br)]))
    names = ["X", "W", "R", "B", "L", "H", "C"]
    if cell == "lstm_peephole":
        feeds["P"] = by_direction(lambda w, r, bw, br, p: torch.cat([p[0], p[2], p[1]]))
        names.append("P")
    node = onnx.helper.make_node("LSTM", names, ["Y", "Y_h", "Y_c"], hidden_size=hidden,
                                 direction="bidirectional" if directions == 2 else "forward",
                                 input_forget=int(cell == "lstm_coupled"))
    kinds = {np.dtype(np.float32): onnx.TensorProto.FLOAT, np.dtype(np.int32): onnx.TensorProto.INT32}
    graph = onnx.helper.make_graph(
        [node], cell,
        [onnx.helper.make_tensor_value_info(n, kinds[feeds[n].dtype], feeds[n].shape) for n in names],
        [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in node.output])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    y, h_n, c_n = (torch.from_numpy(array) for array in session.run(None, feeds))
    return y.permute(0, 2, 1, 3).reshape(len(x), len(lengths), -1), h_n, c_n  # from [T, D, B, H]


def reference_of(cell, options=NO_OPTIONS):
    return Reference(has_c(cell), torch.float64, functools.partial(shapes, cell),
                     functools.partial(forward, cell, options))


def take_from_onnx(cell, case, directions, hidden):
    sizes = shapes(cell, 1, directions, case["x"].shape[2], hidden)
    sizes = [list(size) for size in sizes]
    parameters = [part.view(size) for part, size in zip(
        case["parameters"].split([int(np.prod(size)) for size in sizes]), sizes)]
    zeros = torch.zeros(case["h_n"].shape)
    results = onnx_forward(cell, directions, case["lengths"].tolist(), case["x"], parameters,
                           case.get("h0", zeros), case.get("c0", zeros))
    for name, result in zip(("y", "h_n", "c_n"), results):
        torch.testing.assert_close(result.double(), case[name].detach(), rtol=1e-5, atol=1e-6)
        case[name] = result


def main():
    torch.set_num_threads(1)
    tensors, seed = {}, 1000

    def add(name, reference, *arguments, cell=None, **sizes):
        nonlocal seed
        seed += 1
        case = make_case(seed, reference, *arguments, **sizes)
        if cell is not None:
            take_from_onnx(cell, case, arguments[1], case["h_n"].shape[2])
        tensors.update({f"{name}/{tensor}": value for tensor, value in case.items()})

    for cell in NEW_CELLS:
        reference = reference_of(cell)
        for layers, directions in ((1, 1), (1, 2), (2, 2)):
            by_onnx = cell if has_c(cell) and layers == 1 else None
            for form, states in (("equal", "zeros"), ("ragged", "states")):
                add(f"{cell}_l{layers}_d{directions}_{form}_{states}", reference, layers,
                    directions, LENGTHS[form], states == "states", cell=by_onnx)
        add(f"{cell}_l1_d2_long_states", reference, 1, 2, LONG["lengths"], True,
            input_size=LONG["input"], hidden=LONG["hidden"], cell=cell if has_c(cell) else None)

    for cell in GATES:
        rates = RATES | ({} if has_c(cell) else {"zoneout_c": 0.0})
        for mode in ("training", "evaluation"):
            training = mode == "training"
            name = f"{cell}_l2_d2_ragged_states_{mode}"
            add(name, reference_of(cell, Options(rates, training)), 2, 2, LENGTHS["ragged"], True)
            tensors[f"{name}/rates"] = torch.tensor(list(rates.values()))
            tensors[f"{name}/draws"] = torch.tensor([training, SEED, STEP], dtype=torch.int32)

    write_safetensors("cells.safetensors", tensors,
                      {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__})
    print(f"cells.safetensors: {len(tensors)} tensors, PyTorch {torch.__version__}, "
          f"ONNX Runtime {onnxruntime.__version__}", file=sys.stderr)


if __name__ == "__main__":
    main()
