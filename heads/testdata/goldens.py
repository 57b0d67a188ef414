"""Writes goldens.json: optima found by scikit-learn on small data drawn here.

    python -m venv v && v/bin/pip install scikit-learn==1.9.1 numpy==2.4.6 && v/bin/python goldens.py

Features are float32, rounded to three decimals so that the JSON holds them exactly; all of scikit-learn's work is in
float64 and run to a tolerance far below what the tests ask for.
"""
import json
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifierCV, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_class_weight

rng = np.random.default_rng(7)


def draw(n, d, k, spread=1.0):
    """Features of k overlapping classes, with columns of unequal scale and offset, some of them correlated."""
    y = np.arange(n) % k
    x = rng.normal(size=(n, d)) + spread * rng.normal(size=(k, d))[y]
    x = x @ (np.eye(d) + 0.4 * rng.normal(size=(d, d))) * np.exp(rng.normal(size=d)) + 3 * rng.normal(size=d)
    return np.round(x, 3).astype(np.float32), y


def matrix(m, digits=10):
    m = np.atleast_2d(np.asarray(m, dtype=np.float64))
    return {"rows": m.shape[0], "cols": m.shape[1], "data": [float(f"{v:.{digits}g}") for v in m.ravel()]}


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
    return {"name": name, "x": matrix(x, 7), "y": y.tolist(), "classes": k, "c": c,
            "weights": None if w is None else w.astype(float).tolist(),
            "balanced": weight == "balanced", "of": weight if isinstance(weight, dict) else None,
            "objective": objective, "logits": matrix(logits)}


def multilabel(name, n, d, k, c, weight=None):
    x, _ = draw(n, d, 2)
    y = (x @ rng.normal(size=(d, k)) + rng.normal(size=k) * 3 + 2 * rng.normal(size=(n, k)) > 0).astype(int)
    z = StandardScaler().fit_transform(x.astype(np.float64))
    logits, objective = np.zeros((n, k)), 0.0
    for j in range(k):
        m = LogisticRegression(C=c, tol=1e-13, max_iter=10000, solver="newton-cholesky", class_weight=weight).fit(z, y[:, j])
        logits[:, j] = m.decision_function(z)
        row = np.ones(n) if weight is None else compute_class_weight(weight, classes=np.arange(2), y=y[:, j])[y[:, j]]
        objective += 0.5 * (m.coef_ ** 2).sum() + c * (row * np.logaddexp(0, (1 - 2 * y[:, j]) * logits[:, j])).sum()
    return {"name": name, "x": matrix(x, 7), "labels": matrix(y), "c": c, "balanced": weight == "balanced", "objective": objective, "logits": matrix(logits)}


def svm(name, n, d, k, c, sample=False, weight=None):
    x, y = draw(n, d, k)
    w = np.round(rng.uniform(0.2, 3, size=n), 3).astype(np.float32) if sample else None
    x64 = x.astype(np.float64)
    z = StandardScaler().fit(x64, sample_weight=w).transform(x64)
    if weight is not None:  # as sample weights: LinearSVC's own class weights of one class against the rest leave the rest at 1
        w = np.array([weight[v] for v in y], dtype=np.float32)
    m = LinearSVC(C=c, dual=False, tol=1e-13, max_iter=1000000).fit(z, y, sample_weight=w)
    f = m.decision_function(z)
    row = np.ones(n) if w is None else w.astype(np.float64)
    f = f.reshape(n, -1)
    t = (2 * y - 1)[:, None] if k == 2 else np.where(np.eye(k)[y] > 0, 1, -1)
    objective = 0.5 * (m.coef_ ** 2).sum() + 0.5 * (m.intercept_ ** 2).sum() + c * (row[:, None] * np.maximum(0, 1 - t * f) ** 2).sum()
    logits = np.hstack([-f / 2, f / 2]) if k == 2 else f
    return {"name": name, "x": matrix(x, 7), "y": y.tolist(), "classes": k, "c": c,
            "weights": w.astype(float).tolist() if sample else None, "of": weight, "objective": objective, "logits": matrix(logits)}


ALPHAS = [1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6]


def ridge(name, n, d, t, noise, sample=False):
    x, _ = draw(n, d, 2)
    w = np.round(rng.uniform(0.2, 3, size=n), 3).astype(np.float32) if sample else None
    x64 = x.astype(np.float64)
    z = StandardScaler().fit(x64, sample_weight=w).transform(x64)
    y = np.round(z @ rng.normal(size=(d, t)) + noise * rng.normal(size=(n, t)) + 5, 3).astype(np.float32)
    m = RidgeCV(alphas=ALPHAS).fit(z, y.astype(np.float64), sample_weight=w)
    one = Ridge(alpha=2.5, tol=1e-12).fit(z, y.astype(np.float64), sample_weight=w)
    return {"name": name, "x": matrix(x, 7), "values": matrix(y, 7), "weights": None if w is None else w.astype(float).tolist(),
            "alpha": m.alpha_, "predicted": matrix(m.predict(z).reshape(n, t)), "predicted_one": matrix(one.predict(z).reshape(n, t))}


def ridge_classifier(name, n, d, k, weight=None, sample=False):
    x, y = draw(n, d, k)
    w = np.round(rng.uniform(0.2, 3, size=n), 3).astype(np.float32) if sample else None
    x64 = x.astype(np.float64)
    z = StandardScaler().fit(x64, sample_weight=w).transform(x64)
    m = RidgeClassifierCV(alphas=ALPHAS, class_weight=weight).fit(z, y, sample_weight=w)
    f = m.decision_function(z).reshape(n, -1)
    return {"name": name, "x": matrix(x, 7), "y": y.tolist(), "classes": k, "balanced": weight == "balanced", "of": weight if isinstance(weight, dict) else None,
            "weights": None if w is None else w.astype(float).tolist(), "alpha": m.alpha_,
            "logits": matrix(np.hstack([-f / 2, f / 2]) if k == 2 else f)}


def prototypes(name, n, d, k):
    """What is nearest among held-out rows, by class mean and by neighbours."""
    x, y = draw(n, d, k, spread=0.7)
    half = n // 2
    s = StandardScaler().fit(x[:half].astype(np.float64))
    a, b = s.transform(x[:half].astype(np.float64)), s.transform(x[half:].astype(np.float64))
    ya = y[:half]
    unit = normalize(a)
    means = np.stack([unit[ya == c].mean(axis=0) for c in range(k)])
    values = np.round(a @ rng.normal(size=(d, 2)), 3).astype(np.float32)
    return {"name": name, "x": matrix(x[:half], 7), "y": ya.tolist(), "classes": k, "held": matrix(x[half:], 7), "held_y": y[half:].tolist(),
            "values": matrix(values, 7),
            "euclidean": NearestCentroid().fit(a, ya).predict(b).tolist(),
            "cosine": matrix(normalize(b) @ normalize(means).T),
            "knn": matrix(KNeighborsClassifier(7).fit(a, ya).predict_proba(b)),
            "knn_cosine": matrix(KNeighborsClassifier(4, metric="cosine").fit(a, ya).predict_proba(b)),
            "knn_values": matrix(KNeighborsRegressor(3).fit(a, values.astype(np.float64)).predict(b))}


def main():
    more = {
        "prototypes": [prototypes("three classes", 160, 6, 3), prototypes("eight classes", 240, 12, 8)],
        "multilabel": [multilabel("three labels", 150, 6, 3, 1.0), multilabel("one label", 100, 8, 1, 0.1),
                       multilabel("seven labels", 200, 10, 7, 3.0)],
        "svm": [svm("binary", 120, 7, 2, 1.0), svm("four classes", 150, 8, 4, 0.05), svm("sample weights", 110, 6, 3, 0.5, sample=True),
                svm("more columns than rows", 40, 60, 3, 0.01)],
        "ridge": [ridge("one target", 100, 8, 1, 1.0), ridge("three targets", 130, 20, 3, 4.0),
                  ridge("sample weights", 90, 6, 2, 2.0, sample=True), ridge("more columns than rows", 40, 70, 2, 20.0),
                  ridge("more columns than rows, weights", 40, 55, 1, 20.0, sample=True)],
        "ridge_classifier": [ridge_classifier("binary", 120, 9, 2), ridge_classifier("five classes", 150, 12, 5),
                             ridge_classifier("balanced", 131, 8, 4, weight="balanced"),
                             ridge_classifier("more columns than rows", 35, 50, 3)],
    }
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
    out |= more
    # what came later draws after all else, so that what was there stays as it was
    out["multilabel"].append(multilabel("balanced", 140, 6, 4, 0.7, weight="balanced"))
    out["svm"].append(svm("weights by class", 130, 7, 3, 0.3, weight={0: 0.5, 1: 2.0, 2: 3.0}))
    out["svm"].append(svm("weights of two classes", 120, 6, 2, 2.0, weight={0: 0.25, 1: 1.5}))
    out["ridge_classifier"].append(ridge_classifier("weights by class", 120, 7, 3, weight={0: 0.5, 1: 2.0, 2: 3.0}))
    out["ridge_classifier"].append(ridge_classifier("sample weights", 110, 6, 3, sample=True))
    with open(Path(__file__).with_name("goldens.json"), "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


main()
