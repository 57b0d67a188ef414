"""Writes goldens.json: optima found by scikit-learn on small data drawn here.

    python -m venv v && v/bin/pip install scikit-learn==1.9.1 numpy==2.4.6 && v/bin/python goldens.py

Features are float32, rounded to three decimals so that the JSON holds them exactly; all of scikit-learn's work is in
float64 and run to a tolerance far below what the tests ask for.
"""
import json
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

rng = np.random.default_rng(7)


def draw(n, d, k, spread=1.0):
    """Features of k overlapping classes, with columns of unequal scale and offset, some of them correlated."""
    y = np.arange(n) % k
    x = rng.normal(size=(n, d)) + spread * rng.normal(size=(k, d))[y]
    x = x @ (np.eye(d) + 0.4 * rng.normal(size=(d, d))) * np.exp(rng.normal(size=d)) + 3 * rng.normal(size=d)
    return np.round(x, 3).astype(np.float32), y


def matrix(m):
    m = np.atleast_2d(np.asarray(m, dtype=np.float64))
    return {"rows": m.shape[0], "cols": m.shape[1], "data": m.ravel().tolist()}


def softmax_loss(z, y):
    return logsumexp(z, axis=1) - z[np.arange(len(y)), y]


def logistic(name, n, d, k, c, weight=None, sample=False):
    x, y = draw(n, d, k)
    w = np.round(rng.uniform(0.2, 3, size=n), 3).astype(np.float32) if sample else None
    x64 = x.astype(np.float64)
    z = StandardScaler().fit(x64, sample_weight=w).transform(x64)
    m = LogisticRegression(C=c, tol=1e-12, max_iter=100000, class_weight=weight,
                           solver="newton-cholesky" if k == 2 else "lbfgs").fit(z, y, sample_weight=w)
    if k > 2:  # from there on to full precision
        m = LogisticRegression(C=c, tol=1e-13, max_iter=100000, class_weight=weight,
                               solver="newton-cg").fit(z, y, sample_weight=w)
    row = np.ones(n) if w is None else w.astype(np.float64)
    if weight is not None:
        classes = np.arange(k)
        row = row * compute_class_weight(weight, classes=classes, y=y, **({"sample_weight": w} if sample else {}))[y]
    logits = m.decision_function(z)
    logits = np.stack([-logits / 2, logits / 2], axis=1) if k == 2 else logits - m.intercept_.mean()
    objective = 0.5 * (m.coef_ ** 2).sum() + c * (row * softmax_loss(logits, y)).sum()
    return {"name": name, "x": matrix(x), "y": y.tolist(), "classes": k, "c": c,
            "weights": None if w is None else w.astype(float).tolist(),
            "balanced": weight == "balanced", "of": weight if isinstance(weight, dict) else None,
            "objective": objective, "logits": matrix(logits)}


def main():
    out = {"logistic": [
        logistic("binary", 120, 7, 2, 1.0),
        logistic("binary strong penalty", 90, 20, 2, 0.003),
        logistic("binary sample weights", 110, 6, 2, 10.0, sample=True),
        logistic("three classes", 150, 8, 3, 1.0),
        logistic("five classes weak penalty", 160, 12, 5, 10.0),
        logistic("balanced", 131, 6, 4, 0.5, weight="balanced"),
        logistic("balanced with sample weights", 131, 6, 4, 0.5, weight="balanced", sample=True),
        logistic("weights by class", 140, 6, 3, 2.0, weight={0: 0.5, 1: 1.0, 2: 4.0}),
        logistic("more columns than rows", 40, 60, 4, 0.1),
    ]}
    with open(Path(__file__).with_name("goldens.json"), "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


main()
