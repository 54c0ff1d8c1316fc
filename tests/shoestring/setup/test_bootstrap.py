"""The set-up, the doctor and the environment: what is there is used, what is missing is named."""

from __future__ import annotations

import importlib.metadata
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shoestring import environment
from shoestring.base.errors import UserError
from shoestring.setup import bootstrap, doctor, engine, installation
from tests.conftest import NO_CLOUD

SHOESTRING = str(Path(sys.executable).with_name("shoestring"))


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SHOESTRING, *words], text=True, capture_output=True, timeout=120, env={**os.environ, **variables}
    )


def fake_pulumi(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_engine_on_path_is_used_when_new_enough(tmp_path, monkeypatch):
    path = fake_pulumi(tmp_path / "user", "3.300.1")
    monkeypatch.setenv("PATH", str(path.parent))
    assert engine.find_engine() == engine.Engine(path, "3.300.1", "path")


def test_engine_on_path_that_is_too_old_gives_way_to_the_cache(tmp_path, monkeypatch):
    old = fake_pulumi(tmp_path / "user", "3.1.0")
    cached = fake_pulumi(tmp_path / "cache" / "pulumi" / engine.VERSION / "bin", engine.VERSION)
    monkeypatch.setenv("PATH", str(old.parent))
    monkeypatch.setenv("SHOESTRING_CACHE", str(tmp_path / "cache"))
    assert engine.find_engine() == engine.Engine(cached, engine.VERSION, "cache")


def test_set_up_never_takes_its_own_work_for_the_users_installation(tmp_path, monkeypatch):
    own = fake_pulumi(tmp_path / "home" / "bin", "3.300.1")
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHOESTRING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(own.parent))
    assert engine.find_engine() is None


def test_no_engine_no_installer_and_no_go_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOESTRING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engine, "_install", lambda progress: "no network")
    with pytest.raises(UserError, match="Go is not installed") as raised:
        engine.ensure_engine(lambda line: None)
    assert "make setup" in raised.value.mend


def test_launchers_are_made_only_where_the_official_ones_are_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHOESTRING_CACHE", str(tmp_path / "cache"))
    path = fake_pulumi(tmp_path / "user", "3.300.1")
    monkeypatch.setenv("PATH", str(path.parent))
    described, changed = installation.set_up(lambda line: None)
    assert changed and described["source"] == "path"
    names = {entry.name for entry in (tmp_path / "home" / "bin").iterdir()}
    assert names == {"pulumi", *installation.LAUNCHERS}
    for name in installation.LAUNCHERS:
        fake_pulumi(tmp_path / "user", "3.300.1").rename(path.parent / name)
    fake_pulumi(tmp_path / "user", "3.300.1")
    assert installation.set_up(lambda line: None) == (described, False)
    assert {entry.name for entry in (tmp_path / "home" / "bin").iterdir()} == {"pulumi"}


def test_the_official_aws_provider_is_used_where_the_user_has_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "users"))
    placed = installation.pulumi_home() / "plugins" / installation.AWS_PLUGIN / "pulumi-resource-aws"
    assert installation._place_aws_provider() == "stand-in"
    assert "localcloud.provider" in placed.read_text()

    official = tmp_path / "users" / "plugins" / installation.AWS_PLUGIN
    official.mkdir(parents=True)
    (official / "pulumi-resource-aws").write_text("the official one")
    assert installation._place_aws_provider() == "official"
    assert placed.read_text() == "the official one"
    assert installation._place_aws_provider() == "official"

    (official / "pulumi-resource-aws").unlink()
    assert installation._place_aws_provider() == "stand-in"
    assert "localcloud.provider" in placed.read_text()


def test_the_aws_plugin_is_of_the_version_of_the_sdk():
    from localcloud.provider.service import VERSION

    assert f"resource-aws-v{importlib.metadata.version('pulumi-aws')}" == installation.AWS_PLUGIN
    assert installation.AWS_PLUGIN.endswith(VERSION)


def test_second_set_up_says_that_there_is_nothing_to_do():
    completed = subprocess.run([sys.executable, bootstrap.__file__], text=True, capture_output=True, timeout=120)
    assert completed.returncode == 0, completed.stderr
    assert "nothing to do" in completed.stderr
    assert completed.stdout == ""


def test_bootstrap_takes_a_package_from_the_lock_with_its_hashes():
    line = bootstrap.pinned("uv")
    assert line.startswith("uv==") and "--hash=sha256:" in line
    with pytest.raises(SystemExit, match="does not name no-such-package"):
        bootstrap.pinned("no-such-package")


def test_doctor_finds_this_machine_good():
    completed = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(completed.stdout)}
    assert completed.returncode == 0, completed.stdout
    assert checks["pulumi"]["good"] and checks["launchers"]["good"]


def test_doctor_names_what_is_missing_and_exits_1(tmp_path):
    completed = run("doctor", SHOESTRING_HOME=str(tmp_path))
    assert completed.returncode == 1
    assert "WRONG  pulumi" in completed.stdout and "mend it:   make setup" in completed.stdout


def test_full_disk_is_named(monkeypatch):
    usage = type("Usage", (), {"free": 10 * 1024**2})()
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    check = doctor._disk()
    assert not check.good and "free 2 GiB" in check.mend


def test_environment_lines_can_be_evaluated_and_set_the_real_account_aside():
    lines = environment.shell_lines(NO_CLOUD, {"AWS_PROFILE": "real"})
    script = lines + '\nprintf "%s|%s|%s" "$AWS_PROFILE" "$AWS_ENDPOINT_URL" "$PULUMI_HOME"'
    completed = subprocess.run(
        ["bash", "-c", script], text=True, capture_output=True, timeout=60, env={**os.environ, "AWS_PROFILE": "real"}
    )
    assert completed.stdout.split("|") == ["", "http://127.0.0.1:9", str(installation.pulumi_home())]


@pytest.mark.parametrize(
    ("variables", "says", "expected"),
    [
        ({}, "Unable to locate credentials", "credentials that work"),  # the region is the stack's own
        ({"AWS_PROFILE": "absent"}, "could not be found", "credentials that work"),
        (
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
             "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            "Could not connect to the endpoint", "a network, and a region that there is",
        ),
    ],
)  # fmt: skip
def test_aws_that_refuses_is_one_message(variables, says, expected):
    own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}
    nothing["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"
    completed = subprocess.run(
        [SHOESTRING, "jobs", "list", "-e", "dev"], text=True, capture_output=True, env={**own, **nothing, **variables}
    )
    assert completed.returncode == 1
    assert completed.stderr.startswith("error: AWS: ")
    assert says in completed.stderr
    assert f"expected: {expected}" in completed.stderr
    assert "mend it:  aws sts get-caller-identity" in completed.stderr
    assert "Traceback" not in completed.stderr


def test_unknown_environment_lists_the_valid_ones():
    completed = run("env", "prdo")
    assert completed.returncode == 1
    assert "unknown environment 'prdo'" in completed.stderr and ", ".join(environment.ENVIRONMENTS) in completed.stderr
    assert "Traceback" not in completed.stderr


def test_environment_before_the_set_up_says_which_command_to_run(tmp_path):
    completed = run("env", "local", SHOESTRING_HOME=str(tmp_path))
    assert completed.returncode == 1 and "make setup" in completed.stderr
