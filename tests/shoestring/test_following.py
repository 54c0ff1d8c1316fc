"""What is told of jobs while they run, and how each one ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shoestring import following, jobs, outcomes
from shoestring.base.errors import UserError
from shoestring.following import JobProgress, duration, line
from shoestring.layout import ENDLESS

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/churn-0f3a91c2b7de"


def described(**more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "churn-0f3a91c2b7de",
        "TrainingJobArn": ARN,
        "CreationTime": datetime.now(UTC),
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        **more,
    }


def progress(**more: Any) -> JobProgress:
    job = JobProgress("churn-0f3a91c2b7de")
    job.look(described(**more))
    return job


def test_share_and_time_left_follow_from_the_jobs_own_lines() -> None:
    job, now = progress(), datetime.now(UTC).timestamp()
    job.take("steps=100", now - 20)
    for step in range(1, 41):
        job.take(f"step={step} train_loss={1 / step:.3f}", now - 20 + step / 2)
    assert (job.step, job.steps, job.metrics) == (40, 100, {"train_loss": 0.025})
    assert job.seconds_left == pytest.approx(30, abs=1)
    assert line(job, 200).startswith("training  step 40 of 100 (40%)  30 s left")


def test_after_an_interruption_the_pace_is_that_of_the_new_attempt() -> None:
    job, now = progress(), datetime.now(UTC).timestamp()
    job.take("steps=100", now)
    job.take("step=1", now - 1000)
    job.take("step=50", now - 900)
    job.take("resumed_from_step=50", now - 12)
    assert job.seconds_left is None
    job.take("step=51", now - 10)
    job.take("step=61", now)
    assert job.seconds_left == pytest.approx(39, abs=1)


@pytest.mark.parametrize(("given", "steps"), [({"epochs": "20"}, 20), ({"epochs": '"many"'}, 0), ({"rate": "0.1"}, 0)])
def test_steps_of_a_script_that_does_not_say_them(given: dict[str, str], steps: int) -> None:
    assert progress(HyperParameters=given).steps == steps


def test_the_job_files_own_metrics_are_read_from_any_line() -> None:
    defined = [{"Name": "rmse", "Regex": r"validation error: ([0-9.]+)"}]
    job = progress(AlgorithmSpecification={"MetricDefinitions": defined})
    job.take("epoch 3, validation error: 0.25 (best so far)")
    job.take("step=4 note=good loss=nan")
    assert job.metrics == {"rmse": 0.25}


def test_dollars_so_far_are_the_instances_time() -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    assert progress().cost_so_far() == ""
    assert progress(TrainingStartTime=began).cost_so_far().startswith("$0.12")
    spot = progress(TrainingStartTime=began, EnableManagedSpotTraining=True)
    assert spot.cost_so_far().startswith("at most $0.12")
    nowhere = described()["ResourceConfig"] | {"InstanceType": "ml.new.large"}
    assert progress(TrainingStartTime=began, ResourceConfig=nowhere).cost_so_far() == "cost not known"


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_a_line_fits_and_loses_the_least_important(width: int) -> None:
    job, now = progress(TrainingStartTime=datetime.now(UTC)), datetime.now(UTC).timestamp()
    job.take("steps=100", now - 10)
    job.take("step=1 train_loss=0.5 valid_auc=0.9", now - 5)
    job.take("step=10 train_loss=0.4 valid_auc=0.95", now)
    shown = line(job, width, "churn")
    assert len(shown) <= width and shown.startswith("churn  training")
    assert ("valid_auc" in shown) == (width == 120)


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (700, "12 min"), (7500, "2 h 5 min")])
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


class Account:
    """Jobs that end after some looks."""

    def __init__(self, looks: dict[str, int]) -> None:
        self.left = dict(looks)

    def describe(self, name: str) -> dict[str, Any]:
        self.left[name] -= 1
        ended = {"TrainingJobStatus": "Completed", "SecondaryStatus": "Completed"} if self.left[name] < 0 else {}
        return described(TrainingJobName=name, **ended)


def test_several_jobs_are_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Log:
        def __init__(self, job: str, since: datetime) -> None:
            self.job = job

        def events(self) -> list[tuple[float, str]]:
            return [(0.0, f"of {self.job}")]

    account, looks, ends = Account({"slow": 5, "quick": 1}), list[list[str]](), list[str]()
    monkeypatch.setattr(jobs, "describe", account.describe)
    monkeypatch.setattr(following, "Log", Log)
    followed = following.follow(
        ["slow", "quick"],
        lambda all_of_them: looks.append([job.name for job in all_of_them]),
        lambda job: ends.append(job.name),
        poll=0,
    )
    assert ends == ["quick", "slow"] and set(map(tuple, looks)) == {("slow", "quick")}
    assert [job.name for job in followed] == ["slow", "quick"]
    assert set(followed[0].lines) == {"of slow"}


def finished(status: str, secondary: str = "", **more: Any) -> dict[str, Any]:
    told = described(TrainingJobStatus=status, SecondaryStatus=secondary or status, **more)
    return outcomes.facts(told, progress()) | {"version": None}


RAN = {"TrainingStartTime": datetime.now(UTC), "TrainingTimeInSeconds": 6, "BillableTimeInSeconds": 6}


@pytest.mark.parametrize(
    ("facts", "ending", "mend"),
    [
        (finished("Stopped", "MaxRuntimeExceeded", **RAN), "stopped after 6 s: max_run", "raise max_run"),
        (finished("Stopped", "MaxWaitTimeExceeded", **RAN), "stopped after 6 s: max_wait", "raise max_wait"),
        (finished("Stopped", **RAN), "stopped after 6 s", "goes on from its last checkpoint"),
        (
            finished("Failed", FailureReason="AlgorithmError: exit code: 1\nTraceback\n  a\nValueError: no", **RAN),
            "failed after 6 s: AlgorithmError: exit code: 1: ValueError: no",
            "edit the job's script",
        ),
        (
            finished("Failed", FailureReason="CapacityError: Unable to provision"),
            "failed before it trained: CapacityError: Unable to provision",
            "mend what the reason names",
        ),
    ],
)
def test_how_a_job_ended(facts: dict[str, Any], ending: str, mend: str) -> None:
    assert outcomes.ending(facts) == ending
    with pytest.raises(UserError) as refused:
        outcomes.require_success([facts])
    assert ending in refused.value.found and mend in refused.value.mend


def test_a_job_that_never_trained_has_no_times_and_no_cost() -> None:
    facts = finished("Failed", FailureReason="CapacityError: Unable to provision")
    assert (facts["training_seconds"], facts["cost_usd"], facts["trained"]) == (0, 0.0, False)
    assert "nothing was billed" in outcomes.told(facts, ENDLESS)


def test_what_came_out_is_told_in_lines_that_fit() -> None:
    facts = finished("Failed", FailureReason="AlgorithmError: no column of that name in the training set", **RAN)
    facts |= {"metrics": {f"metric_{number}": number / 7 for number in range(6)}, "version": "3"}
    (end, metrics, version, cost) = outcomes.told(facts, ENDLESS).splitlines()
    assert end.startswith(f"{facts['name']} failed after 6 s: AlgorithmError") and version == (
        f"    registered: {facts['model']} version 3"
    )
    lines = outcomes.told(facts, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert [line for line in lines if "metric_" in line] == [
        "    metric_0 0  metric_1 0.1429  metric_2 0.2857",
        "    metric_3 0.4286  metric_4 0.5714  metric_5 0.7143",
    ]
    assert " ".join("".join(lines).split()) == " ".join("".join([end, metrics, version, cost]).split())


def test_what_to_do_next() -> None:
    facts = finished("Completed", **RAN) | {"version": "3"}
    assert "next: shoestring models promote churn 3 -e dev" in outcomes.summary("dev", [facts])
    assert outcomes.summary("local", [facts]).endswith("models promote churn 3")
    assert "next" not in outcomes.summary("local", [finished("Completed", **RAN)])
