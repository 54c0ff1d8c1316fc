"""The function's zip holds all that a prediction needs and no more, whoever builds it and however often."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from serving.predictor import Predictor
from serving.prepare import package
from shoestring.base.errors import UserError
from shoestring.base.function_package import LAMBDA_PYTHON, host
from shoestring.base.paths import ROOT

# Reads the model and a row; imports from the zip's folder and the standard library alone (-I -S).
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from serving.predictor import Predictor
import numpy, onnxruntime
answers = Predictor.load(Path(sys.argv[2])).predict(json.loads(sys.argv[3]))
outside = [name for name in ("mlflow", "sklearn", "pandas", "pulumi", "google") if name in sys.modules]
print(json.dumps({"label": answers[0].label, "probability": answers[0].probability, "outside": outside,
                  "from": [numpy.__file__, onnxruntime.__file__]}))
"""
SILENT = lambda line: None  # noqa: E731


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="module")
def built(folder):
    return package.build(*host(), folder, SILENT)


def test_predicts_from_the_zip_alone(built, model, tmp_path):
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, tmp_path, model.folder, json.dumps(model.rows[:1])],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    (expected,) = Predictor.load(model.folder).predict(model.rows[:1])
    assert answer["label"] == expected.label and answer["probability"] == pytest.approx(expected.probability)
    assert answer["outside"] == [] and all(Path(path).is_relative_to(tmp_path) for path in answer["from"])


def test_zip_is_below_the_limit_and_holds_nothing_made_at_run_time(built):
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        assert sum(entry.file_size for entry in archive.infolist()) < 100 * 2**20
    assert [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".pyi"))] == []
    assert sorted(name for name in names if name.startswith("serving/")) == [
        "serving/__init__.py", "serving/function/__init__.py", "serving/function/handler.py", "serving/predictor.py",
    ]  # fmt: skip


def test_same_inputs_give_the_same_bytes_and_are_built_once(built, tmp_path):
    lines: list[str] = []
    again = package.build(*host(), tmp_path, lines.append)
    assert again.name == built.name and again.read_bytes() == built.read_bytes()
    assert lines
    lines.clear()
    assert package.build(*host(), tmp_path, lines.append) == again
    assert lines == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [again.name, "inference.lock"]


@pytest.mark.parametrize(
    ("architecture", "machine"),
    [("arm64", "aarch64"), ("x86_64", "x86_64")],
)
def test_wheels_are_those_of_the_functions_architecture(folder, architecture, machine):
    built = package.build(architecture, LAMBDA_PYTHON, folder, SILENT)
    with zipfile.ZipFile(built) as archive:
        binaries = [name for name in archive.namelist() if ".cpython-" in name]
    assert binaries
    tag = f".cpython-{LAMBDA_PYTHON.replace('.', '')}-{machine}-linux-gnu.so"
    assert [name for name in binaries if not name.endswith(tag)] == []


def test_host_is_this_machine():
    architecture, python = host()
    assert python == ".".join(platform.python_version_tuple()[:2])
    assert (architecture == "arm64") == (platform.machine() in ("arm64", "aarch64"))


def test_versions_and_hashes_are_those_of_the_lock_file():
    def pins(path: Path) -> dict[str, str]:
        text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text())
        return dict(re.findall(r"(?m)^([\w.-]+==[^\\]*?) \\\n((?:\s+--hash=\S+(?: \\)?\n?)+)", text))

    own, locked = pins(package.INFERENCE.requirements), pins(ROOT / "requirements.lock")
    assert [pin.split("==")[0] for pin in own] == ["numpy", "numpy", "onnxruntime"]
    assert own == {pin: locked[pin] for pin in own}


def test_killed_build_leaves_nothing_in_the_way_of_the_next(tmp_path, built):
    process = multiprocessing.get_context("spawn").Process(target=package.build, args=(*host(), tmp_path, print))
    process.start()
    while not any(tmp_path.glob("inference-*.part/wheels/numpy")):
        assert process.is_alive()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert list(tmp_path.glob("*.zip")) == [] and any(tmp_path.glob("inference-*.part"))
    rebuilt = hashlib.sha256(package.build(*host(), tmp_path, SILENT).read_bytes()).hexdigest()
    assert rebuilt == hashlib.sha256(built.read_bytes()).hexdigest()
    assert not (tmp_path / f"inference-{os.getpid()}.part").exists()


def test_two_builds_at_once_make_one_zip(tmp_path, built):
    lines: list[str] = []
    builds = [threading.Thread(target=package.build, args=(*host(), tmp_path, lines.append)) for _ in range(2)]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert [path.read_bytes() for path in tmp_path.glob("*.zip")] == [built.read_bytes()]
    assert sum("compressing" in line for line in lines) == 1


def test_size_above_the_limit_names_the_largest_packages():
    sizes = {"numpy/core.so": 90 * 2**20, "numpy.libs/blas.so": 30 * 2**20, "onnxruntime/capi.so": 150 * 2**20}
    with pytest.raises(UserError, match=r"270\.0 MB unzipped.*onnxruntime 150\.0 MB, numpy 90\.0 MB(?s:.*)250 MB"):
        package.INFERENCE.check_size(sizes)
    assert package.INFERENCE.check_size({"a": 250 * 2**20}) == 250 * 2**20


@pytest.mark.parametrize(
    ("architecture", "python", "problem"),
    [("riscv", "3.12", "unknown architecture 'riscv'"), ("arm64", "3.9", r"cannot be had(?s:.*)arm64, Python 3\.9")],
)
def test_what_cannot_be_built_is_said(tmp_path, architecture, python, problem):
    with pytest.raises(UserError, match=problem):
        package.build(architecture, python, tmp_path, SILENT)
    assert list(tmp_path.glob("*.zip")) == [] and not any(tmp_path.glob("inference-*.part"))
