"""A model as a training job leaves it: converted by skl2onnx, with its signature and its hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class Model:
    """The folder that is served, the pipeline that it was made from, and the rows that it saw."""

    folder: Path
    pipeline: Pipeline
    values: np.ndarray
    rows: list[dict[str, float]]
    signature: dict[str, Any]


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Model:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    data = load_breast_cancer()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    converted = to_onnx(
        pipeline,
        initial_types=[("input", FloatTensorType([None, data.data.shape[1]]))],
        options={id(pipeline): {"zipmap": False}},
    )
    folder = tmp_path_factory.mktemp("model")
    names = [str(name) for name in data.feature_names]
    lows, highs = data.data.min(axis=0).tolist(), data.data.max(axis=0).tolist()
    signature = {
        "features": [
            {"name": name, "type": "double", "min": low, "max": high}
            for name, low, high in zip(names, lows, highs, strict=True)
        ],
        "classes": [str(name) for name in data.target_names],
        "target": "target",
    }
    (folder / "model.onnx").write_bytes(converted.SerializeToString())
    (folder / "signature.json").write_text(json.dumps(signature))
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.onnx", "signature.json")
    }
    (folder / "model.json").write_text(json.dumps({"name": "breast-cancer", "version": "1", "files": files}))
    rows = [dict(zip(names, values, strict=True)) for values in data.data.tolist()]
    return Model(folder, pipeline, data.data, rows, signature)
