"""The meter's own arithmetic: stretches, line items, Cost Explorer over them, budgets; no server runs here."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import boto3
import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.book.prices import PriceBook
from localcloud.aws.types import METERED, USAGE
from localcloud.meter import allocation, budgets, explorer, forecast
from localcloud.meter.anomalies import Anomalies
from localcloud.meter.behaviour import Behaviour, Gate
from localcloud.meter.expressions import matcher
from localcloud.meter.functions import REPORT
from localcloud.meter.ledger import Ledger, Stretch
from localcloud.meter.observe import observe
from localcloud.meter.prices import Prices
from localcloud.meter.rate import LineItem, Rater, months
from localcloud.meter.service import MODEL, Service
from localcloud.meter.trail import Event
from localcloud.meter.training import stretch_of
from localcloud.protocol import ServiceError
from localcloud.requests import python_pattern
from localcloud.sagemaker.spot import Spot
from tests.localcloud.sagemaker.test_sagemaker import patterns

BOOK = PriceBook.load()
RATER = Rater(BOOK, Spot(price_ratio=0.3))
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = 3600.0


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()


def line(start: datetime, hours: float, cost: str, service="AmazonCloudWatch", tags=None, **more) -> LineItem:
    begin = start.timestamp()
    given = {
        "resource": "one", "usage_type": "CW:AlarmMonitorUsage", "operation": "Unknown", "region": "us-east-1",
        "quantity": Decimal(1), "unit": "Hrs", "unit_price": Decimal(cost), "list_cost": Decimal(cost),
        "purchase": "On Demand Instances", **more,
    }  # fmt: skip
    return LineItem(
        start=begin, end=begin + hours * HOUR, service=service, cost=Decimal(cost), tags=tags or {}, **given
    )


def silent(line: str) -> None:
    raise AssertionError(line)


def ledger(tmp_path) -> Ledger:
    return Ledger.load(tmp_path / "meter", silent)


# --- line items ---


def test_a_volume_costs_its_month_in_a_month_of_any_length():
    facts = {"type": "gp3", "gb": 8, "more_iops": 0, "more_throughput": 0}
    for month, following in ((at(2026, 2, 1), at(2026, 3, 1)), (at(2026, 3, 1), at(2026, 4, 1))):
        found = RATER.lines(Stretch("volume", "v", month, following, facts, {}, final=True), 0)
        assert [one.cost for one in found] == [Decimal("0.64")]
        assert (found[0].unit, found[0].usage_type) == ("GB-Mo", "EBS:VolumeUsage.gp3")


def test_what_lives_over_new_year_has_a_line_in_each_month():
    facts = {"type": "gp3", "gb": 100, "more_iops": 1000, "more_throughput": 0}
    stretch = Stretch("volume", "v", at(2026, 12, 31, 12), at(2027, 1, 1, 12), facts, {}, final=True)
    found = [one for one in RATER.lines(stretch, 0) if "VolumeUsage" in one.usage_type]
    assert [(one.start, one.end) for one in found] == [
        (at(2026, 12, 31, 12), at(2027, 1, 1)), (at(2027, 1, 1), at(2027, 1, 1, 12))
    ]  # fmt: skip
    more = [one for one in RATER.lines(stretch, 0) if "IOPS" in one.usage_type]
    assert sum(one.cost for one in more) == 1000 * Decimal("0.005") * 24 / (31 * 24)


@given(st.floats(0, 3e8), st.floats(1, 1e7))
def test_months_cover_a_time_without_gap_or_overlap(begin, length):
    pieces = list(months(begin, begin + length))
    assert pieces[0][0] == begin and pieces[-1][1] == begin + length
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    assert all(month in {Decimal(days * 86400) for days in (28, 29, 30, 31)} for _, _, month in pieces)


@pytest.mark.parametrize(("ran", "billed"), [(5, 60), (60, 60), (61.5, 61.5)])
def test_an_instance_costs_a_minute_at_least(ran, billed):
    facts = {"type": "t4g.nano", "public": False, "spot": False, "on_demand": True}
    (found,) = RATER.lines(Stretch("instance", "i", 1000.0, 1000.0 + ran, facts, {}, final=True), 0)
    assert found.cost == Decimal(str(billed)) / 3600 * Decimal("0.0042")


def test_a_minute_is_billed_once_where_a_life_is_told_in_two_stretches():
    facts = {"type": "t4g.nano", "public": False, "spot": False, "on_demand": True}
    parts = (Stretch("instance", "i", 1000.0, 1020.0, facts, {}),
             Stretch("instance", "i", 1020.0, 1030.0, facts, {}, began=1000.0, final=True))  # fmt: skip
    assert sum(one.quantity for part in parts for one in RATER.lines(part, 0)) * 3600 == pytest.approx(60)


def test_spot_capacity_and_a_public_address_have_lines_of_their_own():
    facts = {"type": "g5.xlarge", "public": True, "spot": True, "on_demand": False}
    found = RATER.lines(Stretch("instance", "i", 0.0, HOUR, facts, {}, final=True), 0)
    assert [(one.usage_type, one.cost, one.list_cost, one.purchase) for one in found] == [
        ("SpotUsage:g5.xlarge", Decimal("0.3018"), Decimal("1.006"), "Spot Instances"),
        ("USE1-PublicIPv4:InUseAddress", Decimal("0.005"), Decimal("0.005"), "On Demand Instances"),
    ]


def test_an_unknown_price_is_named_and_never_zero():
    facts = {"type": "x9.huge", "public": False, "spot": False, "on_demand": True}
    (found,) = RATER.lines(Stretch("instance", "i", 0.0, HOUR, facts, {}, final=True), 0)
    assert found.cost is None and "ec2 x9.huge" in found.problem
    assert json.loads(json.dumps(found.described()))["cost"] is None


def test_a_price_that_changes_leaves_what_was_billed():
    facts = {"type": "t4g.nano", "public": False, "spot": False, "on_demand": True}
    stretch = Stretch("instance", "i", 0.0, HOUR, facts, {}, final=True)
    RATER.stamp(stretch)
    assert Rater(PriceBook([]), Spot()).lines(stretch, 0) == RATER.lines(stretch, 0)


def test_a_training_job_shows_its_discount():
    transitions = [{"Status": "Training", "StartTime": 100.0, "EndTime": 3700.0}]
    described = {
        "TrainingJobName": "job", "TrainingStartTime": 100.0, "TrainingEndTime": 3710.0,
        "EnableManagedSpotTraining": True,
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 4, "VolumeSizeInGB": 30},
        "TrainingTimeInSeconds": 3600, "BillableTimeInSeconds": 1080, "SecondaryStatusTransitions": transitions,
    }  # fmt: skip
    stretch = stretch_of({"described": described, "tags": {"Project": "p"}}, 0)
    instances, volume = RATER.lines(stretch, 0)
    assert (instances.quantity, instances.list_cost, instances.cost) == (4, 4 * Decimal("0.7364"), Decimal("0.88368"))
    assert volume.cost == 120 * Decimal(3600) / (31 * 86400) * Decimal("0.14")
    del described["BillableTimeInSeconds"], described["TrainingTimeInSeconds"], described["TrainingEndTime"]
    running = stretch_of({"described": described, "tags": {}, "price_ratio": 0.3}, 0)
    assert (running.facts["trained"], running.facts["billable"]) == (3600, 1080)


def test_every_row_names_a_real_call_and_a_price_that_is_known():
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    sample = {"type": "gp3", "class": "db.t4g.micro", "engine": "postgres", "zones": "", "storage": "gp3",
              "resolution": "", "architecture": "arm64"}  # fmt: skip
    special = {"instance": "t4g.nano", "training": "ml.m5.large"}
    for name, row in METERED.items():
        client, metering = session.client(row.service), row.metering
        assert metering.tagged is None or callable(getattr(client, metering.tagged[0])), name
        for expression in (
            row.bill_id,
            metering.begin or "@",
            metering.active,
            metering.tags,
            *metering.facts.values(),
        ):
            jmespath.compile(expression)
        for charge in metering.charges:
            if "{type}-" in charge.price[1]:
                continue  # throughput and operations of volumes: priced below
            facts = {**sample, "type": special.get(name, "gp3")}
            assert BOOK.price(charge.price[0], charge.price[1].format(**facts)).usd > 0
    for charge in USAGE.values():
        BOOK.price(charge.price[0], charge.price[1].format(**sample))
    for item in ("gp3-iops", "gp3-throughput", "io1-iops", "io2-iops"):
        BOOK.price("ebs", item)


def test_report_lines_are_read():
    said = (
        "REPORT RequestId: 2d\tDuration: 104.2 ms\tBilled Duration: 105 ms\tMemory Size: 512 MB\tMax Memory Used: 4 MB"
    )
    assert REPORT.match(said).groups() == ("2d", "105", "512")
    assert not REPORT.match("END RequestId: 2d")


# --- lives ---


def instance(state="running", kind="t4g.nano", tags=None):
    return {"InstanceId": "i-1", "State": {"Name": state}, "LaunchTime": "2026-03-10T12:00:00Z", "_tags": tags or {},
            "_facts": {"type": kind, "public": False, "spot": False, "on_demand": True}}  # fmt: skip


def call(name: str, moment: float, mentioned="i-1") -> Event:
    return Event(moment, "ec2", name, frozenset([mentioned]))


def test_a_life_begins_and_ends_when_the_account_says(tmp_path):
    kept, noon = ledger(tmp_path), NOON.timestamp()
    observe(kept, METERED["instance"], [instance()], noon + 7, [])
    observe(kept, METERED["instance"], [instance("terminated")], noon + 90, [call("TerminateInstances", noon + 89.5)])
    observe(kept, METERED["instance"], [instance("terminated")], noon + 91, [])
    assert [(one.begin, one.end) for one in kept.all()] == [(noon, noon + 89.5)]


def test_a_life_between_two_looks_is_not_missed(tmp_path):
    kept, noon = ledger(tmp_path), NOON.timestamp()
    ended = [call("TerminateInstances", noon + 0.4)]
    observe(kept, METERED["instance"], [instance("terminated")], noon + 1, ended)
    assert [(one.begin, one.end, one.final) for one in kept.all()] == [(noon, noon + 0.4, True)]


def test_a_stopped_instance_costs_nothing_until_it_is_started(tmp_path):
    kept, noon = ledger(tmp_path), NOON.timestamp()
    observe(kept, METERED["instance"], [instance()], noon + 1, [])
    stops = [call("StopInstances", noon + 100), call("StartInstances", noon + 101)]  # both between two looks
    observe(kept, METERED["instance"], [instance()], noon + 102, stops)
    observe(kept, METERED["instance"], [instance("stopped")], noon + 200, [call("StopInstances", noon + 199)])
    observe(kept, METERED["instance"], [instance()], noon + 300, [call("StartInstances", noon + 299)])
    observe(kept, METERED["instance"], [], noon + 400, [])  # forgotten by the account: the last look counts
    assert [(one.begin - noon, one.end - noon) for one in kept.all()] == [(0, 100), (101, 199), (299, 400)]


def test_tags_are_those_of_the_hours_end(tmp_path):
    kept, noon = ledger(tmp_path), NOON.timestamp()
    observe(kept, METERED["instance"], [instance()], noon + 1, [])
    observe(kept, METERED["instance"], [instance(tags={"Project": "a"})], noon + 60, [])
    observe(kept, METERED["instance"], [instance(tags={"Project": "b"})], noon + 2 * HOUR + 60, [])
    told = [(one.begin - noon, one.tags) for one in kept.all()]
    assert told == [(0, {"Project": "a"}), (2 * HOUR, {"Project": "b"})]
    assert {one.began for one in kept.all()} == {noon}


def test_a_larger_volume_begins_a_line(tmp_path):
    kept, noon = ledger(tmp_path), NOON.timestamp()

    def volume(size):
        facts = {"type": "gp3", "gb": size, "more_iops": 0, "more_throughput": 0}
        return {"VolumeId": "v", "CreateTime": "2026-03-10T12:00:00Z", "_facts": facts, "_tags": {}}

    observe(kept, METERED["volume"], [volume(8)], noon + 1, [])
    observe(kept, METERED["volume"], [volume(80)], noon + 200, [call("ModifyVolume", noon + 199, "v")])
    observe(kept, METERED["volume"], [], noon + 300, [call("DeleteVolume", noon + 299, "v")])
    assert [(one.begin - noon, one.end - noon, one.facts["gb"]) for one in kept.all()] == [(0, 199, 8), (199, 299, 80)]


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 10**9)), max_size=12))
def test_a_gauge_is_summed_up_whenever_it_changes(tmp_path_factory, steps):
    """The bill of a bucket is the sum of its sizes times their seconds, over the borders of hours too."""
    kept = ledger(tmp_path_factory.mktemp("gauge"))
    now, size, wanted = NOON.timestamp(), 0, 0
    bucket = {"Name": "b", "CreationDate": NOON, "_tags": {}}
    observe(kept, METERED["bucket"], [{**bucket, "_facts": {"bytes": 0}}], now, [])
    for pause, following in steps:
        wanted, now, size = wanted + size * pause, now + pause, following
        observe(kept, METERED["bucket"], [{**bucket, "_facts": {"bytes": size}}], now, [])
    found = sum(one.quantity for part in kept.all() for one in RATER.lines(part, now))
    assert found * 1024**3 * 31 * 86400 == pytest.approx(wanted, rel=1e-9)


def test_usage_is_gathered_by_the_hour(tmp_path):
    kept, noon = ledger(tmp_path), NOON.timestamp()
    for second in (1, 2, 3500, 3700):
        kept.use("s3-writes", "b", 10, noon + second, {}, {})
    kept.settle(frozenset(USAGE), noon + 3 * HOUR)
    assert [(one.begin - noon, one.at - noon, one.facts["amount"]) for one in kept.all()] == [
        (1, 3500, 30), (3700, 3700, 10)
    ]  # fmt: skip
    assert [one.cost for part in kept.all() for one in RATER.lines(part, 0)] == [Decimal("0.00015"), Decimal("0.00005")]


# --- the ledger's files ---


def test_the_ledger_is_the_same_after_a_restart(tmp_path):
    kept = ledger(tmp_path)
    observe(kept, METERED["instance"], [instance()], NOON.timestamp(), [])
    kept.add(Stretch("instance", "i-0", 0.0, 10.0, {"type": "t4g.nano"}, {"A": "b"}, final=True))
    kept.notes["logs"] = {"x": 1}
    kept.save()
    again = ledger(tmp_path)
    assert (again.all(), again.notes) == (kept.all(), kept.notes)


def test_a_stretch_that_was_closed_before_a_crash_counts_once(tmp_path):
    kept = ledger(tmp_path)
    observe(kept, METERED["instance"], [instance()], NOON.timestamp(), [])
    kept.save()
    observe(kept, METERED["instance"], [], NOON.timestamp() + 5, [])  # closed.jsonl has it, open.json does still
    assert len(ledger(tmp_path).all()) == 1
    kept.add(*kept.closed)
    assert len(kept.all()) == 1


@pytest.mark.parametrize("text", ["{half", '{"open": [{"kind": 1}], "notes": {}}', "[]", ""])
def test_corrupt_files_are_set_aside_and_told(tmp_path, text):
    kept = ledger(tmp_path)
    kept.add(Stretch("instance", "i-0", 0.0, 10.0, {"type": "t4g.nano"}, {}, final=True))
    kept.save()
    (kept.folder / "open.json").write_text(text)
    with (kept.folder / "closed.jsonl").open("a") as file:
        file.write('{"kind": "instance"}\n{"torn')
    said: list[str] = []
    again = Ledger.load(kept.folder, said.append)
    assert [one.id for one in again.all()] == ["i-0"]
    assert "open.json is corrupt and set aside as open.corrupt" in said[0]
    assert "set aside as closed.corrupt: 2 line(s) of the bill are gone" in said[1]
    assert (kept.folder / "open.corrupt").read_text() == text
    Ledger.load(kept.folder, silent)


# --- Cost Explorer ---

P, W = {"Project": "shoestring"}, {"Project": "other", "Environment": "local"}
LINES = [
    line(NOON, 24, "2.4", tags=P),
    line(NOON, 1, "1", "AWS Lambda", tags=W, unit="Requests", usage_type="Request", operation="Invoke"),
    line(NOON, 0, "0.5", "Amazon SageMaker", purchase="Spot Instances", usage_type="USE1-SpotTrain:ml.m5.large"),
]
LATER = NOON + timedelta(days=5)


def ask(start="2026-03-01", end="2026-04-01", granularity="MONTHLY", now=LATER, lines=LINES, **more):
    request = {"TimePeriod": {"Start": start, "End": end}, "Granularity": granularity, "Metrics": ["UnblendedCost"]}
    request |= more
    MODEL.check("GetCostAndUsage", request)
    return explorer.cost_and_usage(request, lines, now)


def amounts(answer):
    return {tuple(group["Keys"]): group["Metrics"]["UnblendedCost"]["Amount"]
            for group in answer["ResultsByTime"][0]["Groups"]}  # fmt: skip


def total(answer):
    return [Decimal(one["Total"]["UnblendedCost"]["Amount"]) for one in answer["ResultsByTime"]]


def test_days_hours_and_months_are_cut_at_their_borders():
    assert total(ask()) == [Decimal("3.9")]
    days = ask("2026-03-10", "2026-03-12", "DAILY")
    assert total(days) == [Decimal("2.7"), Decimal("1.2")]
    assert days["ResultsByTime"][0]["TimePeriod"] == {"Start": "2026-03-10", "End": "2026-03-11"}
    hours = ask("2026-03-10T12:00:00Z", "2026-03-10T14:00:00Z", "HOURLY")
    assert total(hours) == [Decimal("1.6"), Decimal("0.1")]
    assert total(ask("2026-03-01", "2026-03-10", "DAILY")) == [0] * 9  # the end is left out


@given(st.integers(0, 40), st.integers(1, 40))
def test_days_add_up_to_their_months(first, length):
    start = datetime(2026, 2, 20) + timedelta(days=first)
    period = start.strftime("%Y-%m-%d"), (start + timedelta(days=length)).strftime("%Y-%m-%d")
    now = datetime(2027, 1, 1, tzinfo=UTC)
    assert sum(total(ask(*period, "DAILY", now=now))) == pytest.approx(sum(total(ask(*period, now=now))))


def test_groups_by_dimension_and_tag():
    two = [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "TAG", "Key": "Project"}]
    assert amounts(ask(GroupBy=two)) == {
        ("AWS Lambda", "Project$other"): "1", ("Amazon SageMaker", "Project$"): "0.5",
        ("AmazonCloudWatch", "Project$shoestring"): "2.4",
    }  # fmt: skip
    answer = ask(GroupBy=two[:1], Metrics=["UnblendedCost", "UsageQuantity"])
    assert answer["ResultsByTime"][0]["Total"] == {} and answer["GroupDefinitions"] == two[:1]
    assert answer["ResultsByTime"][0]["Groups"][0]["Metrics"]["UsageQuantity"] == {"Amount": "1", "Unit": "Requests"}
    assert ask(Metrics=["UsageQuantity"])["ResultsByTime"][0]["Total"]["UsageQuantity"]["Unit"] == "N/A"
    with pytest.raises(ServiceError, match="at most two"):
        ask(GroupBy=two * 2)
    with pytest.raises(ServiceError, match="COST_CATEGORY is not played"):
        ask(GroupBy=[{"Type": "COST_CATEGORY", "Key": "a"}])


TAGGED = {"Tags": {"Key": "Project", "Values": ["shoestring"]}}


@pytest.mark.parametrize(
    ("expression", "costs"),
    [
        (TAGGED, ["2.4"]),
        ({"Not": TAGGED}, ["1", "0.5"]),
        ({"Tags": {"Key": "Project", "MatchOptions": ["ABSENT"]}}, ["0.5"]),
        ({"Tags": {"Key": "Project", "Values": [""]}}, ["0.5"]),
        ({"Tags": {"Key": "Project", "Values": ["SHOE"], "MatchOptions": ["STARTS_WITH", "CASE_INSENSITIVE"]}},
         ["2.4"]),
        ({"Dimensions": {"Key": "PURCHASE_TYPE", "Values": ["Spot Instances"]}}, ["0.5"]),
        ({"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["ml.m5.large"]}}, ["0.5"]),
        ({"Dimensions": {"Key": "SERVICE", "Values": ["Lambda", "Maker"], "MatchOptions": ["ENDS_WITH"]}},
         ["1", "0.5"]),
        ({"And": [{"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}, {"Not": TAGGED}]}, ["1", "0.5"]),
        ({"Or": [TAGGED, {"Tags": {"Key": "Environment", "Values": ["local"]}}]}, ["2.4", "1"]),
    ],
)  # fmt: skip
def test_filters(expression, costs):
    assert [str(one.cost) for one in LINES if matcher(expression)(one)] == costs


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ({"start": "2026-03-02", "end": "2026-03-02"}, "ValidationException", "Start date .* before end date"),
        ({"start": "2026-3-2"}, "ValidationException", "TimePeriod.Start"),
        ({"start": "2026-13-02"}, "ValidationException", "not in the format yyyy-MM-dd"),
        ({"start": "2026-03-01T00:00:00Z"}, "ValidationException", "not in the format yyyy-MM-dd"),
        ({"start": "2026-06-01", "end": "2026-07-01"}, "DataUnavailableException", "lies ahead"),
        ({"start": "2026-02-01", "granularity": "HOURLY"}, "ValidationException", "14 days"),
        ({"Metrics": ["Money"]}, "ValidationException", "Unknown metric Money"),
        ({"NextPageToken": "x9"}, "InvalidNextTokenException", "invalid"),
        ({"Filter": {**TAGGED, "Not": TAGGED}}, "ValidationException", "exactly one of"),
        ({"Filter": {"And": [TAGGED]}}, "ValidationException", "at least two"),
        ({"Filter": {"Tags": {"Key": "A"}}}, "ValidationException", "must have Values"),
        ({"Filter": {"Dimensions": {"Key": "TENANCY", "Values": ["x"]}}}, "ValidationException", "TENANCY is not"),
        ({"Filter": {"CostCategories": {"Key": "A", "Values": ["x"]}}}, "ResourceNotFoundException", "no cost categ"),
        ({"Granularity": "YEARLY"}, "ValidationException", "enum value set"),
    ],
)  # fmt: skip
def test_bad_questions_are_refused_with_awss_codes(more, code, says):
    with pytest.raises(ServiceError, match=says) as raised:
        ask(**more)
    assert raised.value.code == code


def test_a_line_without_price_is_no_nothing():
    odd = [*LINES, line(NOON, 1, "0", "Other", problem="no price for ec2 x9.huge")]
    with pytest.raises(ServiceError, match=r"no price for ec2 x9\.huge") as raised:
        ask(lines=odd)
    assert raised.value.code == "DataUnavailableException"
    assert total(ask(lines=odd, Filter=TAGGED)) == [Decimal("2.4")]
    assert ask(lines=odd, Metrics=["UsageQuantity"])["ResultsByTime"]


def test_many_groups_come_in_pages():
    many = [
        line(NOON + timedelta(days=day), 0, "1", tags={"N": str(number)}) for day in range(3) for number in range(600)
    ]
    found, token = [], {}
    while True:
        answer = ask("2026-03-10", "2026-03-13", "DAILY", lines=many, GroupBy=[{"Type": "TAG", "Key": "N"}], **token)
        found += answer["ResultsByTime"]
        if "NextPageToken" not in answer:
            break
        token = {"NextPageToken": answer["NextPageToken"]}
    assert [len(one["Groups"]) for one in found] == [600, 600, 600]


def test_values_and_tags():
    period = {"TimePeriod": {"Start": "2026-03-10", "End": "2026-03-11"}}
    found = explorer.dimension_values({**period, "SearchString": "amazon", "Dimension": "SERVICE"}, LINES, NOON)
    assert [one["Value"] for one in found["DimensionValues"]] == ["Amazon SageMaker", "AmazonCloudWatch"]
    assert explorer.tags(period, LINES, NOON)["Tags"] == ["Environment", "Project"]
    assert explorer.tags({**period, "TagKey": "Project"}, LINES, NOON)["Tags"] == ["", "other", "shoestring"]


def test_a_forecast_goes_on_as_the_month_went():
    now = datetime(2026, 3, 16, tzinfo=UTC)  # 15 of 31 days are over
    request = {"TimePeriod": {"Start": "2026-03-16", "End": "2026-04-01"}, "Metric": "UNBLENDED_COST",
               "Granularity": "MONTHLY", "PredictionIntervalLevel": 80}  # fmt: skip
    MODEL.check("GetCostForecast", request)
    answer = forecast.cost_forecast(request, LINES, now)
    assert Decimal(answer["Total"]["Amount"]) == pytest.approx(Decimal("3.9") * 16 / 15)
    (one,) = answer["ForecastResultsByTime"]
    bounds = [Decimal(one[f"PredictionInterval{side}Bound"]) for side in ("Lower", "Upper")]
    assert bounds[0] < Decimal(one["MeanValue"]) < bounds[1]
    with pytest.raises(ServiceError, match="Insufficient amount of historical data") as raised:
        forecast.cost_forecast(request, [], now)
    assert raised.value.code == "DataUnavailableException"
    for period in ({"Start": "2026-03-20", "End": "2026-04-01"}, {"Start": "2026-03-01", "End": "2026-03-10"}):
        with pytest.raises(ServiceError, match=r"(Start|End) date of forecast"):
            forecast.cost_forecast({**request, "TimePeriod": period}, LINES, now)


def test_allocation_tags_are_listed_and_activated():
    active: dict[str, str] = {}
    status = [{"TagKey": "Project", "Status": "Active"}, {"TagKey": "Never", "Status": "Active"}]
    answer = allocation.update(active, {"CostAllocationTagsStatus": status}, LINES, NOON)
    assert [(one["TagKey"], one["Code"]) for one in answer["Errors"]] == [("Never", "TagKeysNotFoundException")]
    listed = allocation.listed(active, {}, LINES)["CostAllocationTags"]
    assert [(one["TagKey"], one["Status"]) for one in listed] == [("Environment", "Inactive"), ("Project", "Active")]


def test_a_day_that_stands_out_is_an_anomaly():
    days = [line(NOON + timedelta(days=day), 1, "1.0" if day % 2 else "1.1") for day in range(12)]
    watch = Anomalies({})
    monitor = {"MonitorName": "m", "MonitorType": "CUSTOM", "MonitorSpecification": TAGGED}
    watch.CreateAnomalyMonitor({"AnomalyMonitor": monitor})
    services = {"MonitorName": "s", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
    arn = watch.CreateAnomalyMonitor({"AnomalyMonitor": services})["MonitorArn"]
    request, now = {"DateInterval": {"StartDate": "2026-03-10"}}, NOON + timedelta(days=12)
    assert watch.detect(request, days, now)["Anomalies"] == []
    (found,) = watch.detect(request, [*days, line(now, 1, "9")], now)["Anomalies"]
    assert (found["MonitorArn"], found["AnomalyStartDate"], found["DimensionValue"]) == (
        arn, "2026-03-22", "AmazonCloudWatch",
    )  # fmt: skip
    assert found["Impact"]["TotalImpact"] == pytest.approx(7.95)
    assert watch.detect(request, [*days[6:], line(now, 1, "9")], now)["Anomalies"] == []  # too few days before


def test_subscriptions_of_monitors():
    watch = Anomalies({})
    monitor = {"MonitorName": "m", "MonitorType": "CUSTOM", "MonitorSpecification": TAGGED}
    arn = watch.CreateAnomalyMonitor({"AnomalyMonitor": monitor})["MonitorArn"]
    given = {"SubscriptionName": "s", "Frequency": "IMMEDIATE", "MonitorArnList": [arn], "Threshold": 1.0,
             "Subscribers": [{"Type": "SNS", "Address": "arn:aws:sns:us-east-1:000000000000:t"}]}  # fmt: skip
    for change, says in (
        ({"Frequency": "DAILY"}, "IMMEDIATE only"),
        ({"ThresholdExpression": TAGGED}, "either Threshold"),
        ({"MonitorArnList": ["arn:of:nobody"]}, "arn:of:nobody"),
    ):
        with pytest.raises(ServiceError, match=says):
            watch.CreateAnomalySubscription({"AnomalySubscription": {**given, **change}})
    made = watch.CreateAnomalySubscription({"AnomalySubscription": given})["SubscriptionArn"]
    expression = {"Dimensions": {"Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "MatchOptions": ["GREATER_THAN_OR_EQUAL"],
                                 "Values": ["5"]}}  # fmt: skip
    watch.UpdateAnomalySubscription({"SubscriptionArn": made, "ThresholdExpression": expression})
    (kept,) = watch.GetAnomalySubscriptions({"MonitorArn": arn})["AnomalySubscriptions"]
    assert "Threshold" not in kept and kept["ThresholdExpression"] == expression
    watch.TagResource({"ResourceArn": made, "ResourceTags": [{"Key": "A", "Value": "b"}]})
    watch.UntagResource({"ResourceArn": made, "ResourceTagKeys": ["A"]})
    assert watch.ListTagsForResource({"ResourceArn": made}) == {"ResourceTags": []}
    watch.DeleteAnomalySubscription({"SubscriptionArn": made})
    with pytest.raises(ServiceError) as raised:
        watch.GetAnomalySubscriptions({"SubscriptionArnList": [made]})
    assert raised.value.code == "UnknownSubscriptionException"


def test_every_operation_is_one_of_awss():
    assert set(MODEL.supported) <= set(MODEL.described.operation_names)
    for name in MODEL.supported:
        for pattern in patterns(MODEL.operation(name).input_shape, set()):
            re.compile(python_pattern(pattern))


# --- bad behaviour on demand ---


def test_behaviour_is_read_anew_and_bad_keys_are_named(tmp_path):
    path = tmp_path / "behaviour.json"
    gate = Gate(path)
    assert gate.enter("GetCostAndUsage") == Behaviour()
    path.write_text('{"throttle_first": 2, "delay_days": 1}')
    for _ in range(2):
        with pytest.raises(ServiceError) as raised:
            gate.enter("GetCostAndUsage")
        assert raised.value.code == "ThrottlingException"
    assert gate.enter("GetCostAndUsage").delay_days == 1
    path.write_text('{"deny": true}')
    with pytest.raises(ServiceError, match="ce:GetCostForecast") as raised:
        gate.enter("GetCostForecast")
    assert raised.value.code == "AccessDeniedException"
    path.write_text('{"slow": 1, "empty": 5.5}')
    with pytest.raises(ServiceError, match=r"empty: .*boolean.*unknown key slow; known keys: throttle_first"):
        gate.enter("GetTags")


def test_a_service_shows_its_ledger_as_it_is_told_to_behave(tmp_path):
    cloud, now = tmp_path / "cloud", datetime.now(UTC).timestamp()
    kept = Ledger.load(cloud / "meter", silent)
    facts = {"type": "t4g.nano", "public": False, "spot": False, "on_demand": True}
    kept.add(Stretch("instance", "i", now - 48 * HOUR, now, facts, {"Project": "p", "Team": "t"}, final=True))
    service = Service(cloud, kept, Prices(tmp_path))
    period = {key: f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for key, days in (("Start", -9), ("End", 1))}

    def spent(**more):
        request = {"TimePeriod": period, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **more}
        request["Filter"] = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Elastic Compute Cloud - Compute"]}}
        answer = service.call("GetCostAndUsage", request)["ResultsByTime"]
        found = [group for one in answer for group in one["Groups"]] or [{"Keys": [""], "Metrics": one["Total"]}
                                                                        for one in answer]  # fmt: skip
        cost = sum(Decimal(one["Metrics"]["UnblendedCost"]["Amount"]) for one in found)
        return cost, {one["Keys"][0] for one in found}

    whole = 48 * BOOK.price("ec2", "t4g.nano").usd
    by_tag = {"GroupBy": [{"Type": "TAG", "Key": "Project"}]}
    assert spent()[0] == pytest.approx(whole) and spent(**by_tag)[1] == {"Project$p"}
    requests = [line for line in service.lines() if line.service == "AWS Cost Explorer"]
    assert sum(line.cost for line in requests) == Decimal("0.02")
    behaviour = cloud / "meter" / "behaviour.json"
    behaviour.write_text('{"delay_days": 1}')
    assert spent()[0] == pytest.approx(whole / 2, rel=Decimal("0.001"))
    behaviour.write_text('{"empty": true}')
    assert spent()[0] == 0
    behaviour.write_text('{"active_tags_only": true}')
    assert spent(**by_tag)[1] == {"Project$"}
    service.call("UpdateCostAllocationTagsStatus", {"CostAllocationTagsStatus": [{"TagKey": "Project",
                                                                                  "Status": "Active"}]})  # fmt: skip
    assert spent(**by_tag)[1] == {"Project$p"}
    monitor = {"MonitorName": "m", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
    service.call("CreateAnomalyMonitor", {"AnomalyMonitor": monitor})
    again = Service(cloud, kept, Prices(tmp_path))
    assert again.call("GetAnomalyMonitors", {})["AnomalyMonitors"][0]["MonitorName"] == "m"
    assert list(again.active) == ["Project"]
    with pytest.raises(ServiceError, match="GetReservationUtilization is not played"):
        again.call("GetReservationUtilization", {})


# --- budgets ---


def budget(**more):
    limit = {"Amount": "10", "Unit": "USD"}
    return {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit, **more}


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [("DAILY", "2026-12-10", "2026-12-11"), ("MONTHLY", "2026-12-01", "2027-01-01"),
     ("QUARTERLY", "2026-10-01", "2027-01-01"), ("ANNUALLY", "2026-01-01", "2027-01-01")],
)  # fmt: skip
def test_periods(unit, start, end):
    found = budgets.period_of(budget(TimeUnit=unit), datetime(2026, 12, 10, 5, tzinfo=UTC))
    assert [f"{moment:%Y-%m-%d}" for moment in found] == [start, end]


@pytest.mark.parametrize(
    ("filters", "spent"),
    [
        ({}, "3.9"),
        ({"CostFilters": {"TagKeyValue": ["user:Project$shoestring", "user:Environment$local"]}}, "3.4"),
        ({"CostFilters": {"TagKeyValue": ["user:Project$other"], "Service": ["AWS Lambda"]}}, "1"),
        ({"CostFilters": {"TagKeyValue": ["user:Project$other"], "Service": ["Amazon S3"]}}, "0"),
        ({"FilterExpression": {"Not": TAGGED}}, "1.5"),
    ],
)  # fmt: skip
def test_what_a_budget_counts(filters, spent):
    found = budgets.Spend.of(budget(**filters), LINES, datetime(2026, 3, 16, tzinfo=UTC))
    assert found.actual == Decimal(spent)
    assert found.forecast == pytest.approx(Decimal(spent) * 31 / 15)


def test_a_filter_that_is_not_played_is_named_and_other_kinds_count_nothing():
    with pytest.raises(ServiceError, match="cost filter AZ is not played"):
        budgets.filter_of(budget(CostFilters={"AZ": ["us-east-1a"]}))
    assert budgets.Spend.of(budget(BudgetType="USAGE"), LINES, LATER) is None
    assert budgets.Spend.of(budget(TimePeriod={"Start": LATER + timedelta(days=9)}), LINES, LATER) is None
    planned = {str(int(at(2026, month, 1))): {"Amount": str(month), "Unit": "USD"} for month in (1, 3, 5)}
    assert budgets.limit_of({"PlannedBudgetLimits": planned}, datetime(2026, 4, 1, tzinfo=UTC)) == 3


class Account:
    """Remembers what it was asked."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda **words: self.calls.append((name, words))


def test_a_notification_is_sent_once_for_a_period_and_a_limit():
    account, sent, said = Account(), {}, []
    mine = budgets.Budgets(lambda service: account, sent, said.append)
    now = datetime.now(UTC)
    spent = [line(now - timedelta(hours=1), 0, "9")]
    notes = [
        ({"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0},
         [{"SubscriptionType": "SNS", "Address": "topic"}, {"SubscriptionType": "EMAIL", "Address": "a@b.c"}]),
        ({"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 9.0,
          "ThresholdType": "ABSOLUTE_VALUE"}, [{"SubscriptionType": "SNS", "Address": "topic"}]),
    ]  # fmt: skip
    mine.kept = [(budget(TimeUnit="ANNUALLY"), notes)]
    assert mine.evaluate(spent) and not mine.evaluate(spent)
    published = [words for name, words in account.calls if name == "publish"]
    assert len(published) == 1 and "no mail is sent to a@b.c" in said[0]
    text = published[0]["Message"]
    fields = dict(re.findall(r"^([A-Z][\w ]+): (.+)$", text, re.M))
    assert fields == {
        "Budget Name": "b", "Budget Type": "Cost", "Budgeted Amount": "$10.00", "Alert Type": "ACTUAL",
        "Alert Threshold": "> $8.00", "ACTUAL Amount": "$9.00",
    }  # fmt: skip
    again = budgets.Budgets(lambda service: account, json.loads(json.dumps(sent)), said.append)
    again.kept = mine.kept
    assert not again.evaluate(spent)  # also not after a restart
    mine.kept[0][0]["BudgetLimit"]["Amount"] = "11"
    assert mine.evaluate(spent)
