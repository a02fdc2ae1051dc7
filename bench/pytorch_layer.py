"""A recurrent layer by PyTorch, for pytorch_peer.py."""

import math

import torch

from peer_numbers import ALLOWED, Refusal, differences, random_numbers

ROTATED_AT_MOST = 1 << 30  # bytes


class Layer:
    """torch.nn's layer with Sluice's numbers; run(i) is one pass on the i-th inputs."""

    def __init__(self, case, device, cache_bytes):
        self.case, self.training = case, case["pass"] == "training"
        self.type = {"tf32": torch.float32}.get(case["dtype"]) or getattr(torch, case["dtype"])
        cell, hidden = case["cell"], case["H"]
        if case.get("recurrent_dropout") or case.get("layer_dropout") or case.get("input_dropout"):
            raise Refusal("torch.nn's layers have no dropout whose mask is constant over time")
        kinds = {"lstm": (torch.nn.LSTM, {}), "gru": (torch.nn.GRU, {}),
                 "rnn_tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
                 "rnn_relu": (torch.nn.RNN, {"nonlinearity": "relu"})}
        if cell not in kinds:
            raise Refusal(f"torch.nn has no {cell}")
        kind, options = kinds[cell]
        self.layer = kind(case["I"], hidden, num_layers=case["L"], bidirectional=case["D"] == 2,
                          device=device, **options)
        first = 0
        with torch.no_grad():
            for weight in self.layer.parameters():
                numbers = random_numbers("parameters", first, weight.numel(), 1 / math.sqrt(hidden), device)
                weight.copy_(numbers.view_as(weight))
                first += weight.numel()
        self.layer.to(self.type)
        self.lengths = torch.tensor(case["lengths"]) if "lengths" in case else None
        if self.lengths is not None:
            # Sluice's rows are sorted by falling length, those of equal length in their order.
            order = torch.argsort(self.lengths, descending=True, stable=True)
            self.sizes = torch.tensor([int((self.lengths > t).sum()) for t in range(case["T"])])
        if not self.training:
            self.layer.eval().requires_grad_(False)

        def inputs(begin, width):
            count = case["N"] * width
            copies = 1
            if cache_bytes:
                size = count * torch.finfo(self.type).bits // 8
                copies = max(1, min(cache_bytes * 5 // 4, ROTATED_AT_MOST) // size)
            original = random_numbers("inputs", begin, count, device=device).to(self.type)
            shape = (case["N"], width) if self.lengths is not None else (case["T"], case["B"], width)
            return [original.view(shape).clone() for _ in range(copies)]

        self.x = inputs(0, case["I"])
        self.dy = inputs(case.get("second_begin", 0), case["D"] * hidden) if self.training else []
        if self.training:
            for x in self.x:
                x.requires_grad_()

    def forward(self, x):
        if self.lengths is None:
            return self.layer(x)[0]
        packed = torch.nn.utils.rnn.PackedSequence(x, self.sizes)
        return self.layer(packed)[0].data

    def run(self, i):
        x = self.x[i % len(self.x)]
        if not self.training:
            with torch.inference_mode():
                return self.forward(x)
        x.grad = None
        for weight in self.layer.parameters():
            weight.grad = None
        y = self.forward(x)
        y.backward(self.dy[i % len(self.dy)])
        return y

    def largest_difference(self):
        y = self.run(0)
        outputs = {"y": y}
        if self.training:
            outputs["dx"] = self.x[0].grad
            for name, weight in self.layer.named_parameters():
                outputs["d " + name] = weight.grad
        digest = self.case["outputs"]
        if set(digest) != set(outputs):
            raise Refusal(f"outputs {sorted(outputs)} against Sluice's {sorted(digest)}")
        return max((differences(name, value, digest[name]), name) for name, value in outputs.items())

    def allowed(self):
        return max(ALLOWED[self.case["dtype"]], 5e-3 if self.case["cell"] == "rnn_relu" else 0)
