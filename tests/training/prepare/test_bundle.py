"""The bundle holds what a job needs, nothing else, and the same bytes for the same content."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import pytest

from shoestring.base.closure import trace
from shoestring.base.errors import UserError
from training.prepare import bundle, jobfile

ROOT = Path(bundle.__file__).parents[2]


@pytest.fixture
def own(tmp_path):
    def loaded(script="", **files):
        folder = tmp_path / "job"
        folder.mkdir(exist_ok=True)
        for name, text in {"train": script, **files}.items():
            (folder / f"{name}.py").write_text(text)
        (folder / "job.yaml").write_text("name: own\nentry_point: train.py\ndata: {builtin: breast_cancer}\n")
        return jobfile.load(folder / "job.yaml")

    return loaded


def names(built):
    with tarfile.open(built.path) as tar:
        return tar.getnames()


def test_same_content_gives_the_same_bytes(own, tmp_path):
    first = bundle.build(own("x = 1"), tmp_path / "one")
    os.utime(tmp_path / "job" / "train.py", (0, 0))
    second = bundle.build(own("x = 1"), tmp_path / "two")
    assert first.sha256 == second.sha256 and first.path.read_bytes() == second.path.read_bytes()
    assert first.path == tmp_path / "one" / first.sha256 / "sourcedir.tar.gz"
    assert bundle.build(own("x = 2"), tmp_path).sha256 != first.sha256


def test_it_is_small_and_names_nobody(own, tmp_path):
    built = bundle.build(own(), tmp_path)
    assert built.path.stat().st_size < 50_000
    with tarfile.open(built.path) as tar:
        assert {(info.mtime, info.uid, info.gid, info.uname, info.mode) for info in tar} == {(0, 0, 0, "", 0o644)}
        assert tar.getnames() == sorted(tar.getnames())


def test_it_takes_along_what_the_script_imports_from_beside(own, tmp_path):
    job = own(
        "import json, features\nfrom training.session import Session\n",
        features="def f():\n    import deeper\n",
        deeper="",
        unrelated="",
    )
    expected = ["training/__init__.py", "training/session.py", "training/variables.py"]
    job_modules = ("__init__", "checkpoint", "export", "registry", "sender", "session", "tracking")
    expected += [f"training/job/{name}.py" for name in job_modules]
    packed = names(bundle.build(job, tmp_path))
    assert sorted(packed) == sorted([*expected, "requirements.txt", "train.py", "features.py", "deeper.py"])


def test_own_requirements_are_added(own, tmp_path):
    job = own()
    (tmp_path / "job" / "requirements.txt").write_text("xgboost==3.0.0\n")
    with tarfile.open(bundle.build(job, tmp_path).path) as tar:
        lines = tar.extractfile("requirements.txt").read().decode().splitlines()
    assert "xgboost==3.0.0" in lines and any(line.startswith("scikit-learn==") for line in lines)


def test_script_that_is_not_python_is_refused(own, tmp_path):
    with pytest.raises(UserError, match=r"train\.py:2: "):
        bundle.build(own("x = 1\nx ==\n"), tmp_path)


def test_bundled_code_runs_alone(own, tmp_path):
    built = bundle.build(own(), tmp_path)
    with tarfile.open(built.path) as tar:
        tar.extractall(tmp_path / "code", filter="data")
    program = (
        "import sys, training, training.job.session, training.job.registry\n"
        "foreign = {'shoestring', 'pulumi', 'localcloud', 'costs', 'yaml', 'pydantic'} & set(sys.modules)\n"
        "print(training.__file__, foreign)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "code", text=True, capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "code")},
    )  # fmt: skip
    assert done.stdout.split() == [str(tmp_path / "code" / "training" / "__init__.py"), "set()"]


def test_requirements_are_the_locked_ones():
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.M)[::-1])
    lines = (ROOT / "training" / "job" / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name: locked[name] for name in pinned} == pinned


def test_requirements_have_what_the_jobs_code_imports():
    lines = (ROOT / "training" / "job" / "requirements.txt").read_text().splitlines()
    pinned = {line.split("==")[0] for line in lines if not line.startswith("#")}
    given = pinned | {re.match(r"[\w.-]+", need)[0] for name in pinned for need in metadata.requires(name) or ()}
    imported = {module.split(".")[0] for module in trace([bundle.RUNTIME]).foreign} - sys.stdlib_module_names
    providers = metadata.packages_distributions()
    assert {"numpy", "mlflow", "skl2onnx"} <= imported
    assert [module for module in imported if not given.intersection(providers[module])] == []


def test_what_the_script_means_and_is_not_there_is_named(own, tmp_path):
    with pytest.raises(UserError, match=r"train\.py:1 needs features\.scale"):
        bundle.build(own("from features import scale\n", features="def scaled(): ..."), tmp_path)
    with pytest.raises(UserError, match=r"train\.py:1 needs training\.sessions"):
        bundle.build(own("from training.sessions import Session\n"), tmp_path)


def test_name_changes_with_what_goes_in_and_with_nothing_else(own):
    job, inputs = own(), {"code": "c", "data": "d", "image": "i"}
    name = bundle.job_name(job, **inputs)
    assert re.fullmatch(r"own-[0-9a-f]{12}", name)
    assert bundle.job_name(job.model_copy(update={"max_run": 5, "volume_gb": 99}), **inputs) == name
    changed = [
        *(bundle.job_name(job, **{**inputs, key: "other"}) for key in inputs),
        bundle.job_name(job.model_copy(update={"hyperparameters": {"a": 1}}), **inputs),
        bundle.job_name(job.model_copy(update={"instance_type": "ml.m5.xlarge"}), **inputs),
    ]
    assert len({name, *changed}) == 6


def test_the_longest_name_has_room_for_many_runs(own):
    job = own().model_copy(update={"name": "a" * jobfile.LONGEST_NAME})
    assert len(bundle.job_name(job, code="c", data="d", image="i", run=999)) == 63
