"""Writes decisions.json: what scikit-learn says of predictions with thresholds, and of answers that are withheld.

    python -m venv v && v/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    v/bin/python decisions.py
"""
import json
from pathlib import Path
import numpy as np
from scipy.special import expit, softmax
from sklearn import metrics as m

rng = np.random.default_rng(12)


def flat(a):
    a = np.atleast_2d(np.asarray(a, dtype=np.float64))
    return {"rows": a.shape[0], "cols": a.shape[1], "data": a.ravel().tolist()}


def scores(y, p, averages):
    out = {}
    for a in averages:
        pr, re, f1, _ = m.precision_recall_fscore_support(y, p, average=a, zero_division=0)
        suffix = "" if a == "binary" else "_" + a
        out |= {"eval_precision" + suffix: pr, "eval_recall" + suffix: re, "eval_f1" + suffix: f1}
    return out


def two(threshold, abstain):
    y = (rng.random(150) < 0.3).astype(int)
    z = np.round(rng.normal(size=(150, 2)) + np.eye(2)[y], 3)
    prob = softmax(z, axis=1)
    p = (prob[:, 1] > threshold).astype(int)
    want = scores(y, p, ["binary", "macro", "micro", "weighted"])
    want |= {"eval_accuracy": m.accuracy_score(y, p), "eval_matthews_correlation": m.matthews_corrcoef(y, p),
             "eval_log_loss": m.log_loss(y, prob), "eval_brier": m.brier_score_loss(y, prob[:, 1]),
             "eval_roc_auc": m.roc_auc_score(y, z[:, 1] - z[:, 0])}
    if abstain:
        shifted = expit(np.abs(z[:, 1] - z[:, 0] - np.log(threshold / (1 - threshold))))
        sure = shifted >= abstain
        want |= {"eval_coverage": sure.mean(), "eval_answered_accuracy": m.accuracy_score(y[sure], p[sure])}
    return {"kind": "classes", "truth": y.tolist(), "logits": flat(z), "threshold": [threshold], "abstain": abstain, "metrics": want}


def many(k, abstain):
    y = rng.integers(0, k, size=200)
    z = np.round(rng.normal(size=(200, k)) + 1.5 * np.eye(k)[y], 3)
    prob = softmax(z, axis=1)
    p, sure = z.argmax(axis=1), prob.max(axis=1) >= abstain
    want = scores(y, p, ["macro", "micro"]) | {"eval_accuracy": m.accuracy_score(y, p), "eval_coverage": sure.mean(),
                                               "eval_answered_accuracy": m.accuracy_score(y[sure], p[sure])}
    return {"kind": "classes", "truth": y.tolist(), "logits": flat(z), "threshold": None, "abstain": abstain, "metrics": want}


def labels(thresholds, k):
    y = (rng.random((90, k)) < 0.3).astype(int)
    z = np.round(rng.normal(size=(90, k)) + 1.5 * (2 * y - 1), 3)
    p = (expit(z) > np.asarray(thresholds)).astype(int)
    want = scores(y, p, ["macro", "micro", "weighted"])
    want |= {"eval_subset_accuracy": m.accuracy_score(y, p), "eval_hamming_loss": m.hamming_loss(y, p)}
    return {"kind": "labels", "rows": flat(y), "logits": flat(z), "threshold": thresholds, "abstain": 0, "metrics": want}


out = [two(0.3, 0), two(0.8, 0.7), two(0.5, 0.9), many(4, 0.6), labels([0.2, 0.7, 0.5], 3), labels([0.35], 4)]
with open(Path(__file__).with_name("decisions.json"), "w") as f:
    json.dump(out, f, separators=(",", ":"), default=float)
    f.write("\n")
