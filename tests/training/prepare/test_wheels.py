"""A job's packages install where no index answers, and the job's code runs with them alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from shoestring.base.errors import UserError
from training.prepare import bundle, jobfile, wheels

SILENT = lambda line: None  # noqa: E731
# Leads every way to an index nowhere: what installs then comes from the folder.
NO_NETWORK = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHON"))},
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}
IMPORTS = """
import breast_cancer, training.job.session, training.job.tracking, training.job.export, training.job.registry
import mlflow.onnx, onnxruntime, skl2onnx
print(mlflow.__file__)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="module")
def job():
    return jobfile.load(jobfile.find("breast_cancer"))


@pytest.fixture(scope="module")
def lines_of_build():
    return []


@pytest.fixture(scope="module")
def built(job, folder, lines_of_build):
    return wheels.build(job, folder, lines_of_build.append)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Makes a job that needs one package and what its own requirements.txt says."""
    monkeypatch.setattr(wheels, "REQUIREMENTS", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("six==1.17.0\n")

    def job_with(own=""):
        folder = tmp_path / "job"
        folder.mkdir(exist_ok=True)
        (folder / "train.py").write_text("")
        (folder / "requirements.txt").write_text(own)
        (folder / "job.yaml").write_text("name: own\nentry_point: train.py\ndata: {builtin: breast_cancer}\n")
        return jobfile.load(folder / "job.yaml")

    return job_with


def names(built):
    return sorted(path.name.split("-")[0] for path in built.path.glob("*.whl"))


def test_a_fresh_python_without_an_index_runs_the_jobs_code(job, built, folder, tmp_path):
    with tarfile.open(bundle.build(job, folder, built).path) as tar:
        tar.extractall(tmp_path / "code", filter="data")
    lines = (tmp_path / "code" / "requirements.txt").read_text().splitlines()
    assert lines[:2] == ["--no-index", "--find-links /opt/ml/input/data/wheels"]

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    # As SageMaker does it, but for the folder's place.
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-compile",
         "--find-links", built.path, "--requirement", "requirements.txt"],
        cwd=tmp_path / "code", env=NO_NETWORK, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [python, "-c", IMPORTS], cwd=tmp_path / "code", env=NO_NETWORK, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "venv")


def test_versions_are_the_locked_ones_and_all_pinned_with_their_hash(built):
    locked = set(re.findall(r"^([\w.-]+==[^\s;]+)", wheels.LOCK.read_text(), re.M))
    pinned = (built.path / "requirements.txt").read_text().splitlines()[2:]
    assert len(pinned) == len(list(built.path.glob("*.whl"))) > 20
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in pinned)
    assert {line.split()[0].replace("_", "-") for line in pinned} <= locked


def test_size_stays_what_a_window_can_bring_along(built, lines_of_build):
    assert sum(path.stat().st_size for path in built.path.iterdir()) < 200 * 2**20
    assert any("scipy" in line and "MB" in line for line in lines_of_build)


def test_wheels_are_those_of_the_images(built):
    tags = {path.name.removesuffix(".whl").split("-", 2)[2] for path in built.path.glob("*.whl")}
    assert not [tag for tag in tags if not tag.endswith(("-any", "_x86_64"))]
    python = wheels.PYTHON.replace(".", "")
    assert not [
        tag for tag in tags if tag.startswith("cp") and "abi3" not in tag and not tag.startswith(f"cp{python}-")
    ]
    assert all(image.endswith(f"py{python}") for image in jobfile.FRAMEWORKS.values())


def test_they_are_made_once_and_are_the_same_anywhere(tiny, tmp_path):
    lines = []
    first = wheels.build(tiny(), tmp_path / "one", lines.append)
    assert lines and names(first) == ["six"]
    lines.clear()
    assert wheels.build(tiny(), tmp_path / "one", lines.append) == first
    assert lines == []
    second = wheels.build(tiny(), tmp_path / "two", SILENT)
    assert second.sha256 == first.sha256
    assert {path.name: path.read_bytes() for path in second.path.iterdir()} == {
        path.name: path.read_bytes() for path in first.path.iterdir()
    }


def test_the_jobs_own_packages_come_along_with_what_they_need(tiny, tmp_path):
    plain = wheels.build(tiny(), tmp_path / "packages", SILENT)
    built = wheels.build(tiny("jinja2\n"), tmp_path / "packages", SILENT)
    assert [name.lower() for name in names(built)] == ["jinja2", "markupsafe", "six"]
    assert built.sha256 != plain.sha256


def test_without_wheels_the_job_asks_an_index(job, folder, tmp_path):
    with tarfile.open(bundle.build(job, tmp_path).path) as tar:
        text = tar.extractfile("requirements.txt").read().decode()
    assert "--no-index" not in text and "--find-links" not in text


def test_two_builds_at_once_fetch_once(tiny, tmp_path):
    lines, job = [], tiny()
    builds = [threading.Thread(target=wheels.build, args=(job, tmp_path / "packages", lines.append)) for _ in range(2)]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert sum("1 files" in line for line in lines) == 1


@pytest.mark.parametrize("own", ["no-such-package-at-all==1\n", "six==1.16.0\n", "-r other.txt\n"])
def test_what_cannot_be_had_is_said_and_leaves_nothing(tiny, tmp_path, own):
    with pytest.raises(UserError, match=r"packages cannot be had(?s:.*)Python 3\.11"):
        wheels.build(tiny(own), tmp_path / "packages", SILENT)
    assert [path.name for path in (tmp_path / "packages").iterdir()] == ["wheels.lock"]
