# The figures metrics_test.cpp expects, from scikit-learn.
import numpy as np
from sklearn import metrics as m

truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 4]
found = [0, 0, 1, 3, 1, 1, 0, 2, 3, 4]
print("top1", m.accuracy_score(truth, found))
print("class average", m.balanced_accuracy_score([t for t in truth], found))
print("macro f1", m.f1_score(truth, found, average="macro", zero_division=0))
print("weighted f1", m.f1_score(truth, found, average="weighted", zero_division=0))
for row in zip(*m.precision_recall_fscore_support(truth, found, labels=range(6), zero_division=0)):
    print(*[float(v) for v in row])
