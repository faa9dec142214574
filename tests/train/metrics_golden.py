#!/usr/bin/env python3
"""Writes metrics_golden.csv beside it, which metrics_test.cpp reads: seeded predictions and what scikit-learn and numpy
make of them. Columns: set, figure, index (of a sample or class; empty: of all), value. Needs scikit-learn."""
import csv
from pathlib import Path

import numpy as np
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight


def skewed(rng, samples, classes, right, absent=(), never=()):
    """Truths as 1 / (1 + class), right that often, else anything; truths not of `absent`, predictions not of `never`."""
    share = 1 / (1 + np.arange(classes))
    share[list(absent)] = 0
    truth = rng.choice(classes, samples, p=share / share.sum())
    others = [c for c in range(classes) if c not in never]
    found = np.where(rng.random(samples) < right, truth, rng.choice(others, samples))
    found[np.isin(found, list(never))] = others[0]
    return truth, found, classes


rng = np.random.default_rng(20261125)
sets = [
    (np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 4]), np.array([0, 0, 1, 3, 1, 1, 0, 2, 3, 4]), 6),  # 3 only found, 5 never
    skewed(rng, 400, 12, 0.7),
    skewed(rng, 300, 20, 0.5, absent=(0, 7, 19), never=(2, 7, 11)),  # 7 in neither
    (np.arange(50) % 7, np.arange(50) % 7, 7),  # all right
    (np.arange(50) % 7, (np.arange(50) + 1) % 7, 7),  # all wrong
    (np.array([2]), np.array([2]), 4),
]
rows = []
for number, (truth, found, classes) in enumerate(sets):
    every = range(classes)
    counts = np.bincount(truth, minlength=classes)
    present = np.unique(truth)
    balanced, largest = np.ones(classes), np.ones(classes)
    balanced[present] = compute_class_weight("balanced", classes=present, y=truth)
    largest[present] = counts.max() / counts[present]
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, found, labels=every, zero_division=0)
    top = sorted(present, key=lambda c: (-counts[c], c))
    single = {
        "classes": classes,
        "accuracy": metrics.accuracy_score(truth, found),
        "balanced_accuracy": np.mean(recall[present]),
        "macro_f1": metrics.f1_score(truth, found, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(truth, found, average="weighted", zero_division=0),
        "macro_f1_top10": metrics.f1_score(truth, found, labels=top[:10], average="macro", zero_division=0),
        "macro_f1_top20": metrics.f1_score(truth, found, labels=top[:20], average="macro", zero_division=0),
    }
    if len(present) > 1:
        assert abs(metrics.balanced_accuracy_score(truth, found) - single["balanced_accuracy"]) < 1e-15
    lists = {"truth": truth, "found": found, "precision": precision, "recall": recall, "f1": f1, "support": support,
             "balanced_weight": balanced, "largest_weight": largest}
    rows += [(number, name, "", value) for name, value in single.items()]
    rows += [(number, name, i, value) for name, values in lists.items() for i, value in enumerate(values)]
with open(Path(__file__).with_suffix(".csv"), "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["set", "figure", "index", "value"])
    writer.writerows((number, name, i, repr(value.item() if hasattr(value, "item") else value)) for number, name, i, value in rows)
