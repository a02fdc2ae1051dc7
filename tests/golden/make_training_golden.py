#!/usr/bin/env python3
"""Writes tests/host/training/pytorch_training.json: ten training steps of small classifiers, by PyTorch.

Each case holds the configuration, the initial weights by name, ten batches and the loss of each
step. trainer_test.cpp takes the same steps and compares. Needs PyTorch; run from anywhere:

    python3 tests/golden/make_training_golden.py
"""
import json
import pathlib

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VOCABULARY, STEPS, BATCH, LONGEST = 30, 10, 6, 9

CASES = [
    dict(name="lstm_last_adam", cell="lstm", layers=1, bidirectional=False, pooling="last",
         classes=2, optimizer="adam", lr=0.01, clip_norm=0.5),
    dict(name="lstm_two_layers_both_ways_rmsprop", cell="lstm", layers=2, bidirectional=True,
         pooling="last", classes=2, optimizer="rmsprop", lr=0.01, momentum=0.5, weight_decay=0.01),
    dict(name="gru_mean_adamw", cell="gru", layers=1, bidirectional=True, pooling="mean",
         classes=4, optimizer="adamw", lr=0.01, weight_decay=0.1),
    dict(name="rnn_max_sgd", cell="rnn_tanh", layers=2, bidirectional=False, pooling="max",
         classes=3, optimizer="sgd", lr=0.1, momentum=0.9, nesterov=True, clip_value=0.05),
    dict(name="relu_rnn_last_sgd", cell="rnn_relu", layers=1, bidirectional=True, pooling="last",
         classes=2, optimizer="sgd", lr=0.1, weight_decay=0.01, clip_norm=0.2),
]
EMBEDDING, HIDDEN = 7, 5


class Classifier(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.case = case
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}.get(case["cell"], nn.RNN)
        extra = {"nonlinearity": case["cell"][4:]} if kind is nn.RNN else {}
        self.rnn = kind(EMBEDDING, HIDDEN, case["layers"], bidirectional=case["bidirectional"], **extra)
        directions = 2 if case["bidirectional"] else 1
        logits = 1 if case["classes"] == 2 else case["classes"]
        self.head = nn.Linear(directions * HIDDEN, logits)

    def forward(self, tokens, lengths):  # tokens [T, B]
        packed = pack_padded_sequence(self.embedding(tokens), lengths, enforce_sorted=False)
        out, state = self.rnn(packed)
        if self.case["pooling"] == "last":
            h_n = state[0] if self.case["cell"] == "lstm" else state
            features = torch.cat([h_n[-2], h_n[-1]], 1) if self.case["bidirectional"] else h_n[-1]
        else:
            y, _ = pad_packed_sequence(out)
            dead = torch.arange(y.shape[0])[:, None] >= lengths[None, :]
            if self.case["pooling"] == "mean":
                features = y.sum(0) / lengths[:, None]
            else:
                features = y.masked_fill(dead[:, :, None], float("-inf")).max(0).values
        return self.head(features)


def optimizer_of(case, parameters):
    decay = case.get("weight_decay", 0.0)
    momentum = case.get("momentum", 0.0)
    if case["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, case["lr"], momentum=momentum, weight_decay=decay,
                               nesterov=case.get("nesterov", False))
    if case["optimizer"] == "rmsprop":
        return torch.optim.RMSprop(parameters, case["lr"], momentum=momentum, weight_decay=decay)
    if case["optimizer"] == "adam":
        return torch.optim.Adam(parameters, case["lr"], weight_decay=decay)
    return torch.optim.AdamW(parameters, case["lr"], weight_decay=decay)


def run(case, seed):
    torch.manual_seed(seed)
    model = Classifier(case)
    record = dict(case, vocabulary_size=VOCABULARY, embedding_size=EMBEDDING, hidden_size=HIDDEN)
    record["weights"] = {name: p.detach().flatten().tolist() for name, p in model.named_parameters()}
    record["batches"], record["losses"] = [], []
    optimizer = optimizer_of(case, model.parameters())
    for _ in range(STEPS):
        lengths = torch.randint(1, LONGEST + 1, (BATCH,))
        tokens = torch.randint(0, VOCABULARY, (int(lengths.max()), BATCH))
        labels = torch.randint(0, case["classes"], (BATCH,))
        logits = model(tokens, lengths)
        if case["classes"] == 2:
            loss = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], labels.float())
        else:
            loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        if "clip_value" in case:
            nn.utils.clip_grad_value_(model.parameters(), case["clip_value"])
        if "clip_norm" in case:
            nn.utils.clip_grad_norm_(model.parameters(), case["clip_norm"])
        optimizer.step()
        rows = [tokens[:length, b].tolist() for b, length in enumerate(lengths.tolist())]
        record["batches"].append({"rows": rows, "labels": labels.tolist()})
        record["losses"].append(loss.item())
    return record


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = pathlib.Path(__file__).parents[1] / "host" / "training" / "pytorch_training.json"
    document = {"torch": torch.__version__, "cases": [run(case, 7 + i) for i, case in enumerate(CASES)]}
    path.write_text(json.dumps(document) + "\n")
    for case in document["cases"]:
        print(case["name"], [round(loss, 4) for loss in case["losses"]])
