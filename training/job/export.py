"""A trained scikit-learn classifier as ONNX, refused unless it answers as the original does."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# ONNX computes in float32: each step rounds by 6e-8, and a scaler with a network or a linear model stays below 1e-6 in
# all (1.4e-7 measured). Models with jumps, above all trees behind a scaler, may take the wrong branch and differ by
# 0.01 and more: https://onnx.ai/sklearn-onnx/auto_tutorial/plot_ebegin_float_double.html. 1e-4 lies between the two.
LIMIT = 1e-4
ROWS = 5000  # of the data that are compared, at most; as many perturbed ones come beside them
PERTURBATION = 0.1  # of each feature's standard deviation

Floats = npt.NDArray[np.float64]


class ExportError(Exception):
    """The model has no faithful ONNX form; the message says why, and by how much it differs."""


class Classifier(Protocol):
    """A fitted scikit-learn classifier or pipeline."""

    def predict_proba(self, X: Any) -> Any: ...


@dataclass(frozen=True)
class Table:
    """The training data: `values` [rows, features], and `labels` as indexes of `classes`, from the column `target`."""

    features: list[str]
    values: Floats
    labels: npt.NDArray[np.int64]
    classes: list[str]
    target: str


@dataclass(frozen=True)
class Parity:
    """The largest difference in probability found over `rows` rows."""

    max_difference: float
    rows: int


def export(model: Classifier, folder: Path, name: str, table: Table) -> Parity:
    """Writes `model.onnx` and `signature.json`. ONNX: `input` float32 → `label` int64, `probabilities` float32.

    Args:
        model: fitted on labels 0, 1, … in the order of the table's classes.
        folder: is made when it is not there.
        table: what the model was trained and checked on: gives the ranges in the signature and the rows to compare.

    Raises:
        ExportError: no converter takes the model, or the result differs by more than 1e-4; nothing is written.
    """
    onnx = convert(model, name, len(table.features))
    parity = compare(model, onnx, table.values)
    low, high = table.values.min(axis=0).tolist(), table.values.max(axis=0).tolist()
    signature = {
        "features": [
            {"name": feature, "type": "double", "min": least, "max": most}
            for feature, least, most in zip(table.features, low, high, strict=True)
        ],
        "classes": table.classes,
        "target": table.target,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx)
    (folder / "signature.json").write_text(json.dumps(signature, indent=2) + "\n")
    return parity


def convert(model: Classifier, name: str, features: int) -> bytes:
    """The model as ONNX; the same model gives the same bytes. Raises ExportError where skl2onnx has no converter."""
    from skl2onnx import convert_sklearn  # here, for it is heavy: an attempt that is interrupted does without
    from skl2onnx.algebra import complex_functions
    from skl2onnx.common import utils
    from skl2onnx.common._topology import Variable
    from skl2onnx.common.data_types import FloatTensorType

    # It names values by counters that go on from model to model, and by memory addresses.
    Variable._UNIQUE_NUMBER_ = utils._unique_index["subgraph"] = 0
    numbers = itertools.count()
    complex_functions.id = lambda node: next(numbers)
    try:
        converted = convert_sklearn(
            model,
            name,
            initial_types=[("input", FloatTensorType([None, features]))],
            options={id(model): {"zipmap": False}},
        )
    except (RuntimeError, NameError, TypeError, ValueError) as error:  # skl2onnx's own derive from these
        raise ExportError(f"{type(model).__name__} has no ONNX form: {error}") from error
    for owner in (converted, *converted.functions):
        _sort_operator_sets(owner.opset_import)
    return bytes(converted.SerializeToString(deterministic=True))


def _sort_operator_sets(operator_sets: Any) -> None:
    """By domain, each once: skl2onnx has them from a `set`, in an order that changes with PYTHONHASHSEED."""
    versions = {operators.domain: operators.version for operators in sorted(operator_sets, key=lambda o: o.version)}
    del operator_sets[:]
    for domain, version in sorted(versions.items()):
        operator_sets.add(domain=domain, version=version)


def compare(model: Classifier, onnx: bytes, rows: Floats) -> Parity:
    """Probabilities of the original and of ONNX Runtime, on rows of the data and on perturbed ones.

    Raises:
        ExportError: they differ by more than 1e-4, or by something that is no number.
    """
    import onnxruntime  # here, for it is heavy

    random = np.random.default_rng(0)
    if len(rows) > ROWS:
        rows = rows[random.choice(len(rows), ROWS, replace=False)]
    perturbed = rows + random.normal(size=rows.shape) * rows.std(axis=0) * PERTURBATION
    compared = np.vstack([rows, perturbed])
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"input": compared.astype(np.float32)})
    expected = np.asarray(model.predict_proba(compared))
    if probabilities.shape != expected.shape:
        raise ExportError(f"ONNX gives probabilities of shape {probabilities.shape}, the model {expected.shape}")
    difference = float(np.abs(probabilities - expected).max())
    if not difference <= LIMIT:
        raise ExportError(
            f"ONNX differs from {type(model).__name__} by up to {difference:.2g} in probability, allowed: {LIMIT:.0e}; "
            "models with jumps (trees behind a scaler, histogram gradient boosting) lose by float32: "
            "train without the scaler, or use a linear model, a network or a random forest"
        )
    return Parity(difference, len(compared))
