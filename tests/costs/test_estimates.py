"""Estimates are sums of priced lines; nothing unknown counts as nothing."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.estimates import MONTHLY, PlatformParts, inference_cost, job_cost, platform_month


def test_on_demand_job_is_billed_by_the_second():
    cost = job_cost("ml.m5.large", 3600, 3600, spot=False, volume_gb=730)
    assert [line.usd for line in cost.lines] == [Decimal("0.115"), Decimal("0.14")]
    assert cost.usd == cost.on_demand_usd == Decimal("0.255")
    second = job_cost("ml.m5.large", 1, 1, spot=False, volume_gb=0).usd
    assert second * 3600 == pytest.approx(Decimal("0.115"), abs=Decimal("1e-20"))


def test_spot_job_is_billed_its_billable_seconds_at_the_on_demand_price():
    cost = job_cost("ml.g4dn.xlarge", 7200, 2160, spot=True, volume_gb=0)
    assert cost.usd == Decimal("0.7364") * 2 * Decimal("0.3")
    assert cost.on_demand_usd == Decimal("0.7364") * 2
    assert cost.lines[0].name == "ml.g4dn.xlarge spot"


@given(training=st.integers(0, 10**6), share=st.floats(0, 1), volume=st.integers(0, 1000))
def test_saving_on_the_instance_is_that_of_the_seconds(training, share, volume):
    billable = int(training * share)
    cost = job_cost("ml.m5.large", training, billable, spot=True, volume_gb=volume)
    assert cost.usd == sum(line.usd for line in cost.lines) <= cost.on_demand_usd
    saved = Decimal(training - billable) / 3600 * Decimal("0.115")
    assert cost.on_demand_usd - cost.usd == pytest.approx(saved, abs=Decimal("1e-15"))


def test_every_line_names_its_price_unit_source_and_date():
    parts = PlatformParts(vm="t4g.nano", **{name: 1 for name in MONTHLY})
    estimates = [
        job_cost("ml.m5.large", 60, 60, spot=False, volume_gb=10),
        platform_month(parts),
        inference_cost(1000, 512, 3, "arm64"),
    ]
    lines = [line for estimate in estimates for line in estimate.lines]
    assert len(lines) == 2 + 1 + len(MONTHLY) + 2
    for line in lines:
        assert line.name and line.price.unit and line.price.source and line.price.as_of.year >= 2026
        assert line.usd == line.quantity * line.price.usd > 0


def test_platform_is_the_sum_of_its_parts():
    parts = PlatformParts(vm="t4g.nano", public_ipv4=1, volume_gb=8, s3_gb=5, log_storage_gb=0.5)
    month = platform_month(parts)
    assert {line.name: line.usd for line in month.lines} == {
        "t4g.nano VM": Decimal("3.066"),
        "public IPv4 address": Decimal("3.65"),
        "gp3 volume": Decimal("0.64"),
        "S3 storage": Decimal("0.115"),
        "log storage": Decimal("0.015"),
    }
    assert month.usd == Decimal("7.486")
    assert platform_month(PlatformParts()).usd == 0


def test_every_part_of_a_platform_has_a_price():
    assert [field.name for field in fields(PlatformParts)] == ["vm", *MONTHLY]
    book = PriceBook.load()
    assert all(book.price(service, item).usd > 0 for _, service, item, _ in MONTHLY.values())


def test_predictions_cost_their_time_and_memory():
    cost = inference_cost(1_000_000, 1024, 100, "x86_64")
    assert [line.usd for line in cost.lines] == [Decimal("1.66667"), Decimal("0.20")]
    assert cost.usd == cost.per_million == Decimal("1.86667")
    assert cost.per_thousand == Decimal("0.00186667")
    assert inference_cost(0, 512, 3, "arm64").usd == 0 < inference_cost(0, 512, 3, "arm64").per_thousand


def test_a_started_millisecond_is_billed():
    assert inference_cost(1, 512, 2.1, "arm64").usd == inference_cost(1, 512, 3, "arm64").usd
    assert inference_cost(1, 512, 2, "arm64").usd < inference_cost(1, 512, 2.1, "arm64").usd


@pytest.mark.parametrize(
    ("estimate", "named"),
    [
        (lambda: job_cost("ml.p9.huge", 1, 1, spot=False, volume_gb=0), "ml.p9.huge"),
        (lambda: job_cost("ml.m5.large", 1, 1, spot=False, volume_gb=0, region="eu-west-9"), "eu-west-9"),
        (lambda: platform_month(PlatformParts(vm="t9.nano")), "t9.nano"),
        (lambda: platform_month(PlatformParts(alarms=1), region="eu-west-9"), "alarm in eu-west-9"),
        (lambda: platform_month(PlatformParts(vm="t4g.nano"), book=PriceBook([])), "t4g.nano"),
        (lambda: inference_cost(1, 512, 1, "riscv"), "riscv"),
    ],
)
def test_missing_price_is_an_error_that_names_it(estimate, named):
    with pytest.raises(UnknownPrice, match=named):
        estimate()


@pytest.mark.parametrize(
    ("estimate", "named"),
    [
        (lambda: job_cost("ml.m5.large", 10, 11, spot=True, volume_gb=0), "billable_seconds is 11"),
        (lambda: job_cost("ml.m5.large", -1, 0, spot=False, volume_gb=0), "training_seconds is -1"),
        (lambda: job_cost("ml.m5.large", 1, 1, spot=False, volume_gb=float("nan")), "volume_gb is nan"),
        (lambda: platform_month(PlatformParts(s3_gb=-1)), "s3_gb is -1"),
        (lambda: inference_cost(-1, 512, 1, "arm64"), "requests is -1"),
    ],
)
def test_impossible_numbers_are_refused(estimate, named):
    with pytest.raises(ValueError, match=named):
        estimate()
