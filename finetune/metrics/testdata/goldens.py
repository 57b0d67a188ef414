"""Writes goldens.json: what scikit-learn, scipy and seqeval say of predictions drawn here.

    python -m venv v && v/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 seqeval==1.2.2
    v/bin/python goldens.py

Logits are rounded to three decimals, so that float32 keeps their order, and some of them tie.
"""
import json
import warnings
from pathlib import Path
import numpy as np
from scipy import stats
from scipy.special import expit, softmax
from sklearn import metrics as m
from seqeval import metrics as seq

rng = np.random.default_rng(11)
warnings.simplefilter("ignore")


def flat(a):
    a = np.atleast_2d(np.asarray(a, dtype=np.float64))
    return {"rows": a.shape[0], "cols": a.shape[1], "data": a.ravel().tolist()}


def averages(y, p, names, **kw):
    out = {}
    for a in names:
        pr, re, f1, _ = m.precision_recall_fscore_support(y, p, average=a, zero_division=0, **kw)
        suffix = "" if a == "binary" else "_" + a
        out |= {"eval_precision" + suffix: pr, "eval_recall" + suffix: re, "eval_f1" + suffix: f1}
    return out


def calibration_error(conf, hit, bins=15):
    edges = np.linspace(0, 1, bins + 1)
    error = 0.0
    for lo, hi in zip(edges[:-1], edges[1:]):
        inside = (conf > lo) & (conf <= hi)
        if inside.any():
            error += inside.mean() * abs(conf[inside].mean() - hit[inside].mean())
    return error


def defined(values):
    values = [v for v in values if np.isfinite(v)]
    return float(np.mean(values))


def per_class(y, p, score, k):
    pr, re, f1, n = m.precision_recall_fscore_support(y, p, labels=range(k), zero_division=0)
    lines = []
    for j in range(k):
        t = (y == j).astype(int)
        lines.append({"precision": pr[j], "recall": re[j], "f1": f1[j], "support": int(n[j]),
                      "roc_auc": m.roc_auc_score(t, score[:, j]) if 0 < t.sum() < len(t) else None,
                      "average_precision": m.average_precision_score(t, score[:, j]) if t.any() else None})
    return lines


def classification(name, n, k, signal, absent=()):
    y = rng.choice([j for j in range(k) if j not in absent], size=n, p=None)
    y[y == 0] = np.where(rng.random((y == 0).sum()) < 0.5, y[y == 0], y.max())  # uneven classes
    z = np.round(rng.normal(size=(n, k)) + signal * np.eye(k)[y], 3)
    z[: n // 4] = np.round(z[: n // 4], 0)
    prob = softmax(z, axis=1)
    pred = z.argmax(axis=1)
    eye = np.eye(k)[y]
    want = averages(y, pred, ["macro", "micro", "weighted"])
    want |= {"eval_accuracy": m.accuracy_score(y, pred), "eval_balanced_accuracy": m.balanced_accuracy_score(y, pred),
             "eval_matthews_correlation": m.matthews_corrcoef(y, pred),
             "eval_log_loss": m.log_loss(y, prob, labels=range(k)),
             "eval_ece": calibration_error(prob.max(axis=1), pred == y)}
    odds = np.round(np.log(prob) - np.log1p(-prob), 6)  # so that rounding neither makes nor breaks ties
    lines = per_class(y, pred, odds, k)
    if k == 2:
        want |= averages(y, pred, ["binary"])
        want |= {"eval_brier": m.brier_score_loss(y, prob[:, 1]), "eval_roc_auc": lines[1]["roc_auc"],
                 "eval_average_precision": lines[1]["average_precision"]}
    else:
        want |= {"eval_brier": ((prob - eye) ** 2).sum(axis=1).mean(),
                 "eval_roc_auc": np.mean([v["roc_auc"] for v in lines if v["roc_auc"] is not None]),
                 "eval_average_precision": np.mean([v["average_precision"] for v in lines if v["average_precision"] is not None])}
    for top in (3, 5):
        if k > top:
            want[f"eval_top_{top}_accuracy"] = m.top_k_accuracy_score(y, z - 1e-6 * np.arange(k), k=top, labels=range(k))
    return {"name": name, "truth": y.tolist(), "logits": flat(z), "metrics": want, "classes": lines,
            "confusion": m.confusion_matrix(y, pred, labels=range(k)).tolist()}


def multilabel(name, n, k, rate):
    y = (rng.random((n, k)) < rate).astype(int)
    z = np.round(rng.normal(size=(n, k)) + 1.5 * (2 * y - 1), 3)
    p = (z > 0).astype(int)
    want = averages(y, p, ["macro", "micro", "weighted"])
    want |= {"eval_subset_accuracy": m.accuracy_score(y, p), "eval_hamming_loss": m.hamming_loss(y, p),
             "eval_log_loss": np.mean([m.log_loss(y[:, j], expit(z[:, j]), labels=[0, 1]) for j in range(k)]),
             "eval_roc_auc": defined([m.roc_auc_score(y[:, j], z[:, j]) if 0 < y[:, j].sum() < n else np.nan for j in range(k)]),
             "eval_average_precision": defined([m.average_precision_score(y[:, j], z[:, j]) if y[:, j].any() else np.nan for j in range(k)])}
    lines = []
    pr, re, f1, s = m.precision_recall_fscore_support(y, p, zero_division=0)
    for j in range(k):
        some = 0 < y[:, j].sum() < n
        lines.append({"precision": pr[j], "recall": re[j], "f1": f1[j], "support": int(s[j]),
                      "roc_auc": m.roc_auc_score(y[:, j], z[:, j]) if some else None,
                      "average_precision": m.average_precision_score(y[:, j], z[:, j]) if y[:, j].any() else None})
    return {"name": name, "truth": flat(y), "logits": flat(z), "metrics": want, "classes": lines}


def regression(name, n, t, noise):
    y = np.round(rng.normal(size=(n, t)) * 2 + 1, 1)
    p = np.round(y + noise * rng.normal(size=(n, t)), 2)
    want = {"eval_mae": m.mean_absolute_error(y, p), "eval_mse": m.mean_squared_error(y, p),
            "eval_rmse": m.root_mean_squared_error(y, p), "eval_r2": m.r2_score(y, p),
            "eval_pearson": np.mean([stats.pearsonr(y[:, j], p[:, j])[0] for j in range(t)]),
            "eval_spearmanr": np.mean([stats.spearmanr(y[:, j], p[:, j])[0] for j in range(t)])}
    return {"name": name, "truth": flat(y), "predicted": flat(p), "metrics": want}


def tags(name, sentences, types, broken):
    choices = ["O"] * 4 + [f"{b}-{t}" for t in types for b in ("B", "I", "I")]
    truth, pred = [], []
    for _ in range(sentences):
        length = int(rng.integers(0, 12))
        line, last = [], "O"
        for _ in range(length):
            tag = str(rng.choice(choices))
            if not broken and tag[0] == "I" and last[2:] != tag[2:]:
                tag = "B" + tag[1:]
            line.append(tag)
            last = tag
        truth.append(line)
        pred.append([t if rng.random() < 0.7 else str(rng.choice(choices)) for t in line])
    report = seq.classification_report(truth, pred, output_dict=True, zero_division=0)
    want = {"eval_precision": seq.precision_score(truth, pred), "eval_recall": seq.recall_score(truth, pred),
            "eval_f1": seq.f1_score(truth, pred), "eval_accuracy": seq.accuracy_score(truth, pred),
            "eval_f1_macro": seq.f1_score(truth, pred, average="macro"),
            "eval_precision_macro": seq.precision_score(truth, pred, average="macro"),
            "eval_recall_macro": seq.recall_score(truth, pred, average="macro"),
            "eval_f1_weighted": seq.f1_score(truth, pred, average="weighted")}
    lines = {t: {"precision": v["precision"], "recall": v["recall"], "f1": v["f1-score"], "support": int(v["support"])}
             for t, v in report.items() if not t.endswith("avg")}
    return {"name": name, "truth": truth, "predicted": pred, "metrics": want, "classes": lines}


out = {
    "classification": [classification("binary", 120, 2, 1.0), classification("three classes", 150, 3, 1.5),
                       classification("eight classes, two absent", 200, 8, 2.0, absent=(3, 6)),
                       classification("twelve classes", 180, 12, 1.0),
                       classification("almost random", 60, 4, 0.1)],
    "multilabel": [multilabel("four labels", 80, 4, 0.3), multilabel("a label nobody has", 60, 3, np.array([0.5, 0.0, 0.2]))],
    "regression": [regression("one target", 70, 1, 0.7), regression("three targets", 50, 3, 2.0)],
    "entities": [tags("two types", 60, ["PER", "LOC"], False), tags("broken BIO", 80, ["person", "group", "product"], True)],
}
with open(Path(__file__).with_name("goldens.json"), "w") as f:
    json.dump(out, f, separators=(",", ":"), default=float)
    f.write("\n")
