"""Several models, on the real engine and the emulated account: one `up` switches, and no champion is lost."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tests.acceptance.conftest import Bed

EARLIER, CHAMPIONS = "/shoestring/local/models/breast-cancer/champion", "/shoestring/local/champions"


def client(bed: Bed, service: str) -> Any:
    keys = {f"aws_{name}": bed.variables[f"AWS_{name.upper()}"] for name in ("access_key_id", "secret_access_key")}
    return boto3.client(service, endpoint_url=bed.variables["AWS_ENDPOINT_URL"], region_name="us-east-1", **keys)


def register(bed: Bed, model: str) -> None:
    """What a job leaves of its model, as far as promotion reads it."""
    described = {"name": model, "version": "1", "job": f"{model}-0", "metrics": {}}
    bucket = bed.run("pulumi", "stack", "output", "bucket", "--stack", "local").strip()
    client(bed, "s3").put_object(Bucket=bucket, Key=f"models/{model}/1/model.json", Body=json.dumps(described).encode())


def served(bed: Bed) -> dict[str, str]:
    """The version of each model in the function that answers."""
    configuration = client(bed, "lambda").get_function_configuration(
        FunctionName="shoestring-local-inference", Qualifier="live"
    )
    return json.loads(configuration["Environment"]["Variables"]["MODELS"])


def test_one_up_switches_to_another_model_and_back(bed: Bed) -> None:
    for model in ("breast-cancer", "iris"):
        register(bed, model)
    assert "publish it:  pulumi up -s local" in bed.shoestring("models", "promote", "breast-cancer")
    assert "it is not among the models that local serves" in bed.shoestring("models", "promote", "iris")

    bed.pulumi("config", "set", "--path", "shoestring:inference.model", "iris", "--stack", "local")
    assert "iris version 1 is champion; publish it" in bed.shoestring("models", "promote", "iris")
    bed.pulumi("up", "-s", "local")
    assert served(bed) == {"iris": "1"}
    assert "iris version 1 is champion; it is served" in bed.shoestring("models", "promote", "iris")
    rows = json.loads(bed.shoestring("models", "list", "--json"))
    assert [(row["name"], row["champion"], row["served"]) for row in rows] == [
        ("breast-cancer", True, False), ("iris", True, True)
    ]  # fmt: skip

    bed.reset()
    bed.pulumi("up", "-s", "local")
    assert served(bed) == {"breast-cancer": "1"}


def test_a_platform_of_the_earlier_release_keeps_its_champion(bed: Bed) -> None:
    """That release had one parameter for the model that it served, which its first update with this one removes."""
    ssm = client(bed, "ssm")
    ssm.delete_parameter(Name=CHAMPIONS)
    ssm.put_parameter(Name=EARLIER, Type="String", Value="4")
    try:
        bed.pulumi("up", "--refresh", "-s", "local")
    finally:
        ssm.delete_parameter(Name=EARLIER)
    assert served(bed) == {"breast-cancer": "4"}
    assert json.loads(ssm.get_parameter(Name=CHAMPIONS)["Parameter"]["Value"]) == {"breast-cancer": "4"}
