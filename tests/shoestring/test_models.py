"""Registered models and their champions: any model at any time, and what is left to do is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shoestring import models
from shoestring.base import aws
from shoestring.base.errors import UserError
from stacks.settings import Inference

PARAMETER, UP = "/shoestring/dev/champions", "pulumi up -s dev --policy-pack policies"


class SystemsManager:
    """Parameters with their history, as Systems Manager keeps them; `meanwhile` is done before the next write."""

    class exceptions:
        class ParameterNotFound(ClientError):
            pass

    def __init__(self, text: str | None) -> None:
        self.history = [text] if text is not None else []
        self.meanwhile: Callable[[], Any] | None = None

    def get_parameter(self, Name: str) -> dict[str, Any]:
        name, _, version = Name.partition(":")
        if name != PARAMETER or not self.history:
            raise self.exceptions.ParameterNotFound({"Error": {"Code": "ParameterNotFound"}}, "GetParameter")
        number = int(version or len(self.history))
        return {"Parameter": {"Name": name, "Value": self.history[number - 1], "Version": number}}

    def put_parameter(self, Name: str, Value: str, Overwrite: bool) -> dict[str, Any]:
        assert (Name, Overwrite) == (PARAMETER, True)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        self.history.append(Value)
        return {"Version": len(self.history)}


class Bucket:
    """What S3 lists and gives of `models/`."""

    def __init__(self, **versions: list[int]) -> None:
        self.objects = {
            f"models/{name}/{number}/model.json": {
                "name": name,
                "version": str(number),
                "job": f"{name}-0",
                "metrics": {},
            }
            for name, numbers in versions.items()
            for number in numbers
        }

    def get_paginator(self, operation: str) -> Bucket:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}]

    def get_object(self, Bucket: str, Key: str) -> Any:
        from io import BytesIO

        return {"Body": BytesIO(json.dumps(self.objects[Key]).encode())}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> SystemsManager:
    clients = {"ssm": SystemsManager("{}"), "s3": Bucket(churn=[1, 2, 10], iris=[1])}
    monkeypatch.setattr(aws, "client", clients.__getitem__)
    return clients["ssm"]  # type: ignore[return-value]


def promote(model: str, version: str = "latest") -> str:
    return models.promote("dev", "bucket", model, version)


def test_versions_are_listed_of_one_model_and_of_all(account: SystemsManager) -> None:
    def numbers(model: str = "") -> list[tuple[str, str]]:
        return [(version["name"], version["version"]) for version in models.versions("bucket", model)]

    assert numbers("churn") == [("churn", "1"), ("churn", "2"), ("churn", "10")]
    assert numbers() == [*numbers("churn"), ("iris", "1")]


def test_any_registered_model_is_promoted_and_the_others_keep_their_champion(account: SystemsManager) -> None:
    assert (promote("churn"), promote("iris")) == ("10", "1")
    assert promote("churn", "2") == "2"
    assert models.champions("dev") == {"churn": "2", "iris": "1"}
    writes = len(account.history)
    assert promote("churn", "2") == "2" and len(account.history) == writes


def test_two_promotions_at_once_are_both_kept(account: SystemsManager) -> None:
    account.meanwhile = lambda: promote("iris")
    promote("churn")
    assert models.champions("dev") == {"churn": "10", "iris": "1"}


@pytest.mark.parametrize(
    ("words", "says", "mend"),
    [
        (("chrn",), "there is no model chrn in dev; did you mean churn?", "shoestring models list -e dev"),
        (("fraud",), "there is no model fraud in dev; known: churn, iris", "shoestring models list -e dev"),
        (("churn", "3"), "model churn has no version 3", "shoestring models list churn -e dev"),
    ],
)
def test_what_is_not_registered_is_said_with_what_is(
    account: SystemsManager, words: tuple[str, ...], says: str, mend: str
) -> None:
    with pytest.raises(UserError) as refused:
        promote(*words)
    assert (refused.value.found, refused.value.mend) == (says, mend)
    assert account.history == ["{}"]


def test_without_the_platforms_parameter_the_mend_makes_it(account: SystemsManager) -> None:
    account.history.clear()
    with pytest.raises(UserError, match=f"there is no parameter {PARAMETER}") as refused:
        promote("churn")
    assert refused.value.mend == "pulumi up --refresh --stack dev --policy-pack policies"


def test_a_parameter_that_somebody_else_wrote_is_not_overwritten(account: SystemsManager) -> None:
    account.history.append("churn=3")
    with pytest.raises(UserError, match=f"{PARAMETER} holds 'churn=3'"):
        promote("churn")
    assert account.history[-1] == "churn=3"


def test_what_is_left_to_do_is_said() -> None:
    both = Inference(model="churn", additionalModels=("iris",))

    def left(model: str, version: str, served: dict[str, str], configured: Inference) -> str:
        return models.to_publish("dev", model, version, served, configured)

    assert left("churn", "2", {"churn": "2"}, both) == ""
    assert left("churn", "2", {"churn": "1"}, both) == f"publish it:  {UP}"
    assert left("iris", "1", {"churn": "1"}, both) == f"publish it:  {UP}"  # configured since the last update
    said = left("fraud", "1", {"churn": "1"}, both)
    assert "in the place of churn:  pulumi config set -s dev --path shoestring:inference.model fraud" in said
    assert "pulumi config set -s dev --path 'shoestring:inference.additionalModels[1]' fraud" in said
    assert said.endswith(UP)
