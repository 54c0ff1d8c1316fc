"""Plain `pulumi` behaves as users know it: programs, secrets, errors, policy packs, dynamic resources."""

from __future__ import annotations

import json
import subprocess

import psutil

from localcloud.processes import wait_until

CONFIGURED = """
import pulumi
config = pulumi.Config()
pulumi.export("greeting", config.require("greeting"))
pulumi.export("token", config.require_secret("token"))
pulumi.export("root", pulumi.runtime.get_root_directory())
"""

DYNAMIC = """
import pulumi
from pulumi import dynamic

class Provider(dynamic.ResourceProvider):
    def create(self, props):
        return dynamic.CreateResult("made", {"size": props["size"] * 2})

class Thing(dynamic.Resource):
    size: pulumi.Output[int]
    def __init__(self, name, size):
        super().__init__(Provider(), name, {"size": size})

pulumi.export("size", Thing("thing", 21).size)
"""

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

def validate(args, report):
    for resource in args.resources:
        report(f"refused: {resource.name}")

PolicyPack("sample", policies=[
    StackValidationPolicy(name="refuse-all", description="Refuses.", enforcement_level=EnforcementLevel.MANDATORY,
                          validate=validate)])
"""


def outputs(project) -> dict:
    return json.loads(project.pulumi("stack", "output", "--json"))


def test_program_reads_configuration_and_second_up_changes_nothing(project):
    sample = project(CONFIGURED)
    sample.pulumi("config", "set", "greeting", "hello")
    sample.pulumi("config", "set", "--secret", "token", "hidden-value")
    assert "1 created" in sample.pulumi("up", "--yes")
    assert outputs(sample) == {"greeting": "hello", "token": "[secret]", "root": str(sample.folder)}
    again = sample.pulumi("up", "--yes", "--expect-no-changes")
    assert "1 unchanged" in again
    assert "warning" not in again


def test_secrets_stay_encrypted_in_state_and_configuration(project):
    sample = project(CONFIGURED)
    sample.pulumi("config", "set", "greeting", "hello")
    sample.pulumi("config", "set", "--secret", "token", "hidden-value")
    sample.pulumi("up", "--yes")
    files = [path for path in sample.folder.rglob("*") if path.is_file()]
    state = [path for path in files if "hello" in path.read_text(errors="replace")]
    assert state, "the plain value should be found, or this test looks in the wrong place"
    assert not [path for path in files if "hidden-value" in path.read_text(errors="replace")]


def test_program_that_raises_fails_with_its_message_and_makes_nothing(project):
    sample = project("raise ValueError('the reason')")
    assert "the reason" in sample.pulumi("up", "--yes", code=1)
    assert "the reason" in sample.pulumi("preview", code=1)


def test_run_error_is_shown_without_traceback(project):
    sample = project("import pulumi\nraise pulumi.RunError('one clear message')")
    printed = sample.pulumi("preview", code=1)
    assert "one clear message" in printed
    assert "Traceback" not in printed


def test_policy_pack_refuses_with_its_message(project):
    sample = project("import pulumi\npulumi.export('a', 1)")
    pack = sample.folder / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(PACK)
    printed = sample.pulumi("up", "--yes", "--policy-pack", str(pack), code=1)
    assert "refused: sample-test" in printed
    assert "Traceback" not in printed
    assert outputs(sample) == {}


def test_dynamic_resource_is_created_refreshed_and_destroyed(project):
    sample = project(DYNAMIC)
    sample.pulumi("up", "--yes")
    assert outputs(sample) == {"size": 42}
    sample.pulumi("refresh", "--yes")
    assert "deleted" in sample.pulumi("destroy", "--yes")
    assert json.loads(sample.pulumi("stack", "export"))["deployment"].get("resources", []) == []


WAITS = """
import pathlib, time
pathlib.Path("started").touch()
time.sleep(600)
"""


def test_a_killed_engine_takes_its_plugins_along(project):
    sample = project(WAITS)
    words = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    engine = subprocess.Popen(words, cwd=sample.folder, env=sample.environment, stdout=subprocess.DEVNULL)
    assert wait_until(lambda: any(sample.folder.rglob("started")), 60)
    plugins = psutil.Process(engine.pid).children(recursive=True)
    assert len(plugins) >= 2, "a language host and its program"
    engine.kill()
    engine.wait()
    assert psutil.wait_procs(plugins, timeout=20)[1] == []
