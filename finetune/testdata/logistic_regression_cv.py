"""What scikit-learn's LogisticRegressionCV makes of features that graft has written, for comparison with graft's --head auto.

    graft extract --backbone B --data D --out F      # F: x.npy files and labels
    python logistic_regression_cv.py X_TRAIN.npy Y_TRAIN.npy X_TEST.npy Y_TEST.npy

Defaults (ten C's from 1e-4 to 1e4, five stratified folds, accuracy) on standardised features. Prints one line of JSON.
Seen with scikit-learn 1.9.1; y files hold class numbers.
"""
import json
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
x, y, test_x, test_y = (np.load(p) for p in sys.argv[1:5])
model = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=10, cv=5, max_iter=1000))
began = time.perf_counter()
model.fit(x, y)
seconds = time.perf_counter() - began
p = model.predict_proba(test_x)
right = model.classes_[p.argmax(axis=1)] == test_y
draws = np.random.default_rng(0).integers(0, len(right), (2000, len(right)))
low, high = np.quantile(right[draws].mean(axis=1), [0.025, 0.975])
print(json.dumps({
    "accuracy": round(accuracy_score(test_y, model.classes_[p.argmax(axis=1)]), 4), "interval": [round(low, 4), round(high, 4)],
    "log_loss": round(log_loss(test_y, p, labels=model.classes_), 4), "c": float(np.mean(model[-1].C_)), "seconds": round(seconds, 2),
}))
