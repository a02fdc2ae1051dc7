#!/usr/bin/env python3
"""Writes recurrent.safetensors: what recurrent layers must compute, forward and backward.

RNN, LSTM and GRU (reset after) are PyTorch's modules in float32. GRU with the reset before the
product, which PyTorch lacks, is a plain autograd loop in float64 from the same float32 inputs.
tests/engine/pass/recurrent_golden_test.cpp reads the file; it names each case
`cell_l{layers}_d{directions}_{lengths}_{states}` and each tensor `case/tensor`:

  lengths    int32 [B]      in the caller's order; the longest is T
  x          [T, B, I]      zeros past a row's end; likewise y, dy, dx
  parameters [P]            flat, in PyTorch's order: for each layer and direction
                            weight_ih, weight_hh, bias_ih, bias_hh; likewise d_parameters
  h0, c0     [L*D, B, H]    only in the `states` cases; likewise dh0, dc0
  y          [T, B, D*H]
  h_n, c_n   [L*D, B, H]    c: LSTM only
  dy, dh_n, dc_n            the gradients given by y, h_n, c_n
  dx, dh0, dc0, d_parameters   the gradients that follow

Needs PyTorch and NumPy. Run it in this folder; the file it writes is kept with the sources, so
that the tests need neither. The same PyTorch gives the same bytes.
"""

import json
import struct
import sys
from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch

CELLS = ("rnn_tanh", "rnn_relu", "lstm", "gru", "gru_reset_before")
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "gru_reset_before": 3}
INPUT, HIDDEN = 5, 7
LENGTHS = {"equal": [6, 6, 6], "ragged": [3, 7, 1, 5]}
# Longer ones: an error that grows with time shows, and H is no multiple of any vector's width.
LONG = {"lengths": [60, 17, 44], "input": 11, "hidden": 19}


@dataclass
class Reference:
    """How a cell's numbers are found."""

    has_c: bool
    number: torch.dtype
    shapes: Callable  # (layers, directions, input_size, hidden) -> each parameter's, in order
    forward: Callable  # (layers, directions, lengths, x, parameters, h0, c0) -> y, h_n, c_n


def parameter_shapes(cell, layers, directions, input_size, hidden):
    rows = GATES[cell] * hidden
    for layer in range(layers):
        size = input_size if layer == 0 else directions * hidden
        for _ in range(directions):
            yield from ((rows, size), (rows, hidden), (rows,), (rows,))


def torch_forward(cell, layers, directions, lengths, x, parameters, h0, c0):
    """y [T, B, D*H], h_n, c_n (None unless LSTM) of PyTorch's own module."""
    sizes = dict(input_size=x.shape[2], hidden_size=h0.shape[2], num_layers=layers,
                 bidirectional=directions == 2)
    if cell == "lstm":
        module = torch.nn.LSTM(**sizes)
    elif cell == "gru":
        module = torch.nn.GRU(**sizes)
    else:
        module = torch.nn.RNN(nonlinearity=cell.removeprefix("rnn_"), **sizes)
    names = [name for name, _ in module.named_parameters()]
    given = dict(zip(names, parameters))
    ragged = min(lengths) != max(lengths)
    inputs = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False) if ragged else x
    y, state = torch.func.functional_call(module, given,
                                          (inputs, (h0, c0) if cell == "lstm" else h0))
    if ragged:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=max(lengths))
    return (y, *state) if cell == "lstm" else (y, state, None)


def reset_before_forward(layers, directions, lengths, x, parameters, h0):
    """The same for h = (1-z) n + z h_prev with n = tanh(Wn x + bWn + Rn (r h_prev) + bRn)."""
    inputs, finals = x, []
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            index = layer * directions + direction
            w, r, bw, br = parameters[4 * index:4 * index + 4]
            hidden = r.shape[1]
            rows = []
            for b, length in enumerate(lengths):
                h, out = h0[index, b], [None] * length
                for t in (range(length) if direction == 0 else reversed(range(length))):
                    from_x = w @ inputs[t, b] + bw + br
                    gates = torch.sigmoid(from_x[:2 * hidden] + r[:2 * hidden] @ h)
                    reset, update = gates[:hidden], gates[hidden:]
                    new = torch.tanh(from_x[2 * hidden:] + r[2 * hidden:] @ (reset * h))
                    h = out[t] = (1 - update) * new + update * h
                finals.append(h)
                padding = [torch.zeros_like(h)] * (max(lengths) - length)
                rows.append(torch.stack(out + padding))
            outputs.append(torch.stack(rows, dim=1))
        inputs = torch.cat(outputs, dim=2)
    return inputs, torch.stack(finals).view(layers * directions, len(lengths), -1), None


def reference_of(cell):
    def shapes(*sizes):
        return parameter_shapes(cell, *sizes)

    def forward(*arguments):
        if cell == "gru_reset_before":
            return reset_before_forward(*arguments[:-1])
        return torch_forward(cell, *arguments)

    number = torch.float64 if cell == "gru_reset_before" else torch.float32
    return Reference(cell == "lstm", number, shapes, forward)


def make_case(seed, reference, layers, directions, lengths, with_states, input_size=INPUT, hidden=HIDDEN):
    generator = torch.Generator().manual_seed(seed)
    steps, batch = max(lengths), len(lengths)

    def normal(*shape, scale=1.0):
        return torch.randn(shape, generator=generator) * scale

    valid = (torch.arange(steps)[:, None] < torch.tensor(lengths)[None, :])[:, :, None]
    state_shape = (layers * directions, batch, hidden)
    bound = hidden ** -0.5
    case = {
        "lengths": torch.tensor(lengths, dtype=torch.int32),
        "x": normal(steps, batch, input_size) * valid,
        "dy": normal(steps, batch, directions * hidden) * valid,
        "dh_n": normal(*state_shape),
    }
    parameters = [(torch.rand(shape, generator=generator) * 2 - 1) * bound
                  for shape in reference.shapes(layers, directions, input_size, hidden)]
    states = {}
    if with_states:
        states["h0"] = normal(*state_shape, scale=0.5)
    if reference.has_c:
        case["dc_n"] = normal(*state_shape)
        if with_states:
            states["c0"] = normal(*state_shape, scale=0.5)
    case |= states
    case["parameters"] = torch.cat([p.reshape(-1) for p in parameters])

    number = reference.number
    x = case["x"].to(number).requires_grad_()
    parameters = [p.to(number).requires_grad_() for p in parameters]
    states = {name: s.to(number).requires_grad_() for name, s in states.items()}
    zeros = torch.zeros(state_shape, dtype=number)
    h0, c0 = states.get("h0", zeros), states.get("c0", zeros)
    y, h_n, c_n = reference.forward(layers, directions, lengths, x, parameters, h0, c0)

    loss = (y * case["dy"]).sum() + (h_n * case["dh_n"]).sum()
    case["y"], case["h_n"] = y, h_n
    if reference.has_c:
        loss = loss + (c_n * case["dc_n"]).sum()
        case["c_n"] = c_n
    gradients = torch.autograd.grad(loss, [x, *states.values(), *parameters])
    case["dx"] = gradients[0]
    for name, gradient in zip(states, gradients[1:]):
        case["d" + name] = gradient
    case["d_parameters"] = torch.cat([g.reshape(-1) for g in gradients[1 + len(states):]])
    return case


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, bytearray()
    for name, tensor in tensors.items():
        array = np.ascontiguousarray(tensor.detach().numpy())
        array = array.astype("<i4" if array.dtype == np.int32 else "<f4")
        start = len(data)
        data += array.tobytes()
        header[name] = {"dtype": "I32" if array.dtype == np.int32 else "F32",
                        "shape": list(array.shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.set_num_threads(1)
    torch.set_grad_enabled(True)
    tensors, seed = {}, 0

    def add(name, *arguments, **sizes):
        nonlocal seed
        seed += 1
        case = make_case(seed, *arguments, **sizes)
        tensors.update({f"{name}/{tensor}": value for tensor, value in case.items()})

    for cell in CELLS:
        reference = reference_of(cell)
        for layers in (1, 2):
            for directions in (1, 2):
                for form, lengths in LENGTHS.items():
                    for with_states in (False, True):
                        states = "states" if with_states else "zeros"
                        add(f"{cell}_l{layers}_d{directions}_{form}_{states}",
                            reference, layers, directions, lengths, with_states)
        add(f"{cell}_l1_d2_long_states", reference, 1, 2, LONG["lengths"], True,
            input_size=LONG["input"], hidden=LONG["hidden"])
    write_safetensors("recurrent.safetensors", tensors, {"torch": torch.__version__})
    print(f"recurrent.safetensors: {len(tensors)} tensors, PyTorch {torch.__version__}", file=sys.stderr)


if __name__ == "__main__":
    main()
