"""What the policy pack adds to a preview: 1,000 resources without it, with an empty pack, and with every rule.

    .venv/bin/python benchmarks/policies.py [--json] [--repeat 5] [--resources 1000]

On the real engine and a state of its own; components of AWS types stand for the resources, so that no provider takes
part. The three previews run in turn. The empty pack holds one policy that does nothing, on Pulumi's own library: what
it adds is the engine's conversation with a pack, two calls for each resource, which no rule can make shorter. The last
line says how many times as much every rule adds; the tests hold it at LIMIT. The least time of each counts: what else
the machine does only ever adds.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.keys import Keys
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT
from shoestring.environment import local_environment, process_environment
from shoestring.setup.installation import pulumi_home

LIMIT = 1.5  # times what an empty pack adds
NO_CLOUD = {"variables": Keys("AKIA", "secret", "", "").variables("http://127.0.0.1:9")}
PROGRAM = """\
import json
import pulumi

TAGS = {"Project": "churn", "Environment": "dev", "Team": "ml", "Owner": "you@example.com", "CostCenter": "ml",
        "ManagedBy": "pulumi"}
ARN = "arn:aws:iam::123456789012:role/inference"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Sid": "Models", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::models/churn/*"]},
    {"Sid": "Token", "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": "*"}]})
KINDS = [
    ("aws:ssm/parameter:Parameter", {"name": "/churn/version", "type": "String", "value": "none", "tags": TAGS}),
    ("aws:s3/bucketObjectv2:BucketObjectv2", {"bucket": "models", "key": "model.onnx", "content": "x", "tags": TAGS}),
    ("aws:iam/role:Role", {"name": "inference", "assumeRolePolicy": POLICY, "tags": TAGS}),
    ("aws:iam/rolePolicy:RolePolicy", {"role": "inference", "policy": POLICY}),
    ("aws:ec2/securityGroup:SecurityGroup", {"vpcId": "vpc-1", "description": "Nobody", "tags": TAGS, "ingress": [
        {"protocol": "tcp", "fromPort": 5000, "toPort": 5000, "cidrBlocks": ["10.20.0.0/16"]}]}),
    ("aws:ec2/subnet:Subnet", {"vpcId": "vpc-1", "cidrBlock": "10.20.0.0/24", "tags": TAGS}),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": "/aws/lambda/inference", "retentionInDays": 14, "tags": TAGS}),
    ("aws:lambda/function:Function", {"name": "inference", "runtime": "python3.12", "handler": "inference.handler",
        "role": ARN, "memorySize": 512, "timeout": 15, "architectures": ["arm64"], "tags": TAGS,
        "environment": {"variables": {"MODEL_BUCKET": "models", "MODELS": '{"churn": "3"}'}}}),
    ("aws:lambda/functionUrl:FunctionUrl", {"functionName": "inference", "authorizationType": "AWS_IAM"}),
    ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"securityGroupId": "sg-1", "ipProtocol": "tcp",
        "fromPort": 5432, "toPort": 5432, "cidrIpv4": "10.20.0.0/16", "tags": TAGS}),
]
for number in range(RESOURCES):
    kind, props = KINDS[number % len(KINDS)]
    pulumi.ComponentResource(kind, f"thing-{number}", props)
"""
EMPTY = """\
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

nothing = ResourceValidationPolicy("nothing", "Nothing.", validate=lambda args, report: None)
PolicyPack("empty", policies=[nothing], enforcement_level=EnforcementLevel.MANDATORY)
"""
CONFIG = {"monthly-budget": {"limits": {"default": 1_000_000}}}  # a thousand resources cost what they cost


class Bench:
    """A project of its own with so many resources, and the packs that its previews are judged by."""

    def __init__(self, folder: Path, resources: int) -> None:
        self.folder = folder
        for name in ("program", "state", "home", "empty"):
            (folder / name).mkdir()
        (folder / "home" / "plugins").symlink_to(pulumi_home() / "plugins")
        (folder / "Pulumi.yaml").write_text("name: bench\nruntime: {name: python}\nmain: program/\n")
        (folder / "program" / "__main__.py").write_text(PROGRAM.replace("RESOURCES", str(resources)))
        python = Path(sys.executable).parent.parent
        (folder / "empty" / "PulumiPolicy.yaml").write_text(
            f"description: empty\nruntime: {{name: python, options: {{virtualenv: {python}}}}}\n"
        )
        (folder / "empty" / "__main__.py").write_text(EMPTY)
        (folder / "config.json").write_text(json.dumps(CONFIG))
        own = {"PULUMI_HOME": str(folder / "home"), "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
        self.environment = process_environment({**local_environment(NO_CLOUD), **own})
        self.packs: dict[str, list[str]] = {
            "without a pack": [],
            "an empty pack": ["--policy-pack", str(folder / "empty")],
            "every rule": [
                "--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(folder / "config.json")
            ],
        }  # fmt: skip
        self._run("stack", "init", "dev")

    def _run(self, *words: str) -> tuple[float, float]:
        """Seconds, and seconds of processor time of all processes. Raises UserError where it fails."""
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"], cwd=self.folder, env=self.environment,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise UserError(f"pulumi {' '.join(words)} exited with {done.returncode}:\n{done.stdout.strip()[-2000:]}")
        return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    def preview(self, pack: str) -> tuple[float, float]:
        """One preview under a pack."""
        return self._run("preview", *self.packs[pack])


Runs = dict[str, list[tuple[float, float]]]  # of each preview: seconds, processor seconds


def adds(runs: Runs, pack: str, place: int, middle: Callable[[list[float]], float] = min) -> float:
    """What a pack adds to a preview without one: seconds (`place` 0) or processor seconds (1)."""
    return middle([run[place] for run in runs[pack]]) - middle([run[place] for run in runs["without a pack"]])


def ratios(runs: Runs) -> tuple[float, float]:
    """How many times as much as an empty pack every rule adds, in time and in processor time, least against least;
    infinity where disturbances hide what the empty one adds."""
    wall, processor = (
        adds(runs, "every rule", place) / empty if (empty := adds(runs, "an empty pack", place)) > 0 else math.inf
        for place in (0, 1)
    )
    return wall, processor


def measure(repeat: int, resources: int) -> Runs:
    """The three previews in turn, `repeat` times each after a first that only warms the caches."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), resources)
        runs: Runs = {pack: [] for pack in bench.packs}
        for number in range(1 + repeat):
            for pack in bench.packs:
                run = bench.preview(pack)
                if number:
                    runs[pack].append(run)
    return runs


def facts(runs: Runs, resources: int) -> list[dict[str, Any]]:
    """Times of the three previews, and what each adds to the one without a pack."""
    rows = []
    for pack, own in runs.items():
        row: dict[str, Any] = {"preview": pack, "resources": resources}
        for place, key in enumerate(("seconds", "processor_seconds")):
            for word, middle in (("median", statistics.median), ("least", min)):
                row[f"{word}_{key}"] = round(middle([run[place] for run in own]), 3)
                row[f"adds_{word}_{key}"] = round(adds(runs, pack, place, middle), 3)
        rows.append(row)
    return rows


def main() -> None:
    """Prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each preview")
    parser.add_argument("--resources", type=int, default=1000, help="resources in the program")
    words = parser.parse_args()
    try:
        runs = measure(words.repeat, words.resources)
    except UserError as error:
        sys.exit(f"error: {error}")
    results = facts(runs, words.resources)
    wall, processor = ratios(runs)
    if words.json:
        print(json.dumps({"previews": results, "ratio_seconds": wall, "ratio_processor_seconds": processor}, indent=2))
        return
    print(f"{'preview':<18}{'median s':>10}{'adds':>8}{'least s':>10}{'adds':>8}{'processor s':>13}{'adds':>8}")
    for r in results:
        print(
            f"{r['preview']:<18}{r['median_seconds']:>10.2f}{r['adds_median_seconds']:>8.2f}"
            f"{r['least_seconds']:>10.2f}{r['adds_least_seconds']:>8.2f}"
            f"{r['least_processor_seconds']:>13.2f}{r['adds_least_processor_seconds']:>8.2f}"
        )
    print(f"every rule adds {wall:.2f} times what an empty pack adds; {processor:.2f} times in processor time")


if __name__ == "__main__":
    main()
