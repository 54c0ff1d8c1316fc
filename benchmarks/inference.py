"""One row, three ways: the function's predictor, the scikit-learn pipeline that it was made from, MLflow's pyfunc.

    .venv/bin/python benchmarks/inference.py [--json] [--repeat 500]

Each way gets the row as a request brings it, an object of field and number, and gives a probability for each class.
The predictor validates the row as well; the others don't.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from serving.predictor import Predictor

Row = dict[str, float]
Way = Callable[[list[Row]], Any]
WARM_UP = 20
BATCH = 500  # rows


def export(pipeline: Pipeline, data: Any, folder: Path) -> Predictor:
    """The model as it is served."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    kind = [("input", FloatTensorType([None, data.data.shape[1]]))]
    converted = to_onnx(pipeline, initial_types=kind, options={id(pipeline): {"zipmap": False}})
    lows, highs = data.data.min(axis=0).tolist(), data.data.max(axis=0).tolist()
    features = [
        {"name": str(name), "type": "double", "min": low, "max": high}
        for name, low, high in zip(data.feature_names, lows, highs, strict=True)
    ]
    classes = [str(name) for name in data.target_names]
    folder.mkdir()
    (folder / "model.onnx").write_bytes(converted.SerializeToString())
    (folder / "signature.json").write_text(json.dumps({"features": features, "classes": classes, "target": "target"}))
    (folder / "model.json").write_text(json.dumps({"name": "benchmark", "version": "1"}))
    return Predictor.load(folder)


def ways(pipeline: Pipeline, data: Any, folder: Path) -> dict[str, Way]:
    """How a row can be answered; the first is what the others are compared with."""
    import mlflow
    import pandas as pd

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # warns of the format, which is the usual one
    names = [str(name) for name in data.feature_names]
    predictor = export(pipeline, data, folder / "served")
    mlflow.sklearn.save_model(
        pipeline, folder / "pyfunc", pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
    )
    pyfunc = mlflow.pyfunc.load_model(str(folder / "pyfunc"))
    return {
        "predictor": predictor.predict,
        "scikit-learn": lambda rows: pipeline.predict_proba([[row[name] for name in names] for row in rows]),
        "mlflow pyfunc": lambda rows: pyfunc.predict(pd.DataFrame(rows, columns=names)),
    }


def check(predictors: dict[str, Way], rows: list[Row]) -> None:
    """All ways give the same answer; a fast wrong one is no result."""
    expected = np.asarray(predictors["scikit-learn"](rows))
    served = np.array([list(p.probabilities.values()) for p in predictors["predictor"](rows)])
    pyfunc = np.asarray(predictors["mlflow pyfunc"](rows))
    assert np.abs(served - expected).max() < 1e-4 and np.abs(pyfunc - expected).max() < 1e-9


def milliseconds(way: Way, rows: list[Row], repeat: int) -> list[float]:
    """The times of `repeat` calls, after a warm-up."""
    for _ in range(WARM_UP):
        way(rows)
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        way(rows)
        times.append((time.perf_counter() - started) * 1000)
    return times


def measure(repeat: int) -> list[dict[str, Any]]:
    """One result for each model, number of rows and way: median and 95th percentile, and how much slower it is."""
    data = load_breast_cancer()
    rows = [dict(zip(map(str, data.feature_names), values, strict=True)) for values in data.data.tolist()]
    models = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "random forest, 100 trees": make_pipeline(RandomForestClassifier(100, random_state=0)),
    }
    results = []
    for name, pipeline in models.items():
        pipeline.fit(data.data, data.target)
        with tempfile.TemporaryDirectory() as folder:
            predictors = ways(pipeline, data, Path(folder))
            check(predictors, rows)
            for count, times in ((1, repeat), (BATCH, max(repeat // 10, 10))):
                own = 0.0
                for way, call in predictors.items():
                    taken = milliseconds(call, rows[:count], times)
                    median = statistics.median(taken)
                    own = own or median
                    p95 = statistics.quantiles(taken, n=20)[-1]
                    results.append(
                        {"model": name, "rows": count, "way": way, "median_ms": round(median, 4),
                         "p95_ms": round(p95, 4), "times_predictor": round(median / own, 1)}
                    )  # fmt: skip
    return results


def main() -> None:
    """Prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--repeat", type=int, default=500, help="calls with one row for each way")
    words = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    results = measure(words.repeat)
    if words.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'model':<26}{'rows':>5}  {'way':<15}{'median ms':>10}{'p95 ms':>10}{'× predictor':>13}")
    for r in results:
        print(
            f"{r['model']:<26}{r['rows']:>5}  {r['way']:<15}{r['median_ms']:>10.3f}{r['p95_ms']:>10.3f}"
            f"{r['times_predictor']:>13.1f}"
        )


if __name__ == "__main__":
    main()
