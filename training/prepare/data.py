"""Turns a job's data into one checked, deterministic `train.csv`. Runs on the user's machine, never inside a job."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from shoestring.base.errors import UserError
from shoestring.base.paths import write_atomically
from training.prepare.artifact import Artifact
from training.prepare.jobfile import JobFile

FLOAT32_MAX = 3.4028234663852886e38  # the exported model computes in float32
ROWS_PER_CLASS = 5  # the fewest that a split into training, validation and test can use
SHOWN = 20  # problems listed one by one


def prepare(job: JobFile, folder: Path) -> Artifact:
    """Checks the job's data and makes `<folder>/<hash>/train.csv`; the same data gives the same bytes and path.

    Its columns are the features in the order of the source, then the target.

    Raises:
        UserError: lists every problem of the data: no such target, not a finite number, missing values, too few rows.
    """
    if job.csv_path:
        name, source = job.csv_path.name, _read(job.csv_path)
    else:
        name, source = str(job.data.builtin), _breast_cancer(job.data.target)
    header, rows = source[0] if source else [], source[1:]
    target = job.data.target
    mend = f"edit {job.csv_path}, or data in {job.path}" if job.csv_path else f"edit data in {job.path}"
    _check(name, header, rows, target, mend)
    features = [column for column in header if column != target]
    order = [header.index(column) for column in [*features, target]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*features, target])
    for row in rows:
        *numbers, label = (row[index].strip() for index in order)
        writer.writerow([*(repr(float(number)) for number in numbers), label])
    body = text.getvalue().encode()
    digest = hashlib.sha256(body).hexdigest()
    path = folder / digest / "train.csv"
    write_atomically(path, body)
    return Artifact(path, digest)


def _read(path: Path) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [row for row in csv.reader(file, strict=True) if row]
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "a CSV file that can be read", f"ls -l {path}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path.name} is not a CSV file in UTF-8: {error}", "columns separated by commas", f"edit {path}"
        ) from error


def _breast_cancer(target: str) -> list[list[str]]:
    from sklearn.datasets import load_breast_cancer  # here, for it is heavy

    data = load_breast_cancer()
    header = [str(name).replace(" ", "_") for name in data.feature_names]
    rows = zip(data.data.tolist(), data.target.tolist(), strict=True)
    return [[*header, target], *([*map(repr, row), str(data.target_names[label])] for row, label in rows)]


def _check(name: str, header: list[str], rows: list[list[str]], target: str, mend: str) -> None:
    expected = f"a header with the column {target!r}, then rows whose other columns are finite numbers"
    if not rows:
        raise UserError(f"{name} is empty: {'no rows below the header' if header else 'no header'}", expected, mend)
    problems = [f"column {column!r} is there {count} times" for column, count in Counter(header).items() if count > 1]
    problems += [f"column {number} has no name" for number, column in enumerate(header, 1) if not column.strip()]
    if target not in header:
        problems.append(f"no target column {target!r}; the columns are {', '.join(header)}")
    elif len(header) < 2:
        problems.append(f"no column beside the target {target!r}")
    ragged = [(number, row) for number, row in enumerate(rows, 1) if len(row) != len(header)]
    if ragged:
        number, row = ragged[0]
        problems.append(f"row {number} has {len(row)} values for {len(header)} columns ({len(ragged)} such rows)")
    else:
        for column, values in zip(header, zip(*rows, strict=True), strict=True):
            problems += _target_problems(column, values) if column == target else _feature_problems(column, values)
    if problems:
        more = len(problems) - SHOWN
        shown = [*problems[:SHOWN], *([f"and {more} more"] if more > 0 else [])]
        raise UserError("\n".join(f"{name}: {problem}" for problem in shown), expected, mend)


def _number_problem(text: str) -> str:
    """Why `text` is no finite number; empty where it is one."""
    if not text.strip():
        return "is missing"
    try:
        number = float(text.replace("_", " "))  # Python alone takes 1_000
    except ValueError:
        return f"is {text!r}, not a number"
    return "" if math.isfinite(number) and abs(number) <= FLOAT32_MAX else f"is {text!r}, not a finite 32-bit number"


def _feature_problems(column: str, values: Iterable[str]) -> list[str]:
    bad = [(row, problem) for row, value in enumerate(values, 1) if (problem := _number_problem(value))]
    return [f"column {column!r}, row {bad[0][0]}: {bad[0][1]} ({len(bad)} such rows)"] if bad else []


def _target_problems(column: str, values: Iterable[str]) -> list[str]:
    labels = [value.strip() for value in values]
    missing = [row for row, label in enumerate(labels, 1) if not label]
    problems = [f"column {column!r}, row {missing[0]}: is missing ({len(missing)} such rows)"] if missing else []
    counts = Counter(label for label in labels if label)
    few = [label for label, count in counts.items() if count < ROWS_PER_CLASS]
    if len(counts) == 1:
        problems.append(f"column {column!r} holds one class only, {labels[0]!r}")
    elif few:
        problems.append(
            f"column {column!r}: class {few[0]!r} has {counts[few[0]]} of the {ROWS_PER_CLASS} rows that a class needs"
            f" ({len(few)} of {len(counts)} classes are that small)"
        )
    return problems
