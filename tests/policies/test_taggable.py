"""What takes tags is known for every type of the provider's SDK, without importing it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

from policies import taggable as module
from policies.taggable import taggable


def registry() -> list[dict]:
    """The SDK's own table of its types."""
    text = (module._sdk() / "__init__.py").read_text()
    return json.loads(text.partition('resource_modules="""')[2].partition('"""')[0])


def test_every_type_of_the_sdk_is_found():
    lost = []
    for described in registry():
        for token in described["classes"]:
            if module._arguments(token) is None:
                lost.append(token)
    assert lost == []


@pytest.mark.parametrize("service", ["budgets", "lambda_", "scheduler", "sns"])
def test_answers_as_the_sdks_own_classes_do(service):
    sdk = importlib.import_module(f"pulumi_aws.{service}")
    tokens = {t: n for d in registry() if d["fqn"] == f"pulumi_aws.{service}" for t, n in d["classes"].items()}
    assert tokens
    for token, name in tokens.items():
        assert taggable(token) == hasattr(getattr(sdk, name + "Args", object), "tags"), token


@pytest.mark.parametrize(
    "token", ["aws:ec2/vpc:Vpc", "aws:autoscaling/group:Group", "aws:sagemaker/trainingJob:TrainingJob"]
)
def test_takes_tags(token):
    assert taggable(token)


@pytest.mark.parametrize(
    "token",
    ["aws:ec2/route:Route", "aws:s3/bucketPolicy:BucketPolicy", "aws:none/none:None", "aws:ec2/none:None",
     "pulumi:providers:aws", "pulumi:pulumi:Stack", "shoestring:tracking:MlflowServer"],
)  # fmt: skip
def test_takes_none(token):
    assert not taggable(token)


def test_the_sdk_is_not_imported():
    program = (
        "import sys; from policies.taggable import taggable; "
        "assert taggable('aws:ec2/vpc:Vpc'); assert 'pulumi_aws' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
