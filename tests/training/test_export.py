"""A model leaves as ONNX only when ONNX answers as the model does."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.job import export


def exported(model, data, folder):
    names = [str(name) for name in data.feature_names]
    return export.export(
        model, folder, name="m", features=names, classes=list(data.target_names), target="kind", rows=data.data
    )


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


def test_same_model_gives_the_same_bytes():
    data = load_iris()
    model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    assert export.convert(model, "m", 4) == export.convert(model, "m", 4)


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
