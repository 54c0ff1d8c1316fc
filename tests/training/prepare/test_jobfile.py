"""A job file is read whole or refused with everything that is wrong in it."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from costs.book.prices import PriceBook
from shoestring.base.errors import UserError
from training.prepare import jobfile

GOOD = {"name": "churn", "entry_point": "train.py", "data": {"csv": "my.csv", "target": "churned"}}


@pytest.fixture
def write(tmp_path):
    (tmp_path / "train.py").write_text("")
    (tmp_path / "my.csv").write_text("a,churned\n")

    def written(**changes):
        path = tmp_path / "job.yaml"
        values = {**GOOD, **changes}
        path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}))
        return path

    return written


def test_least_file_has_cheap_and_safe_defaults(write, tmp_path):
    job = jobfile.load(write())
    assert (job.spot, job.instance_type, job.volume_gb) == (True, "ml.m5.large", 10)
    assert job.max_wait == 2 * job.max_run
    assert job.path == tmp_path / "job.yaml" and job.entry_path == tmp_path / "train.py"
    assert job.csv_path == tmp_path / "my.csv"


@pytest.mark.parametrize(("text", "seconds"), [("20m", 1200), ("1h30m", 5400), ("90s", 90), ("1h", 3600), (1200, 1200)])
def test_times_are_seconds(write, text, seconds):
    assert jobfile.load(write(max_run=text)).max_run == seconds


def test_job_without_spot_has_no_wait(write):
    assert jobfile.load(write(spot=False)).max_wait is None


def test_hyperparameters_keep_their_types(write):
    parameters = {"epochs": 3, "rate": 0.5, "kind": "fast", "shuffle": True}
    loaded = jobfile.load(write(hyperparameters=parameters)).hyperparameters
    assert loaded == parameters
    assert {key: type(value) for key, value in loaded.items()} == {
        key: type(value) for key, value in parameters.items()
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"max_rum": "20m"}, "max_rum: unknown key; did you mean max_run?"),
        ({"data": {"csv": "my.csv", "traget": "churned"}}, "data.traget: unknown key; did you mean target?"),
        ({"colour": 1}, "colour: unknown key; known: name, entry_point"),
        ({"max_run": -5}, "max_run: input should be greater than 0, found -5"),
        ({"max_run": "-5m"}, "max_run: expected a time above 0 like 20m, 1h30m or 1200 (seconds), found '-5m'"),
        ({"max_run": "soon"}, "found 'soon'"),
        ({"max_run": "0m"}, "max_run: input should be greater than 0, found 0"),
        ({"max_run": True}, "max_run: input should be a valid integer, found True"),
        (
            {"instance_type": "ml.m5.lrge"},
            "ml.m5.lrge is no instance type that SageMaker trains on; known: ml.m5.large",
        ),
        ({"max_run": "1h", "max_wait": "20m"}, "max_wait: 1200 s is below max_run (3600 s)"),
        ({"spot": False, "max_wait": "2h"}, "max_wait: only a spot job waits"),
        ({"entry_point": "trian.py"}, "entry_point: there is no trian.py in"),
        ({"entry_point": "trian.py"}, "did you mean train.py?"),
        ({"data": {"csv": "absent.csv"}}, "data.csv: there is no absent.csv in"),
        ({"data": {"csv": "my.csv", "builtin": "breast_cancer"}}, "data: expected one of builtin and csv"),
        ({"data": {"builtin": "iris"}}, "data.builtin: input should be 'breast_cancer', found 'iris'"),
        ({"name": "My Job"}, "name: string should match pattern"),
        ({"name": None}, "name: missing"),
        ({"name": "a" * 47}, "name: 47 characters, expected at most 46: SageMaker takes 63 for a job's name"),
        ({"metrics": {"loss": "loss=("}}, "metrics.loss: not a regular expression"),
        ({"metrics": {"loss": "loss=.*"}}, "metrics.loss: expected one group that holds the number, found 0"),
        ({"hyperparameters": {"sagemaker_program": "x"}}, "names that begin with sagemaker_ are SageMaker's own"),
        ({"hyperparameters": {"layers": [1, 2]}}, "hyperparameters.layers: "),
        ({"framework": "tensorflow"}, "framework: input should be 'pytorch-2.5-cpu-py311', found 'tensorflow'"),
    ],
)
def test_mistake_is_named_with_its_line(write, changes, says):
    path = write(**changes)
    with pytest.raises(UserError) as raised:
        jobfile.load(path)
    assert says in raised.value.found
    assert re.match(r"job\.yaml:\d+: ", raised.value.found)


def test_an_instance_type_that_has_no_price_is_no_mistake(write):
    kind = "ml.trn1.2xlarge"
    assert PriceBook.load().find("sagemaker-training", kind) is None
    assert jobfile.load(write(instance_type=kind)).instance_type == kind


def test_all_mistakes_come_at_once_in_the_file_order(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(
        "name: a\nentry_point: absent.py\nmax_rum: 1\ninstance_type: ml.none\nspot: true\nmax_wait: 0\n"
        "data:\n  csv: no.csv\n"
    )
    with pytest.raises(UserError) as raised:
        jobfile.load(path)
    lines = [line.split(": ")[0] for line in raised.value.found.splitlines()]
    assert lines == ["job.yaml:2", "job.yaml:3", "job.yaml:4", "job.yaml:6", "job.yaml:8"]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "name: [", "\x00"])
def test_what_is_no_job_file_is_refused(tmp_path, text):
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"job\.yaml (is not YAML|holds no keys)"):
        jobfile.load(path)


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        jobfile.load(tmp_path / "absent.yaml")


def test_own_jobs_are_found_and_load():
    assert "breast-cancer" in jobfile.files()
    assert jobfile.find("breast_cancer") == jobfile.find("breast-cancer")
    for name in jobfile.files():
        assert jobfile.load(jobfile.find(name)).name == name


def test_unknown_job_lists_the_known_ones():
    with pytest.raises(UserError, match="did you mean breast-cancer") as raised:
        jobfile.find("brest-cancer")
    assert "breast-cancer" in raised.value.expected


def test_schema_file_is_current_and_editors_find_it():
    written = json.loads((jobfile.JOBS / "schema.json").read_text())
    assert written == jobfile.schema(), "write json.dumps(training.prepare.jobfile.schema(), indent=2) to schema.json"
    for name in jobfile.files():
        first = jobfile.find(name).read_text().splitlines()[0]
        assert first == "# yaml-language-server: $schema=schema.json"


def test_schema_agrees_with_the_model():
    import jsonschema

    example = yaml.safe_load(jobfile.find("breast-cancer").read_text())
    jsonschema.validate(example, jobfile.schema())
    for wrong in ({"max_run": "soon"}, {"max_run": -1}, {"colour": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**example, **wrong}, jobfile.schema())


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("us-east-1", "763104351884.dkr.ecr.us-east-1.amazonaws.com"),
        ("eu-south-1", "692866216735.dkr.ecr.eu-south-1.amazonaws.com"),
    ],
)
def test_image_lies_in_the_region_as_the_sdk_has_it(write, region, registry):
    from sagemaker.core import image_uris

    image = jobfile.load(write()).image_uri(region)
    assert image == f"{registry}/pytorch-training:2.5.1-cpu-py311"
    assert image == image_uris.retrieve(
        "pytorch", region, version="2.5.1", py_version="py311", instance_type="ml.m5.large", image_scope="training"
    )


def test_own_image_takes_the_place(write):
    assert jobfile.load(write(image="1.dkr.ecr.us-east-1.amazonaws.com/a:1")).image_uri("eu-west-1").endswith("/a:1")
