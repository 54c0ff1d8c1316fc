"""Right-sizing: never below what was measured and its head room, no saving below 0, nothing from too little."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from costs.book.prices import PriceBook
from costs.book.shapes import shape
from costs.report import sizing, utilisation
from costs.report.account import Job
from costs.report.explorer import Scope
from costs.report.periods import DAY, Span
from costs.report.sizing import MEMORY_ROOM, ROOM, FunctionUse, JobUse, MachineUse, Sizing
from costs.value.rightsizing import measure
from tests.costs.report import sample

BOOK = PriceBook.load()
REGION = "us-east-1"
NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
SETTING = "pulumi config set --path shoestring:inference.memoryMb {size} -s dev"
FUNCTION = FunctionUse(
    "f", "arm64", 1024, 15, 2_000_000, Decimal(171), Decimal(60_000_000), Decimal(900), 14, SETTING, "REPORT lines"
)
MACHINE = MachineUse("mlflow", "t4g.small", False, 336, Decimal("41.2"), Decimal("3.1"), Decimal("31.4"), Decimal(500),
                     "pulumi config set --path shoestring:mlflow.instanceType {size} -s dev", "CloudWatch")  # fmt: skip
JOB = JobUse("churn", "ml.g4dn.xlarge", 60, Decimal(182), Decimal("22.6"), Decimal(0), 14 * 7200, 14,
             "instance_type: {size}", "CloudWatch")  # fmt: skip


def test_a_function_gets_half_as_much_again_as_its_peak() -> None:
    """171 MB: 256.5, in steps of 64 is 320; 60,000 seconds at 704 MB less are 41,250 GB-seconds in 14 days."""
    found = sizing.function(FUNCTION, REGION, BOOK)
    assert found.verdict == "smaller" and found.advice
    assert found.advice.how == "pulumi config set --path shoestring:inference.memoryMb 320 -s dev"
    month = Decimal(41_250) * Decimal("0.0000133334") / 14 * (Decimal(365) / 12)
    assert (found.advice.saves.low, found.advice.saves.high) == (0, month)
    assert "list price of 2026-01-01" in found.advice.source and "up to 2880 ms" in found.advice.why


@pytest.mark.parametrize(
    ("changed", "verdict", "says"),
    [
        ({"calls": 99}, "unknown", "99 calls seen, 100 wanted"),
        ({"calls": 0}, "unknown", "0 calls seen"),
        ({"peak_mb": Decimal(0)}, "unknown", "give no memory (0 MB)"),
        ({"peak_mb": Decimal(700)}, "fits", "peak 700 of 1024 MB"),
        ({"peak_mb": Decimal(1000)}, "larger", "peak 1000 of 1024 MB"),
        ({"slowest_ms": Decimal(3000)}, "fits", "slowest 3000 ms"),  # with 320 MB up to 9.6 s of 15
        ({"billed_ms": Decimal(1000)}, "fits", "peak 171"),  # cents in a year
        ({"architecture": "sparc"}, "unknown", "sparc"),
    ],
)
def test_functions(changed: dict[str, Any], verdict: str, says: str) -> None:
    """Too few calls, memory that is needed, time that is needed, too little money, an unknown price."""
    found = sizing.function(replace(FUNCTION, **changed), REGION, BOOK)
    assert found.verdict == verdict and says in found.measured
    assert bool(found.advice) == (verdict in ("smaller", "larger"))


def test_a_function_that_is_about_to_be_killed_gets_more() -> None:
    """Which saves nothing, and says so by saying nothing of savings."""
    found = sizing.function(replace(FUNCTION, peak_mb=Decimal(1000)), REGION, BOOK)
    assert found.advice and found.advice.saves.high == 0
    assert found.advice.how.endswith("memoryMb 1536 -s dev")


def test_a_machine_goes_to_the_cheapest_that_fits() -> None:
    """2 GiB at 31.4 % with 30 % head room are 0.82 GiB: a t4g.micro, 0.0084 instead of 0.0168 for 730 hours."""
    found = sizing.machine(MACHINE, REGION, BOOK)
    assert found.verdict == "smaller" and found.advice
    assert found.advice.saves.low == found.advice.saves.high == Decimal("0.0084") * 730
    assert found.advice.how == "pulumi config set --path shoestring:mlflow.instanceType t4g.micro -s dev"


@pytest.mark.parametrize(
    ("changed", "verdict", "says"),
    [
        ({"hours": 23}, "unknown", "23 hours seen, 24 wanted"),
        ({"peak_memory": None}, "fits", "memory is not measured"),
        ({"peak_memory": Decimal(80)}, "fits", "memory at most 80 %"),
        ({"mean_cpu": Decimal(9)}, "fits", "9 % in the mean"),  # above what a t4g.micro has for good
        ({"least_credits": Decimal(0)}, "larger", "its CPU credits ran out"),
        ({"type": "t2.small"}, "unknown", "not in the table of types"),
        ({"type": "x99.large"}, "unknown", "no price"),
    ],
)
def test_machines(changed: dict[str, Any], verdict: str, says: str) -> None:
    """Too little seen, memory unknown or needed, processor needed, credits gone, unknown types."""
    found = sizing.machine(replace(MACHINE, **changed), REGION, BOOK)
    assert found.verdict == verdict and says in found.measured
    assert bool(found.advice) == (verdict in ("smaller", "larger"))


def test_a_machine_on_spot_saves_at_most_the_lists_difference() -> None:
    """What it really pays is not the list's price."""
    found = sizing.machine(replace(MACHINE, spot=True), REGION, BOOK)
    assert found.advice and (found.advice.saves.low, found.advice.saves.high) == (0, Decimal("6.132"))


def test_a_machine_without_credits_gets_more_of_a_processor() -> None:
    """For good: the smallest with a higher baseline."""
    found = sizing.machine(replace(MACHINE, type="t4g.micro", least_credits=Decimal(0)), REGION, BOOK)
    assert found.advice and found.advice.how.endswith("t4g.small -s dev") and found.advice.saves.high == 0


def test_a_job_that_never_used_its_gpu_loses_it() -> None:
    """1.82 processors and 3.6 GiB, with head room 2.4 and 4.7: ml.c5.xlarge, 0.5324 an hour less for 28 hours."""
    found = sizing.job(JOB, REGION, BOOK)
    assert found.verdict == "smaller" and found.advice
    assert found.advice.how == "instance_type: ml.c5.xlarge"
    assert found.advice.saves.high == Decimal("0.5324") * 28 / 14 * (Decimal(365) / 12)


@pytest.mark.parametrize(
    ("changed", "verdict", "says"),
    [
        ({"points": 4}, "unknown", "4 measurements of processor and memory seen, 5 wanted"),
        ({"peak_cpu": None}, "unknown", "5 wanted"),
        ({"peak_gpu": None}, "unknown", "0 measurements of its GPU"),
        ({"peak_gpu": Decimal(70)}, "fits", "GPU at most 70 %"),
        ({"billed_seconds": 60}, "fits", "processor at most 182 %"),
        ({"type": "ml.p9.huge"}, "unknown", "no price"),
    ],
)
def test_jobs(changed: dict[str, Any], verdict: str, says: str) -> None:
    """Too little seen, a GPU that is used, too little money, an unknown type."""
    found = sizing.job(replace(JOB, **changed), REGION, BOOK)
    assert found.verdict == verdict and says in found.measured and not found.advice


def proposed(found: Sizing) -> str:
    """The type or size that a line sets."""
    assert found.advice
    return found.advice.how.split()[-3 if "-s dev" in found.advice.how else -1]


PERCENT = st.decimals(0, 100, places=1)
TYPES = sorted(item for item in BOOK.items("ec2") if shape(item))
ML_TYPES = sorted(item for item in BOOK.items("sagemaker-training") if shape(item))


@given(
    st.integers(128, 10_240), st.decimals(0, 10_240, places=0), st.integers(0, 10_000), st.decimals(0, 10**9, places=0),
    st.decimals(0, 900_000, places=2), st.integers(1, 900), st.sampled_from(["arm64", "x86_64"]),
)  # fmt: skip
def test_no_function_below_its_peak(
    memory: int, peak: Decimal, calls: int, billed: Decimal, slowest: Decimal, timeout: int, architecture: str
) -> None:
    """And its head room; and no saving below nothing."""
    assume(peak <= memory)
    use = replace(FUNCTION, memory_mb=memory, peak_mb=peak, calls=calls, billed_ms=billed, slowest_ms=slowest,
                  timeout_seconds=timeout, architecture=architecture)  # fmt: skip
    found = sizing.function(use, REGION, BOOK)
    if found.advice:
        assert calls >= 100 and peak > 0 and int(proposed(found)) >= peak * MEMORY_ROOM
        assert found.advice.saves.low >= 0 and found.advice.saves.high >= 0
        assert found.verdict == ("smaller" if int(proposed(found)) < memory else "larger")


@given(
    st.sampled_from(TYPES), PERCENT, PERCENT, st.none() | PERCENT, st.none() | st.decimals(0, 600, places=1),
    st.booleans(), st.integers(0, 400),
)  # fmt: skip
def test_no_machine_below_its_peak(
    kind: str, peak: Decimal, mean: Decimal, memory: Decimal | None, credits: Decimal | None, spot: bool, hours: int
) -> None:
    """Processor, baseline, memory and architecture hold; a smaller one is cheaper."""
    assume(mean <= peak)
    use = replace(MACHINE, type=kind, peak_cpu=peak, mean_cpu=mean, peak_memory=memory, least_credits=credits,
                  spot=spot, hours=hours)  # fmt: skip
    found = sizing.machine(use, REGION, BOOK)
    if not found.advice:
        return
    own, other = shape(kind), shape(proposed(found))
    assert own and other and hours >= 24 and other.arm == own.arm and other.gpus >= own.gpus
    assert found.advice.saves.low >= 0
    assert other.memory_gib >= (own.memory_gib if memory is None else memory / 100 * own.memory_gib * ROOM) or (
        found.verdict == "larger"
    )
    assert other.cpus * other.baseline >= mean / 100 * own.cpus * ROOM
    if found.verdict == "smaller":
        assert other.cpus >= peak / 100 * own.cpus * ROOM
        assert BOOK.price("ec2", proposed(found)).usd < BOOK.price("ec2", kind).usd
    else:
        assert other.memory_gib >= own.memory_gib and other.cpus * other.baseline > own.cpus * own.baseline


@given(
    st.sampled_from(ML_TYPES), st.none() | st.decimals(0, 9600, places=1), st.none() | PERCENT,
    st.none() | st.decimals(0, 800, places=1), st.integers(0, 100), st.integers(0, 10**7),
)  # fmt: skip
def test_no_job_below_its_peak(
    kind: str, cpu: Decimal | None, memory: Decimal | None, gpu: Decimal | None, points: int, seconds: int
) -> None:
    """Processors, memory and a GPU that is used stay."""
    use = replace(JOB, type=kind, peak_cpu=cpu, peak_memory=memory, peak_gpu=gpu, points=points, billed_seconds=seconds)
    found = sizing.job(use, REGION, BOOK)
    if not found.advice:
        return
    own, other = shape(kind), shape(proposed(found))
    assert own and other and cpu is not None and memory is not None and points >= 5
    assert other.cpus >= cpu / 100 * ROOM and other.memory_gib >= memory / 100 * own.memory_gib * ROOM
    assert found.advice.saves.low >= 0 and found.verdict == "smaller"
    if own.gpus:
        assert gpu is not None and (gpu <= 5 * own.gpus or (other.family, other.gpus) >= (own.family, own.gpus))


def test_an_environment_is_measured_as_a_whole() -> None:
    """What saves most comes first; the JSON has money as strings."""
    found = measure(sample.clients(), Scope("shoestring", "dev"), REGION, BOOK, NOW)
    assert found.notes == ()
    assert [(each.kind, each.name, each.verdict) for each in found.sizings[:2]] == [
        ("machine", "shoestring-dev-mlflow", "smaller"),
        ("job", "churn", "smaller"),
    ]
    said, facts = found.text(), json.loads(json.dumps(found.facts()))
    assert "saves $6.13 a month" in said and "pulumi config set --path shoestring:mlflow.instanceType t4g.micro" in said
    assert facts["findings"][0]["saves_usd_a_month"] == {"low": "6.132", "high": "6.132"}
    assert Decimal(facts["saves_usd_a_month"]["high"]) == found.saves.high


def test_a_job_may_say_what_it_used() -> None:
    """Where SageMaker measured nothing, as on the local cloud: lines with cpu_percent and memory_percent count."""

    class Silent(sample.Paged):
        def get_metric_data(self, **arguments: Any) -> dict[str, Any]:
            return {"MetricDataResults": [{"Id": each["Id"], "Values": []} for each in arguments["MetricDataQueries"]]}

    class Logs(sample.Logs):
        def describe_log_streams(self, **arguments: Any) -> dict[str, Any]:
            return {"logStreams": [{"logStreamName": f"{arguments['logStreamNamePrefix']}algo-1"}]}

        def filter_log_events(self, **arguments: Any) -> dict[str, Any]:
            assert arguments["logStreamNames"] == ["churn-0f3a91c2b7de/algo-1"]
            lines = [f"step={n} cpu_percent={50 + n}.5 memory_percent=12" for n in range(6)]
            return {"events": [{"timestamp": 0, "message": line} for line in lines]}

    job = Job("churn-0f3a91c2b7de", "churn", "Completed", "ml.m5.large", 1, 10, True, 60, 20, "2026-11-16T14:00:00Z")
    (use,) = utilisation.of_jobs(Silent(), [job], Span(NOW - 14 * DAY, NOW), Logs())
    assert (use.points, use.peak_cpu, use.peak_memory, use.peak_gpu) == (6, Decimal("55.5"), Decimal("12.0"), None)
    assert "what jobs said in their logs" in use.source


def test_what_is_denied_is_a_note() -> None:
    """With the action, and the rest is measured."""

    class Denied:
        def get_paginator(self, operation: str) -> Any:
            raise sample._Missing("UnauthorizedOperation")

    found = measure(sample.clients(ec2=Denied()), Scope("shoestring", "dev"), REGION, BOOK, NOW)
    assert len(found.notes) == 1 and "ec2:DescribeInstances" in found.notes[0]
    assert {each.kind for each in found.sizings} == {"function", "job"}
