"""Data become one checked file that depends on nothing but the data."""

from __future__ import annotations

import csv
import hashlib

import pytest
from sklearn.datasets import load_breast_cancer

from shoestring.base.errors import UserError
from training.prepare import data, jobfile

ROWS = [f"{index}.5,{index * 2},{'yes' if index % 2 else 'no'}" for index in range(12)]


@pytest.fixture
def own(tmp_path):
    def job_of(text, target="bought"):
        (tmp_path / "train.py").write_text("")
        (tmp_path / "my.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        described = f"name: own\nentry_point: train.py\ndata: {{csv: my.csv, target: {target}}}\n"
        (tmp_path / "job.yaml").write_text(described)
        return jobfile.load(tmp_path / "job.yaml")

    return job_of


def table(*rows, header="a,b,bought"):
    return "\n".join([header, *rows]) + "\n"


def test_builtin_set_is_whole_and_always_the_same(tmp_path):
    job = jobfile.load(jobfile.find("breast-cancer"))
    prepared = data.prepare(job, tmp_path / "one")
    assert data.prepare(job, tmp_path / "two").path.read_bytes() == prepared.path.read_bytes()
    assert prepared.path == tmp_path / "one" / prepared.sha256 / "train.csv"
    assert hashlib.sha256(prepared.path.read_bytes()).hexdigest() == prepared.sha256
    with prepared.path.open() as file:
        header, *rows = csv.reader(file)
    features = [str(name).replace(" ", "_") for name in load_breast_cancer().feature_names]
    assert (len(rows), len(features), header) == (569, 30, [*features, "target"])
    assert {row[-1] for row in rows} == {"malignant", "benign"} and len(rows) == 569


def test_own_file_keeps_every_digit_and_puts_the_target_last(own, tmp_path):
    job = own("bought,a\r\n" + "".join(f" {index % 2} ,{0.1 * index!r}\r\n" for index in range(12)))
    prepared = data.prepare(job, tmp_path / "out")
    with prepared.path.open() as file:
        header, *rows = csv.reader(file)
    assert header == ["a", "bought"]
    assert [float(row[0]) for row in rows] == [0.1 * index for index in range(12)]
    assert {row[1] for row in rows} == {"0", "1"}


def test_byte_order_mark_and_blank_lines_change_nothing(own, tmp_path):
    plain = data.prepare(own(table(*ROWS)), tmp_path)
    assert data.prepare(own("\ufeff" + table(*ROWS) + "\n\n"), tmp_path).sha256 == plain.sha256


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "my.csv is empty: no header"),
        ("a,b,bought\n", "my.csv is empty: no rows below the header"),
        (table(*ROWS, header="a,b,sold"), "no target column 'bought'; the columns are a, b, sold"),
        (table(*ROWS, "red,1,yes", "blue,1,no"), "column 'a', row 13: is 'red', not a number (2 such rows)"),
        (table(*ROWS, ",1,yes"), "column 'a', row 13: is missing (1 such rows)"),
        (table(*ROWS, "nan,1,yes"), "column 'a', row 13: is 'nan', not a finite"),
        (table(*ROWS, "1e39,1,yes"), "column 'a', row 13: is '1e39', not a finite 32-bit number"),
        (table(*ROWS, "1_000,1,yes"), "is '1_000', not a number"),
        (table(*ROWS, "1,1, "), "column 'bought', row 13: is missing"),
        (table(*ROWS, "1,1,maybe"), "class 'maybe' has 1 of the 5 rows that a class needs (1 of 3 classes"),
        (table(*[row.replace("no", "yes") for row in ROWS]), "column 'bought' holds one class only, 'yes'"),
        (table(*ROWS, "1,1"), "row 13 has 2 values for 3 columns (1 such rows)"),
        (table(*ROWS, header="a,a,bought"), "column 'a' is there 2 times"),
        (table(*ROWS, header="a,,bought"), "column 2 has no name"),
        (b"a,b,bought\n\xff\xfe,1,yes\n", "my.csv is not a CSV file in UTF-8"),
    ],
)
def test_bad_file_is_refused_with_its_place(own, tmp_path, text, says):
    with pytest.raises(UserError) as raised:
        data.prepare(own(text), tmp_path / "out")
    assert says in raised.value.found
    assert not (tmp_path / "out").exists()


def test_all_problems_come_at_once(own, tmp_path):
    with pytest.raises(UserError) as raised:
        data.prepare(own(table(*ROWS, "red,,", "1,x,yes")), tmp_path)
    assert len(raised.value.found.splitlines()) == 3
    assert [line.split("'")[1] for line in raised.value.found.splitlines()] == ["a", "b", "bought"]
