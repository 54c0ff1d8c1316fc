"""A job's model is registered once, at once or later; against a real MLflow server and the local cloud's S3."""

from __future__ import annotations

import json
from dataclasses import dataclass

import boto3
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training.job import registry
from training.job.session import Session

GONE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Parameters:
    epochs: int = 1


@pytest.fixture
def model(job):
    """The model folder of a job that ended while MLflow was away."""
    with Session(Parameters()) as session:
        table = session.table()
        for step in session.steps(1, save=bytes, load=bytes):
            session.log(loss=1 / step)
        fitted = LogisticRegression().fit(table.values, table.labels)
        session.finish(fitted, table, evaluation={"test_auc": 0.75})
    return job / "model"


def rename(model, job):
    for name in ("model.json", "tracking.jsonl"):
        (model / name).write_text((model / name).read_text().replace('"tiny-1"', f'"{job}"'))


def stored(bucket, location):
    prefix = location.removeprefix(f"s3://{bucket}/")
    objects = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix): item["LastModified"] for item in objects}


def test_later_registration_makes_one_version_with_all_that_serving_needs(server, bucket, model):
    from mlflow import MlflowClient

    registered = registry.register(model, server.uri, bucket)
    assert (registered.name, registered.new) == ("tiny", True)
    assert registered.location == f"s3://{bucket}/models/tiny/{registered.version}/"
    first = stored(bucket, registered.location)
    assert set(first) == {"model.onnx", "signature.json", "model.json"}
    body = (
        boto3.client("s3").get_object(Bucket=bucket, Key=f"models/tiny/{registered.version}/model.json")["Body"].read()
    )
    described = json.loads(body)
    assert (described["version"], described["run_id"], described["job"]) == (
        registered.version,
        registered.run_id,
        "tiny-1",
    )

    client = MlflowClient(server.uri)
    version = client.get_model_version("tiny", registered.version)
    expected = {"job": "tiny-1", "code_sha256": "c0de", "environment": "local", "test_auc": "0.75"}
    expected |= {"location": registered.location}
    assert {f"shoestring.{key}": value for key, value in expected.items()}.items() <= version.tags.items()
    run = client.get_run(registered.run_id)
    assert run.data.metrics == {"loss": 1.0, "test_auc": 0.75} and run.info.status == "FINISHED"

    again = registry.register(model, server.uri, bucket)
    assert (again.version, again.run_id, again.new) == (registered.version, registered.run_id, False)
    assert stored(bucket, registered.location) == first
    assert len(client.search_model_versions("name = 'tiny' and tags.`shoestring.job` = 'tiny-1'")) == 1


def test_mlflow_can_load_what_was_registered(server, bucket, model, monkeypatch):
    import mlflow

    rename(model, "tiny-2")
    registered = registry.register(model, server.uri, bucket)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    loaded = mlflow.pyfunc.load_model(f"models:/tiny/{registered.version}")
    assert loaded.metadata.signature.inputs.input_names() == ["input"]
    assert loaded.predict(np.zeros((3, 2), np.float32))["probabilities"].shape == (3, 2)


def test_bucket_that_was_missing_is_filled_by_the_next_try(server, bucket, model):
    rename(model, "tiny-3")
    with pytest.raises(registry.RegistrationError, match="s3://made-later/models/tiny/"):
        registry.register(model, server.uri, "made-later")
    boto3.client("s3").create_bucket(Bucket="made-later")
    registered = registry.register(model, server.uri, "made-later")
    assert not registered.new and set(stored("made-later", registered.location)) == set(registry.SERVED)


def test_what_cannot_be_registered_says_why(server, model):
    with pytest.raises(registry.RegistrationError, match=f"mlflow at {GONE}"):
        registry.register(model, GONE, "bucket")
    with pytest.raises(registry.RegistrationError, match="no MLflow server"):
        registry.register(model, "", "bucket")
    with pytest.raises(registry.RegistrationError, match="no bucket"):
        registry.register(model, server.uri, "")
    (model / "model.onnx").unlink()
    with pytest.raises(registry.RegistrationError, match=r"model\.onnx missing"):
        registry.register(model, server.uri, "bucket")


def test_what_a_job_cost_is_noted_when_it_is_over(server, bucket, model):
    from mlflow import MlflowClient

    from shoestring.models import record_cost

    rename(model, "tiny-cost")
    registered = registry.register(model, server.uri, bucket)
    assert record_cost("tiny-cost", 0.0123, server.uri)
    noted = MlflowClient(server.uri).get_model_version("tiny", registered.version).tags
    assert noted["shoestring.cost_usd"] == "0.01230000"
    assert not record_cost("never-ran", 0.0123, server.uri)
    assert not record_cost("tiny-cost", 0.0123, GONE)
