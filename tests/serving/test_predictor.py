"""The predictor answers as the model that was trained, and says everything that is wrong with what it is given."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.predictor import BadModel, InvalidInput, Predictor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.fixture(scope="module")
def predictor(model):
    return Predictor.load(model.folder)


@pytest.fixture
def folder(model, tmp_path):
    """A copy of the model's folder that a test may spoil."""
    return shutil.copytree(model.folder, tmp_path / "copy")


def change(folder, name, **facts):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_answers_as_the_trained_pipeline(model, predictor):
    predictions = predictor.predict(model.rows)
    expected = model.pipeline.predict_proba(model.values)
    assert np.abs(np.array([list(p.probabilities.values()) for p in predictions]) - expected).max() < 1e-4
    assert [p.label for p in predictions] == [
        predictor.classes[label] for label in model.pipeline.predict(model.values)
    ]
    assert all(p.probability == max(p.probabilities.values()) == p.probabilities[p.label] for p in predictions)
    assert all(p.warnings == [] for p in predictions)


def test_order_of_fields_does_not_matter_and_integers_are_numbers(model, predictor):
    row = model.rows[0]
    assert predictor.predict([dict(reversed(row.items()))]) == predictor.predict([row])
    assert predictor.predict([{**row, "mean area": 1000}]) == predictor.predict([{**row, "mean area": 1000.0}])
    assert predictor.predict([]) == []


def test_every_problem_of_every_row_is_listed(model, predictor):
    first = {**model.rows[0], "mean radius": "14", "colour": 3}
    del first["mean area"]
    with pytest.raises(InvalidInput) as raised:
        predictor.predict([first, model.rows[1], [1, 2]])
    assert [(p.row, p.field, p.problem) for p in raised.value.problems] == [
        (0, "mean radius", "is str, expected a number"),
        (0, "mean area", "is missing"),
        (0, "colour", "is not a field of this model"),
        (2, "", "is list, expected an object of field and number"),
    ]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "is null"),
        (True, "is bool"),
        ([1.0], "is list"),
        (float("nan"), "not finite"),
        (float("-inf"), "not finite"),
        (1e39, "too large"),
        (-(10**400), "too large"),
    ],
)
def test_value_at_fault_is_named(model, predictor, value, problem):
    with pytest.raises(InvalidInput) as raised:
        predictor.predict([{**model.rows[0], "mean area": value}])
    (only,) = raised.value.problems
    assert only.field == "mean area" and problem in only.problem


@given(value=JSON)
def test_any_value_is_answered_or_named(model, predictor, value):
    try:
        (prediction,) = predictor.predict([{**model.rows[0], "mean area": value}])
    except InvalidInput as error:
        assert [p.field for p in error.problems] == ["mean area"]
    else:
        assert 0 <= prediction.probability <= 1


def test_value_that_training_never_saw_is_answered_with_a_warning(model, predictor):
    (prediction,) = predictor.predict([{**model.rows[0], "mean radius": 99.5}])
    assert prediction.warnings == ["mean radius is 99.5, training saw 6.981 to 28.11"]


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "model.json"])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(BadModel, match=name):
        Predictor.load(folder)


def test_changed_file_is_refused(folder):
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BadModel, match=r"model.onnx is not the file that model.json describes"):
        Predictor.load(folder)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"classes": ["malignant", "benign", "other"]}, "knows 2 classes, signature.json 3"),
        ({"features": [{"name": "mean radius", "type": "double"}]}, r"expected input \[None, 1\]"),
        ({"features": [{"name": "mean radius", "type": "string"}]}, "of type string, expected double"),
        ({"features": [{"type": "double"}]}, "no features with name and type"),
        ({"features": []}, "none, expected double"),
    ],
)
def test_signature_that_does_not_fit_the_model_is_refused(folder, facts, problem):
    change(folder, "signature.json", **facts)
    change(folder, "model.json", files={})
    with pytest.raises(BadModel, match=problem):
        Predictor.load(folder)


def test_file_that_is_no_model_is_refused(folder):
    (folder / "model.onnx").write_bytes(b"no model")
    change(folder, "model.json", files={})
    with pytest.raises(BadModel, match=r"model.onnx cannot be loaded"):
        Predictor.load(folder)
