"""Every price has a source and a date; an unknown one is an error that names the item."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from costs.book.comparison import compare, table
from costs.book.price import Price, UnknownPrice, lacking
from costs.book.price_list import QUERIES
from costs.book.prices import TABLE, PriceBook
from costs.book.refresh.pricing_api import UNITS, parse, read
from costs.plan import rules
from costs.plan.plan import price_resources
from shoestring.base.paths import ROOT, rows
from tests.costs.book import fake_aws
from tests.costs.plan.rules.test_rules import SAMPLES, resource


def test_table_is_read_exactly():
    book = PriceBook.load()
    listed = {(row["service"], row["item"], row["region"]): Decimal(row["usd"]) for row in rows(TABLE)}
    assert len(listed) == len(TABLE.read_text().splitlines()) - 1
    assert {key: book.price(*key).usd for key in listed} == listed
    price = book.price("ec2", "t4g.small")
    assert (price.usd, price.unit) == (Decimal("0.0168"), "hour")
    assert price.source and price.as_of.year == 2026


@pytest.mark.parametrize(
    ("service", "item", "region", "hint"),
    [
        ("ec2", "t4g.smal", "us-east-1", "t4g.small"),
        ("ec2", "t4g.small", "eu-west-9", "no price of ec2 is known in eu-west-9"),
        ("warp", "drive", "us-east-1", "no price of warp"),
    ],
)
def test_unknown_price_names_the_item_and_what_comes_near(service, item, region, hint):
    with pytest.raises(UnknownPrice) as raised:
        PriceBook.load().price(service, item, region)
    assert f"{service} {item} in {region}" in str(raised.value)
    assert hint in str(raised.value)


def test_every_bad_line_is_listed(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("service,item,region,unit,usd,note\nec2,a,r,hour,free,\nec2,b,r,hour,0.1,\nec2,c,r,hour,-1,\n")
    with pytest.raises(ValueError, match=r"(?s)prices.csv:2: usd is 'free'.*prices.csv:4: usd is '-1'"):
        PriceBook.load(table)


def test_two_prices_for_one_item_are_refused(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("service,item,region,unit,usd,note\nec2,a,r,hour,1,\nec2,a,r,hour,2,\n")
    with pytest.raises(ValueError, match="two prices for ec2 a r"):
        PriceBook.load(table)


def test_wrong_columns_are_named(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("item,usd\na,1\n")
    with pytest.raises(ValueError, match="expected"):
        PriceBook.load(table)


def test_unknown_price_carries_the_command_that_reads_it():
    with pytest.raises(UnknownPrice) as raised:
        PriceBook.load().price("ec2", "g4dn.xlarg", "us-east-1")
    error = raised.value
    assert (error.service, error.item, error.region) == ("ec2", "g4dn.xlarg", "us-east-1")
    assert error.near[0] == "g4dn.xlarge"
    assert error.command == "shoestring prices refresh --region us-east-1" and error.command in str(error)


def test_units_are_the_documented_words():
    words = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/prices.md").read_text(), re.MULTILINE))
    assert {price.unit for price in PriceBook.load()} <= words


def test_what_is_sold_worldwide_has_its_price_in_every_region():
    book = PriceBook.load()
    assert book.price("costexplorer", "request", "eu-north-1") == book.price("costexplorer", "request")
    assert book.price("cloudwatch", "dashboard", "eu-north-1").usd == 3
    with pytest.raises(UnknownPrice):
        book.price("kms", "key", "eu-north-1")


def test_list_price_is_stale_after_a_year():
    price = PriceBook.load().price("ec2", "t4g.nano")
    assert not price.stale(price.as_of + timedelta(days=365)) and price.stale(price.as_of + timedelta(days=366))


def test_current_is_the_shipped_table_where_nothing_was_refreshed(tmp_path):
    current, shipped = PriceBook.current(tmp_path), PriceBook.load()
    assert list(current) == list(shipped) and current.regions("sagemaker-training") == ["us-east-1"]


def shoestring(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SHOESTRING_HOME": str(home), **variables}
    command = [sys.executable, "-m", "shoestring.cli", "prices", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=60)


def test_show_compares_on_demand_spot_and_sagemaker(tmp_path):
    done = shoestring("show", "g4dn.xlarge", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = {row["what"]: row for row in json.loads(done.stdout) if row["region"] == "us-east-1"}
    assert shown["EC2"]["usd_low"] == shown["EC2"]["usd_high"] == "0.526"
    spot = shown["EC2 spot"]
    assert (spot["usd_low"], spot["usd_expected"], spot["usd_high"]) == ("0.200000", "0.203900", "0.215800")
    assert "median zone use1-az4" in spot["source"] and spot["as_of"] == "2026-01-25" and spot["stale"]
    assert shown["SageMaker training"]["usd_low"] == "0.7364"
    assert shown["SageMaker training spot"]["saving_expected"] == "0.6124"
    assert all(row["unit"] == "hour" and row["source"] and row["as_of"] for row in shown.values())


def test_show_marks_stale_prices_and_names_unit_source_and_date():
    rows = compare(PriceBook.load(), "nat-gateway", [], date(2028, 1, 1))
    text = table(rows)
    assert "0.045" in text and "hour" in text and "(stale)" in text and "of 2026-01-01" in text
    assert "(stale)" not in table(compare(PriceBook.load(), "nat-gateway", [], date(2026, 11, 25)))


def test_show_of_an_unknown_item_names_near_ones(tmp_path):
    done = shoestring("show", "g4dn.xlarg", home=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "no price for g4dn.xlarg" in done.stderr and "g4dn.xlarge" in done.stderr
    done = shoestring("show", "gp3", "--region", "eu-west-1", home=tmp_path)
    assert done.returncode == 1 and "gp3 in us-east-1" in done.stderr
    assert "shoestring prices refresh --region eu-west-1" in done.stderr


def test_refresh_that_is_killed_goes_on_with_what_is_missing(tmp_path):
    with fake_aws.serve() as aws:
        entry = fake_aws.product("SNS1", "Requests-Tier1", "0.0000005", "Requests", "API Request")
        aws.lists["AmazonSNS"] = aws.lists["AWSQueueService"] = [entry]
        variables = {"AWS_ENDPOINT_URL_PRICING": aws.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        words = ["refresh", "--region", "us-east-1", "--service", "sns", "--service", "sqs"]
        aws.hangs.add("AWSQueueService")
        command = [sys.executable, "-m", "shoestring.cli", "prices", *words]
        environment = {**os.environ, **variables, "SHOESTRING_HOME": str(tmp_path)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        assert aws.reached.wait(60), "the second service was never asked for"
        process.kill()
        process.communicate()
        aws.hangs.clear()
        done = shoestring(*words, "--json", home=tmp_path, **variables)
        assert done.returncode == 0, done.stderr
        assert [(one["part"], one["state"]) for one in json.loads(done.stdout)] == [("sns", "kept"), ("sqs", "read")]
        assert aws.asked["AmazonSNS"] == 1
        done = shoestring("refresh", *words[1:3], "--service", "lambda", home=tmp_path, **variables)
        assert "us-east-1 lambda, no product for it there: compute-arm64, compute-x86" in done.stdout
        done = shoestring("show", "requests", "--json", home=tmp_path)
        assert "AWS Pricing API" in {row["what"]: row["source"] for row in json.loads(done.stdout)}["sns requests"]


def test_what_a_refresh_asks_for_has_its_command_and_nothing_else_has() -> None:
    compute, rule = (UnknownPrice(*key, "eu-west-1") for key in (("lambda", "compute-arm64"), ("waf", "rule")))
    assert compute.command == "shoestring prices refresh --region eu-west-1"
    assert str(compute).endswith(compute.command)
    assert rule.command == "" and str(rule).endswith("no refresh asks for it")
    assert lacking([compute, rule]) == (
        "no price for lambda compute-arm64, waf rule in eu-west-1; shoestring prices refresh --region eu-west-1; "
        "no refresh asks for waf rule"
    )


class Asked(PriceBook):
    """The shipped table, which notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(PriceBook.load())
        self.asked: set[tuple[str, str]] = set()

    def price(self, service: str, item: str, region: str = "us-east-1") -> Price:
        self.asked.add((service, item))
        return super().price(service, item, region)


def would_be_read(service: str, item: str) -> bool:
    """Whether a refresh gives a row of this name for a product that AWS would list for it."""
    for wanted in (wanted for query in QUERIES.get(service, []) for wanted in query.wanted):
        before, typed, after = wanted.item.partition("{type}")
        if not typed and item == wanted.item:
            return True
        if typed and item.startswith(before) and item.endswith(after):
            usage = re.sub(r"\(\?P<type>.*\)", item[len(before) : len(item) - len(after)], wanted.usage)
            where = dict(wanted.where)
            family = where.pop("productFamily", "")
            entry = fake_aws.product("S", usage, "1.0", UNITS[wanted.unit][0][0], family, **where)
            products, _ = parse([json.dumps(entry)])
            if [row["item"] for row in read(products, [wanted]).rows] == [item]:
                return True
    return False


def test_each_item_that_a_rule_may_ask_for_is_offered_a_refresh_only_where_one_reads_it() -> None:
    """Over every type of the provider without a property, every sample of the rules, and the whole table."""
    book = Asked()
    types = [resource(token) for token in rules.TABLE if token.startswith("aws:")]
    for resources in (types, *(resources for resources, *_ in SAMPLES.values())):
        for region in ("us-east-1", "eu-west-9"):
            price_resources(resources, region, book)
    asked = book.asked | {(price.service, price.item) for price in PriceBook.load()}
    assert len(asked) > 500
    offered = {key for key in asked if UnknownPrice(*key, "eu-west-9").command}
    assert offered == {key for key in asked if would_be_read(*key)}
    assert {("ec2", "m5.large"), ("rds", "db.t4g.micro-postgres"), ("kms", "key")} <= offered
    assert not {("waf", "rule"), ("elasticache", "cache.t3.micro"), ("rds", "storage-io2")} & offered
    for service, read_by_type in (("ec2", True), ("sagemaker-notebook", True), ("elasticache", False)):
        assert bool(UnknownPrice(service, "*", "eu-west-9").command) is read_by_type
