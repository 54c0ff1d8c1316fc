"""One predictor on ONNX Runtime, the same behind every front: needs numpy and onnxruntime, nothing else.

A model is a folder with `model.onnx`, `signature.json` (features with the range seen in training, classes) and
`model.json` (name, version, and where it comes from).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

FILES = ("model.onnx", "signature.json", "model.json")
FLOAT32_MAX = float(np.finfo(np.float32).max)


class BadModel(Exception):
    """The folder holds no model that can be served; the message says why."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input. `field` is empty where the whole row is at fault."""

    row: int
    field: str
    problem: str


class InvalidInput(ValueError):
    """The rows do not fit the model's signature; `problems` lists everything that is wrong with them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"row {p.row}: {p.field}: {p.problem}" for p in problems))


@dataclass(frozen=True)
class Feature:
    """One number that the model takes, with the range that it had in training."""

    name: str
    min: float | None
    max: float | None


@dataclass(frozen=True)
class Prediction:
    """The most probable class, the probability of each, and a warning for each value that training never saw."""

    label: str
    probability: float
    probabilities: dict[str, float]
    warnings: list[str]


def _checked(value: Any) -> str:
    """What is wrong with a value; empty where nothing is."""
    if type(value) in (float, int) and -FLOAT32_MAX <= value <= FLOAT32_MAX:
        return ""  # nearly all are: the rest only finds the words
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"is {'null' if value is None else type(value).__name__}, expected a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "is not finite"
    return "is too large for the model (float32)"


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadModel(f"{path.name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise BadModel(f"{path.name} holds no JSON object")
    return document


def _features(signature: dict[str, Any]) -> list[Feature]:
    try:
        other = sorted({str(f["type"]) for f in signature["features"]} - {"double"})
        features = [Feature(f["name"], f.get("min"), f.get("max")) for f in signature["features"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadModel(f"signature.json: no features with name and type ({error!r})") from error
    if other or not features:
        raise BadModel(f"signature.json: features are of type {', '.join(other) or 'none'}, expected double")
    return features


class Predictor:
    """A loaded model. Safe to call from several threads; one prediction uses one thread."""

    def __init__(
        self, session: onnxruntime.InferenceSession, features: list[Feature], classes: list[str], facts: dict[str, Any]
    ) -> None:
        self._session = session
        self._names = {feature.name for feature in features}
        self._lows = np.array([-np.inf if f.min is None else f.min for f in features])
        self._highs = np.array([np.inf if f.max is None else f.max for f in features])
        self.features = features
        self.classes = classes
        self.facts = facts

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Reads a model's folder; checks the hashes that `model.json` has in `files` ({file name: sha256}).

        Raises:
            BadModel: a file is missing, damaged or changed, or the signature does not fit the model.
        """
        facts, signature = _read(folder / "model.json"), _read(folder / "signature.json")
        for name, sha256 in (facts.get("files") or {}).items():
            path = folder / name
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                raise BadModel(f"{name} is not the file that model.json describes")
        features = _features(signature)
        classes = [str(name) for name in signature.get("classes") or []]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # Lambda has less than two cores below 3.5 GB, and threads cost more than rows
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own exceptions share no base but this
            raise BadModel(f"model.onnx cannot be loaded: {error}") from error
        inputs = {value.name: value.shape for value in session.get_inputs()}
        outputs = {value.name: (value.type, len(value.shape)) for value in session.get_outputs()}
        if set(inputs) != {"input"} or inputs["input"][-1] != len(features):
            raise BadModel(
                f"model.onnx takes {inputs}, expected input [None, {len(features)}] as signature.json has it"
            )
        if outputs.get("label") != ("tensor(int64)", 1) or outputs.get("probabilities") != ("tensor(float)", 2):
            raise BadModel(f"model.onnx gives {outputs}, expected label as int64 and probabilities as float")
        chances = session.run(["probabilities"], {"input": np.zeros((1, len(features)), np.float32)})[0]
        if chances.shape[1] != len(classes):
            raise BadModel(f"model.onnx knows {chances.shape[1]} classes, signature.json {len(classes)}")
        return cls(session, features, classes, facts)

    def predict(self, rows: list[dict[str, Any]]) -> list[Prediction]:
        """Answers each row, an object with a number for each feature.

        Raises:
            InvalidInput: with every problem of every row; then nothing was predicted.
        """
        problems = [problem for number, row in enumerate(rows) for problem in self._problems(number, row)]
        if problems:
            raise InvalidInput(problems)
        if not rows:
            return []
        values = np.array([[row[feature.name] for feature in self.features] for row in rows], dtype=np.float64)
        unseen = (values < self._lows) | (values > self._highs)
        labels, probabilities = self._session.run(["label", "probabilities"], {"input": values.astype(np.float32)})
        return [
            Prediction(
                label=self.classes[label],
                probability=chances[label],
                probabilities=dict(zip(self.classes, chances, strict=True)),
                warnings=[self._warning(feature, values[number, feature]) for feature in unseen[number].nonzero()[0]],
            )
            for number, (label, chances) in enumerate(zip(labels.tolist(), probabilities.tolist(), strict=True))
        ]

    def _problems(self, number: int, row: Any) -> list[Problem]:
        if not isinstance(row, dict):
            return [Problem(number, "", f"is {type(row).__name__}, expected an object of field and number")]
        unknown = [
            Problem(number, str(name), "is not a field of this model") for name in row if name not in self._names
        ]
        problems = []
        for feature in self.features:
            wrong = _checked(row[feature.name]) if feature.name in row else "is missing"
            if wrong:
                problems.append(Problem(number, feature.name, wrong))
        return problems + unknown

    def _warning(self, number: int, value: float) -> str:
        feature = self.features[number]
        return f"{feature.name} is {value:g}, training saw {self._lows[number]:g} to {self._highs[number]:g}"
