"""A whole training step by PyTorch in eager mode (bench/layers/training_step.h), for pytorch_peer.py. The reviews
are made up as Sluice's are, of IMDB's lengths: no file is read."""

import math

import torch

from peer_numbers import ALLOWED, random_numbers, random_words

QUANTILES = [20, 84, 120, 136, 146, 158, 171, 184, 202, 224, 251, 289, 331, 390]
CUT_AT_400 = torch.tensor(QUANTILES + [400, 400, 400])
CUT_AT_1000 = torch.tensor(QUANTILES + [478, 636, 1000])
UNKNOWN = 1


def dropped(values, rate, shape):
    """Times a mask of this shape, scaled by 1 / (1 - rate)."""
    return values * torch.empty(shape, device=values.device).bernoulli_(1 - rate).div_(1 - rate)


class Step:
    """Embedding, layer, pooling, sigmoid unit, Adam: fused where this PyTorch has that for the device. Padded to
    the longest row of the batch; the recipe's layer runs in both directions, so its rows are packed."""

    def __init__(self, case, device, _):
        self.case, self.device, self.training = case, device, True
        self.recipe = case.get("recipe", False)
        vocabulary, embedding, hidden, batch = case["V"], case["E"], case["H"], case["B"]
        layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[case["cell"]]
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.layer = layer(embedding, hidden, bidirectional=self.recipe)
        self.head = torch.nn.Linear(hidden * (2 if self.recipe else 1), 1)
        modules = torch.nn.ModuleList([self.embedding, self.layer, self.head]).to(device)
        first = 0
        with torch.no_grad():
            for module in modules:
                first = (first + 63) // 64 * 64  # the parts of Sluice's flat buffer are aligned
                for weight in module.parameters():
                    weight.copy_(random_numbers("parameters", first, weight.numel(), 0.1, device).view_as(weight))
                    first += weight.numel()
        self.parameters = list(modules.parameters())
        adam = {"lr": 1e-3, "eps": 1e-4 if self.recipe else 1e-8}
        try:
            self.optimizer = torch.optim.Adam(self.parameters, **adam, fused=True)
        except RuntimeError:  # on a CPU before PyTorch 2.4
            self.optimizer = torch.optim.Adam(self.parameters, **adam, foreach=True)
        self.averages = [weight.detach().clone() for weight in self.parameters]
        self.batches = self.make_batches(vocabulary, batch)

    def make_batches(self, vocabulary, batch):
        rows, longest = self.case["batches"] * batch, self.case.get("longest", 400)
        quantiles = CUT_AT_1000 if longest > 400 else CUT_AT_400
        words = random_words("lengths", 0, rows)
        place, within = words % 16, (words >> 4) % 64
        lengths = quantiles[place] + ((quantiles[place + 1] - quantiles[place]) * within >> 6)
        if self.case["bucketed"]:
            lengths = lengths.sort().values
        made = []
        for begin in range(0, rows, batch):
            own = lengths[begin:begin + batch]
            steps = int(own.max()) if self.case["bucketed"] else longest
            x = torch.zeros((steps, batch), dtype=torch.int64)
            for i, length in enumerate(own.tolist()):
                word = random_words("tokens", longest * (begin + i), length)
                power = 2 ** (word % 13)
                tokens = (power + (word >> 4) % power) % (vocabulary - 2) + 2
                x[0 if self.case["bucketed"] else steps - length:, i][:length] = tokens
            if not self.case["bucketed"]:
                own = torch.full((batch,), steps)
            made.append((x.to(self.device), own, (own - 1).to(self.device),
                         (torch.arange(begin, begin + batch) % 2).float().to(self.device)))
        return made

    def pooled(self, embedded, lengths, last):
        if not self.recipe:
            y, _ = self.layer(embedded)
            return y[last, torch.arange(len(last), device=self.device)]
        packed = torch.nn.utils.rnn.pack_padded_sequence(embedded, lengths, enforce_sorted=False)
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(self.layer(packed)[0], padding_value=-math.inf)
        return y.amax(0)

    def loss(self, x, lengths, last, label, training):
        if training and self.recipe:
            x = x.masked_fill(torch.rand(x.shape, device=self.device) < 0.4, UNKNOWN)
        embedded = self.embedding(x)
        if training:
            embedded = dropped(embedded, 0.6 if self.recipe else 0.2, (1, *embedded.shape[1:]))
        features = self.pooled(embedded, lengths, last)
        if training and self.recipe:
            features = dropped(features, 0.3, features.shape)
        return torch.nn.functional.binary_cross_entropy_with_logits(self.head(features)[:, 0], label)

    def run(self, i):
        loss = self.loss(*self.batches[i % len(self.batches)], True)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.recipe:
            with torch.no_grad():
                torch._foreach_lerp_(self.averages, self.parameters, 1 - 0.998)

    def largest_difference(self):
        with torch.no_grad():
            loss = float(self.loss(*self.batches[0], False))
        return abs(loss - self.case["first_loss"]) / self.case["first_loss"], "first loss"

    def allowed(self):
        return ALLOWED[self.case["dtype"]]
