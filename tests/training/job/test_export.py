"""A model leaves as ONNX only when ONNX answers as the model does."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.job import export


def exported(model, data, folder):
    names = [str(name) for name in data.feature_names]
    table = export.Table(names, data.data, data.target, list(data.target_names), "kind")
    return export.export(model, folder, "m", table)


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_linear_model_leaves_with_its_signature(load, tmp_path):
    data = load()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    parity = exported(model, data, tmp_path / "model")
    assert parity.max_difference <= export.LIMIT and parity.rows == 2 * len(data.data)
    signature = json.loads((tmp_path / "model" / "signature.json").read_text())
    assert signature["classes"] == list(data.target_names) and signature["target"] == "kind"
    first = signature["features"][0]
    assert first == {
        "name": data.feature_names[0], "type": "double", "min": data.data[:, 0].min(), "max": data.data[:, 0].max()
    }  # fmt: skip
    session = onnxruntime.InferenceSession(tmp_path / "model" / "model.onnx")
    assert [(value.name, value.type) for value in session.get_inputs()] == [("input", "tensor(float)")]
    outputs = [(value.name, value.type) for value in session.get_outputs()]
    assert outputs == [("label", "tensor(int64)"), ("probabilities", "tensor(float)")]
    labels, _ = session.run(None, {"input": data.data.astype(np.float32)})
    assert (labels == model.predict(data.data)).mean() > 0.99


CONVERT = """
import hashlib, pickle, sys
from training.job import export
for model, features in pickle.load(open(sys.argv[1], "rb")):
    print(hashlib.sha256(export.convert(model, "m", features)).hexdigest())
"""
# With skl2onnx's own order the network's operator sets change places at the seeds 30 and 53, the neighbours' at 1.
HASH_SEEDS = ("0", "1", "30", "53", "random")


@pytest.fixture(scope="module")
def models():
    """Fitted models of each kind, with their numbers of features."""
    kinds = [
        LogisticRegression(max_iter=50),
        make_pipeline(StandardScaler(), LogisticRegression()),
        RandomForestClassifier(3, random_state=0),
        GradientBoostingClassifier(n_estimators=3, random_state=0),
        make_pipeline(StandardScaler(), MLPClassifier((8, 4), max_iter=20, random_state=0)),
        KNeighborsClassifier(metric="manhattan"),  # has memory addresses in its names
        make_pipeline(KNNImputer(), LogisticRegression(max_iter=50)),  # has functions with operator sets of their own
    ]
    return [
        (pickle.loads(pickle.dumps(kind)).fit(data.data, data.target), data.data.shape[1])
        for data in (load_breast_cancer(), load_iris())
        for kind in kinds
    ]


@pytest.mark.filterwarnings("ignore")  # not every model converges
def test_same_model_gives_the_same_bytes_in_every_process(models, tmp_path):
    fitted = tmp_path / "models"
    fitted.write_bytes(pickle.dumps(models))

    def digests(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-W", "ignore", "-c", CONVERT, fitted]
        return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.split()

    with ThreadPoolExecutor(2) as pool:
        processes = list(pool.map(digests, HASH_SEEDS))
    here = [hashlib.sha256(export.convert(model, "m", features)).hexdigest() for model, features in [*models, *models]]
    assert len(set(here)) == len(models) and here[: len(models)] == here[len(models) :]
    assert [process for process in processes if process != here[: len(models)]] == []


@pytest.mark.parametrize("stored", [np.asfortranarray, lambda array: array.astype(">f8")], ids=["column-wise", ">f8"])
def test_bytes_do_not_depend_on_how_the_model_stores_its_numbers(stored):
    data = load_iris()
    model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    before = export.convert(model, "m", 4)
    model.coef_, model.intercept_ = stored(model.coef_), stored(model.intercept_)
    assert export.convert(model, "m", 4) == before


def test_model_that_float32_spoils_is_refused_with_the_difference(tmp_path):
    data = load_breast_cancer()
    model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=0)).fit(data.data, data.target)
    with pytest.raises(
        export.ExportError, match=r"differs from Pipeline by up to 0\.\d+ in probability, allowed: 1e-04"
    ):
        exported(model, data, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_model_without_a_converter_is_refused_by_name(tmp_path):
    class Homemade(ClassifierMixin, BaseEstimator):
        def predict_proba(self, X):
            return np.ones((len(X), 2)) / 2

    with pytest.raises(export.ExportError, match="Homemade has no ONNX form"):
        exported(Homemade(), load_breast_cancer(), tmp_path)


def test_difference_that_is_no_number_is_refused():
    data = load_iris()
    model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    onnx = export.convert(model, "m", 4)

    class Broken:
        def predict_proba(self, X):
            return np.full((len(X), 3), np.nan)

    with pytest.raises(export.ExportError, match="by up to nan"):
        export.compare(Broken(), onnx, data.data)
