"""A refresh reads AWS's own shapes through real clients, keeps what it has read, and guesses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.book.comparison import compare
from costs.book.price import UnknownPrice
from costs.book.price_list import QUERIES
from costs.book.prices import PriceBook
from costs.book.refresh import spot_history as refresh_spot
from costs.book.refresh.pricing_api import parse, read
from costs.book.refresh.run import PARTS, Refresh, Settings, unread
from costs.book.store import Stored
from shoestring.base.errors import UserError
from tests.costs.book import fake_aws as fake

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ADVISOR = {
    "ranges": [
        {"index": 0, "label": "<5%", "dots": 0, "max": 5}, {"index": 1, "label": "5-10%", "dots": 1, "max": 11},
        {"index": 4, "label": ">20%", "dots": 4, "max": 100},
    ],
    "instance_types": {"g4dn.xlarge": {"emr": True, "cores": 4, "ram_gb": 16.0}},
    "spot_advisor": {"us-east-1": {"Linux": {"g4dn.xlarge": {"s": 62, "r": 1}, "m5.large": {"s": 50, "r": 4},
                                             "t3.micro": {"s": 50, "r": 9}},
                                   "Windows": {"g4dn.xlarge": {"s": 10, "r": 4}}}},
}  # fmt: skip


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The emulated AWS, with a small price list."""
    with fake.serve() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(refresh_spot, "ADVISOR_URL", server.url + "/spot-advisor-data.json")
        server.lists = {
            "AmazonEC2": [
                fake.instance("EC2A", "g4dn.xlarge", "0.5260000000"),
                fake.instance("EC2W", "g4dn.xlarge", "0.71", operatingSystem="Windows"),
                fake.instance("EC2D", "g4dn.xlarge", "0.80", tenancy="Dedicated"),
                fake.instance("EC2R", "g4dn.xlarge", "0.00", capacitystatus="UnusedCapacityReservation"),
                fake.instance("EC2B", "m5.large", "0.0960000000"),
                fake.instance("EC2C", "z9.large", "9.5"),
                fake.instance("EC2E", "g4dn.xlarge", "0.6580000000", "EUC1-", regionCode="eu-central-1"),
                fake.product("EBS3", "EBS:VolumeUsage.gp3", "0.0800000000", "GB-Mo", "Storage", volumeApiName="gp3"),
                fake.product("EBST", "EBS:VolumeP-Throughput.gp3", "40.9600000", "GiBps-mo", "Provisioned Throughput"),
                fake.product("NATH", "NatGateway-Hours", "0.0450000000", "Hrs", "NAT Gateway"),
                fake.product("NATB", "NatGateway-Bytes", "0.0450000000", "GB", "NAT Gateway"),
            ],
            "AmazonSageMaker": [
                fake.training("SMT1", "ml.g4dn.xlarge", "0.7364000000"),
                fake.training("SMH1", "ml.g4dn.xlarge", "0.7500000000", "USE1-Host", "Hosting"),
                fake.training("SMS1", "ml.g4dn.xlarge", "0.2500000000", "USE1-SpotTrain", "SpotTraining"),
            ],
            "AWSLambda": [
                fake.product("LAMR", "Request", "0.0000002000", "Requests", "Serverless", group="AWS-Lambda-Requests"),
                fake.product("LAMX", "Lambda-GB-Second", [("0", "0.0000166667"), ("6000000000", "0.0000150000")],
                             "Lambda-GB-Second", "Serverless", group="AWS-Lambda-Duration"),
            ],
            "AmazonSNS": [fake.product("SNS1", "Requests-Tier1", [("0", "0.0000000000"), ("1000000", "0.0000005000")],
                                       "Requests", "API Request")],
        }  # fmt: skip
        server.spot = [
            ("g4dn.xlarge", "us-east-1a", "0.157800", "2026-11-20T10:00:00.000Z"),
            ("g4dn.xlarge", "us-east-1b", "0.210400", "2026-11-21T10:00:00.000Z"),
            ("g4dn.xlarge", "us-east-1c", "0.184100", "2026-11-22T10:00:00.000Z"),
            ("m5.large", "us-east-1a", "0.030000", "2026-11-22T10:00:00.000Z"),
        ]
        server.advisor = json.dumps(ADVISOR).encode()
        yield server


def refreshed(
    place: Path, *parts: str, said: list[str] | None = None, now: datetime = NOW, **settings: Any
) -> list[Any]:
    lines = said if said is not None else []
    return Refresh(Settings(["us-east-1"], parts or PARTS, place=place, **settings), lines.append, now).run()


def test_whole_refresh_reads_every_service_page_by_page(aws, tmp_path):
    said: list[str] = []
    outcomes = refreshed(tmp_path, said=said)
    assert [outcome.part for outcome in outcomes] == list(PARTS)
    assert {outcome.state for outcome in outcomes} == {"read"}
    assert [line.split()[1].rstrip(":") for line in said] == list(PARTS)
    assert ("AmazonEC2", "2") in aws.pages, "the second page was not asked for"
    book = PriceBook.current(tmp_path)
    price = book.price("ec2", "g4dn.xlarge")
    assert (price.usd, price.unit, price.as_of) == (Decimal("0.526"), "hour", NOW.date())
    assert price.source == "AWS Pricing API, published 2026-11-20, product EC2A"
    assert book.price("ec2", "z9.large").usd == Decimal("9.5"), "what the shipped table lacks is kept as well"
    assert book.price("sagemaker-training", "ml.g4dn.xlarge").usd == Decimal("0.7364")
    assert book.price("sagemaker-endpoint", "ml.g4dn.xlarge").usd == Decimal("0.75")
    assert book.price("lambda", "requests").usd == Decimal("0.2")
    compute = book.price("lambda", "compute-x86")
    assert (compute.usd, compute.note) == (Decimal("0.0000166667"), "first of 2 tiers")
    sns = book.price("sns", "requests")
    assert (sns.usd, sns.unit, sns.note) == (Decimal("0.5"), "million", "above 1000000 Requests")
    throughput = book.price("ebs", "gp3-throughput")
    assert (throughput.usd, throughput.unit) == (Decimal("0.04"), "MB/s-month")
    assert book.price("ec2", "t4g.nano").source == PriceBook.load().price("ec2", "t4g.nano").source


def test_sagemaker_is_asked_once_for_all_its_services(aws, tmp_path):
    refreshed(tmp_path, "sagemaker-training", "sagemaker-endpoint", "sagemaker-notebook")
    assert aws.asked["AmazonSageMaker"] == 2  # two pages


def test_spot_is_the_range_over_all_zones_and_pages(aws, tmp_path):
    refreshed(tmp_path, "ec2", "sagemaker-training", "spot", "interruptions")
    book = PriceBook.current(tmp_path)
    spot = book.spot("ec2", "g4dn.xlarge")
    assert (spot.low, spot.high) == (Decimal("0.1578"), Decimal("0.2104"))
    assert (spot.saving_low, spot.saving_high) == (Decimal("0.6"), Decimal("0.7"))
    assert spot.interruption == (Decimal("0.05"), Decimal("0.1"))
    assert spot.interruption_source == "AWS Spot Advisor, 2026-11-25"
    history = "EC2 spot price history, 7 days to 2026-11-25, all zones"
    assert spot.source == f"{history}, median zone us-east-1c" and spot.as_of == NOW.date()
    sagemaker = book.spot("sagemaker-training", "ml.g4dn.xlarge")
    assert sagemaker.share == spot.share
    assert sagemaker.low == Decimal("0.7364") * Decimal("0.3") and "as EC2's, assumed" in sagemaker.source
    assert book.spot("ec2", "m5.large").interruption == (Decimal("0.2"), 1)
    unknown = book.spot("ec2", "t3.micro")
    assert unknown.interruption is None and "advertises" in unknown.source


def test_types_that_a_region_lacks_are_named_and_the_others_read(aws, tmp_path):
    aws.types = {"g4dn.xlarge", "m5.large"}
    (outcome,) = refreshed(tmp_path, "spot")
    assert outcome.prices == 2 and outcome.left["p5.48xlarge"] == "not an instance type of the region"


def test_second_refresh_within_a_day_reads_nothing_and_says_so(aws, tmp_path):
    refreshed(tmp_path, "lambda", "sns")
    asked, said = aws.asked.copy(), []
    outcomes = refreshed(tmp_path, "lambda", "sns", said=said, now=NOW + timedelta(hours=23))
    assert {outcome.state for outcome in outcomes} == {"kept"} and aws.asked == asked
    assert said == ["us-east-1: nothing to do: read since 2026-11-25 12:00 UTC (--force reads again)"]
    refreshed(tmp_path, "lambda", now=NOW + timedelta(hours=24))
    assert aws.asked["AWSLambda"] == asked["AWSLambda"] + 1
    refreshed(tmp_path, "sns", force=True)
    assert aws.asked["AmazonSNS"] == asked["AmazonSNS"] + 1
    assert set(Stored.read(tmp_path / "us-east-1.json").parts) == {"lambda", "sns"}, "force lost another part"


def test_forced_refresh_that_fails_keeps_the_older_prices(aws, tmp_path):
    refreshed(tmp_path, "lambda", "sns")
    aws.fails("AmazonSNS", (400, "InvalidParameterException", "broken"))
    with pytest.raises(UserError, match="broken"):
        refreshed(tmp_path, "lambda", "sns", force=True, now=NOW + timedelta(hours=1))
    parts = Stored.read(tmp_path / "us-east-1.json").parts
    assert (parts["lambda"].read_at, parts["sns"].read_at) == (NOW + timedelta(hours=1), NOW)


def test_history_of_other_days_is_read_again(aws, tmp_path):
    refreshed(tmp_path, "spot")
    assert [one.state for one in refreshed(tmp_path, "spot")] == ["kept"]
    assert [one.state for one in refreshed(tmp_path, "spot", days=30)] == ["read"]
    assert "30 days" in PriceBook.current(tmp_path).spot("ec2", "m5.large").source


@given(usd=st.decimals("0.0000000001", "999", places=10), thousands=st.integers(1, 10**6))
def test_price_is_read_exactly_whatever_its_tiers(usd, thousands):
    tiers = [("0", "0.0000000000"), (str(thousands * 1000), f"{usd:f}"), (str(thousands * 2000), "0.0000000001")]
    entries = [json.dumps(fake.product("S", "EUC1-Request", tiers, "Requests", group="AWS-Lambda-Requests"))]
    products, bad = parse(entries)
    rules = [rule for query in QUERIES["lambda"] for rule in query.wanted]
    (row,) = read(products, rules).rows
    assert not bad and Decimal(row["usd"]) == usd * 1_000_000
    assert row["note"] == f"above {thousands * 1000} Requests"


def test_refresh_goes_on_where_a_failure_stopped_it(aws, tmp_path):
    aws.fails("AWSLambda", *[(400, "InvalidParameterException", "broken half-way")])
    with pytest.raises(UserError) as stopped:
        refreshed(tmp_path, "ec2", "lambda", "sns")
    assert "lambda of us-east-1" in str(stopped.value) and "kept: ec2" in str(stopped.value)
    assert "goes on with lambda" in stopped.value.mend
    before = aws.asked["AmazonEC2"]
    outcomes = refreshed(tmp_path, "ec2", "lambda", "sns", now=NOW + timedelta(minutes=5))
    assert [outcome.state for outcome in outcomes] == ["kept", "read", "read"]
    assert aws.asked["AmazonEC2"] == before


def test_failure_on_a_later_page_keeps_nothing_of_that_service(aws, tmp_path):
    aws.fails("AmazonEC2", None, (400, "InvalidParameterException", "page two"))
    with pytest.raises(UserError, match="page two"):
        refreshed(tmp_path, "ec2")
    assert not (tmp_path / "us-east-1.json").exists()


def test_throttling_is_retried(aws, tmp_path):
    aws.fails("AWSLambda", *[(400, "ThrottlingException", "Rate exceeded")] * 2)
    aws.fails("spot", (503, "RequestLimitExceeded", "Request limit exceeded."))
    outcomes = refreshed(tmp_path, "lambda", "spot")
    assert {outcome.state for outcome in outcomes} == {"read"}
    assert aws.asked["AWSLambda"] == 3


@pytest.mark.parametrize(
    ("part", "code", "name", "action"),
    [
        ("lambda", "AWSLambda", "AccessDeniedException", "pricing:GetProducts"),
        ("spot", "spot", "UnauthorizedOperation", "ec2:DescribeSpotPriceHistory"),
    ],
)
def test_denied_names_the_actions_that_are_needed(aws, tmp_path, part, code, name, action):
    aws.fails(code, (403, name, "not authorized"))
    with pytest.raises(UserError) as denied:
        refreshed(tmp_path, part)
    assert f"AWS denied {action}" in denied.value.found
    assert "pricing:GetProducts and ec2:DescribeSpotPriceHistory" in denied.value.expected


def test_no_credentials_is_one_message(aws, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UserError, match="no AWS credentials"):
        refreshed(tmp_path / "prices", "lambda")


def test_lost_network_is_one_message(aws, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")
    monkeypatch.setattr("costs.book.refresh.run.ATTEMPTS", 1)
    with pytest.raises(UserError, match="lambda of us-east-1: no answer of AWS"):
        refreshed(tmp_path, "lambda")


def test_malformed_products_are_named_and_the_others_read(aws, tmp_path):
    bare = fake.product(
        "NOUSD", "Lambda-GB-Second-ARM", "0.1", "Lambda-GB-Second", group="AWS-Lambda-Duration-ARM", currency="CNY"
    )
    odd = fake.product("ODDU", "Lambda-Storage-GB-Second", "0.1", "Furlongs")
    broken = fake.product("BROKEN", "Lambda-GB-Second", "free of charge", "Lambda-GB-Second")
    aws.lists["AWSLambda"] += [bare, odd, broken, "{no json", json.dumps({"product": {"sku": "EMPTY"}})]
    (outcome,) = refreshed(tmp_path, "lambda")
    assert outcome.prices == 2
    assert outcome.left["compute-arm64"] == "product NOUSD: priced in CNY, not USD"
    assert outcome.left["ephemeral-storage"].startswith(
        "product ODDU: priced for each Furlongs, expected Lambda-GB-Second"
    )
    assert outcome.left["product BROKEN"].startswith("malformed: terms.OnDemand")
    assert outcome.left["product EMPTY"].startswith("malformed: product.attributes")
    assert outcome.left["product number 6"].startswith("malformed: Invalid JSON")
    assert outcome.left["provisioned-compute-x86"] == "no product for it there"
    assert not [row for row in Stored.read(tmp_path / "us-east-1.json").prices() if row.item == "compute-arm64"]


def test_several_prices_for_an_item_are_reported_and_none_is_taken(aws, tmp_path):
    aws.lists["AmazonEC2"] += [
        fake.instance("EC2X", "m5.large", "0.1000000000"),
        fake.instance("EC2Y", "g4dn.xlarge", "0.526"),
    ]
    (outcome,) = refreshed(tmp_path, "ec2")
    assert outcome.left["m5.large"] == "2 prices: 0.096 (product EC2B), 0.1 (product EC2X)"
    assert "g4dn.xlarge" not in outcome.left, "the same price twice is one price"
    assert (
        PriceBook.current(tmp_path).price("ec2", "m5.large").source == PriceBook.load().price("ec2", "m5.large").source
    )


def test_item_that_no_query_is_for_says_so(aws, tmp_path):
    (outcome,) = refreshed(tmp_path, "cloudwatch")
    assert outcome.left["alarm-composite"] == "not in a refresh: as the shipped table has it"
    assert outcome.left["alarm"] == "no product for it there"


def test_a_price_of_nothing_is_no_price(aws, tmp_path):
    aws.lists["AWSLambda"] = [fake.product("ZERO", "Request", "0.0000000000", "Requests", group="AWS-Lambda-Requests")]
    (outcome,) = refreshed(tmp_path, "lambda")
    assert outcome.prices == 0 and outcome.left["requests"] == "product ZERO: no price above 0"


def test_other_region_has_its_own_prices_and_the_rest_stays_unknown(aws, tmp_path):
    Refresh(Settings(["eu-central-1"], ["ec2"], place=tmp_path), lambda line: None, NOW).run()
    book = PriceBook.current(tmp_path)
    assert book.price("ec2", "g4dn.xlarge", "eu-central-1").usd == Decimal("0.658")
    assert book.regions("ec2", "g4dn.xlarge") == [
        "eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"]  # fmt: skip
    rows = [(row.price.region, row.name) for row in compare(book, "ml.g4dn.xlarge", [], NOW.date())]
    assert rows[:2] == [("eu-central-1", "EC2"), ("eu-central-1", "EC2 spot")] and ("us-east-1", "EC2") in rows
    assert {row.price.region for row in compare(book, "g4dn.xlarge", ["eu-central-1"], NOW.date())} == {"eu-central-1"}
    with pytest.raises(UnknownPrice, match="shoestring prices refresh --region eu-central-1"):
        book.price("ec2", "m6i.large", "eu-central-1")


def test_unknown_region_and_service_are_refused_together(tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(UserError) as refused:
        Refresh(Settings(["us-east-1", "eu-wst-1"], ["ec3"], place=tmp_path), print)
    assert "eu-wst-1 is no region of AWS; near: eu-west-1" in refused.value.found
    assert "ec3 is no service that is read; near: ecs, ecr, ec2" in refused.value.found


def test_without_the_spot_advisor_the_refresh_goes_on(aws, tmp_path):
    aws.advisor, said = None, []
    outcomes = refreshed(tmp_path, "interruptions", "sns", said=said)
    assert [outcome.state for outcome in outcomes] == ["missing", "read"]
    assert "no Spot Advisor" in said[0] and "stay unknown" in said[0]
    assert PriceBook.current(tmp_path).spot("ec2", "g4dn.xlarge").interruption is None


def test_saved_spot_advisor_is_read_instead(aws, tmp_path):
    saved = tmp_path / "saved.txt"
    saved.write_text(json.dumps(ADVISOR))
    (outcome,) = refreshed(tmp_path / "prices", "interruptions", advisor=saved)
    assert outcome.prices == 2 and not aws.asked["advisor"]
    assert outcome.left["t3.micro"].startswith("malformed")
    saved.write_text("[]")
    with pytest.raises(refresh_spot.NoAdvice):
        refresh_spot.advice(saved)


def test_two_refreshes_at_once_are_refused(aws, tmp_path):
    from filelock import FileLock

    with FileLock(tmp_path / "refresh.lock"), pytest.raises(UserError, match="another refresh"):
        refreshed(tmp_path, "sns")


def test_broken_file_is_one_message_and_force_mends_it(aws, tmp_path):
    (tmp_path / "us-east-1.json").write_text('{"format": 1, "region": "us-east-1", "parts": {"ec2": {}}}')
    with pytest.raises(UserError, match=r"us-east-1\.json cannot be read") as broken:
        PriceBook.current(tmp_path)
    assert broken.value.mend == "shoestring prices refresh --force --region us-east-1"
    refreshed(tmp_path, "sns", force=True)
    assert PriceBook.current(tmp_path).price("sns", "requests").as_of == NOW.date()


@pytest.mark.parametrize("usd", ["-1", "NaN", "free", 0.1])
def test_file_with_an_impossible_price_is_refused(tmp_path, usd):
    row = {"item": "a", "unit": "hour", "usd": usd, "note": "", "source": "s"}
    part = {"read_at": NOW.isoformat(), "source": "s", "rows": [row], "left": {}}
    (tmp_path / "r.json").write_text(json.dumps({"format": 1, "region": "r", "parts": {"ec2": part}}))
    if usd == 0.1:  # a JSON number is read as it is written
        assert PriceBook.current(tmp_path).price("ec2", "a", "r").usd == Decimal("0.1")
        return
    with pytest.raises(UserError, match="cannot be read"):
        PriceBook.current(tmp_path)


def test_every_item_that_is_asked_for_is_in_the_table_or_an_instance_type():
    book = PriceBook.load()
    fixed = [(service, rule) for service, queries in QUERIES.items() for query in queries for rule in query.wanted]
    for service, rule in fixed:
        if "{" not in rule.item:
            assert book.price(service, rule.item).unit == rule.unit, f"{service} {rule.item}"
    assert {"budgets", "costexplorer", "ssm"} <= set(unread())


def test_local_cloud_is_not_asked_for_prices_of_aws(tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_PRICING", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="the local cloud has no prices of AWS"):
        Refresh(Settings(["us-east-1"], place=tmp_path), print)
