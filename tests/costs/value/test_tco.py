"""Buying and renting cost the same at the break-even, and not before."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.book.spot import Observed
from costs.value.inputs import gather
from costs.value.plot import plot
from costs.value.tco import TcoInputs, break_even, compare, owned
from costs.value.text import facts, render
from shoestring.base.errors import UserError
from tests.costs.value.test_roi import run

BOOK = PriceBook.load()
TODAY = date(2026, 11, 25)
CLOSE = Decimal("1e-20")
EXAMPLE = {
    "price": 15000, "life_years": 4, "residual": 1500, "utilisation": Decimal("0.5"), "power_watts": 700,
    "idle_watts": 100, "usd_per_kwh": Decimal("0.15"), "pue": Decimal("1.4"), "space_usd_month": 50,
    "staff_hours_month": 2, "staff_usd_hour": 50, "instance": "g5.12xlarge",
}  # fmt: skip


def decimals(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places)


servers = st.builds(
    lambda price, rest, **given: TcoInputs(price=price, residual=price * rest, hourly=Decimal(1), **given),
    price=decimals("1", "100000"),
    rest=decimals("0", "0.9"),
    life_years=decimals("0.5", "10", 1),
    utilisation=decimals("0.01", "1"),
    power_watts=decimals("500", "3000", 0),
    idle_watts=decimals("0", "500", 0),
    usd_per_kwh=decimals("0", "1"),
    pue=decimals("1", "3", 1),
    space_usd_month=decimals("0", "500"),
    staff_hours_month=decimals("0", "20", 0),
    staff_usd_hour=decimals("0", "200", 0),
)


def test_known_example_breaks_even_at_5000_hours():
    (one,) = compare(TcoInputs(price=Decimal(15_000), hourly=Decimal("3.00")), BOOK, TODAY).offers
    assert one.early.hours == 5000 and one.early.within
    assert one.total.low == Decimal("3.00") * 3 * 12 * 730
    text = render(compare(TcoInputs(price=Decimal(15_000), hourly=Decimal("3.00")), BOOK, TODAY))
    assert "5,000" in text and "[1] given" in text
    with_costs = owned(TcoInputs(price=15_000, hourly=3, power_watts=1125, usd_per_kwh=1))
    assert break_even(with_costs, Decimal(3)).hours == 8000, "only with 1.125 dollars an hour of running costs"


@given(inputs=servers, hour=decimals("0.01", "50"))
def test_at_the_break_even_both_have_cost_the_same(inputs, hour):
    server = owned(inputs)
    even = break_even(server, hour)
    assume(even.hours is not None)
    saved = hour - server.running - server.fixed / server.hours_a_month
    assert even.hours * saved == pytest.approx(server.net, rel=CLOSE)
    bought = server.net + server.fixed * even.months + server.running * even.hours
    assert bought == pytest.approx(hour * even.hours, rel=CLOSE)


@given(inputs=servers, hour=decimals("0.01", "50"))
def test_hours_a_month_and_hours_tell_the_same(inputs, hour):
    server = owned(inputs)
    even = break_even(server, hour)
    if even.hours_a_month is not None:
        used = even.hours_a_month
        bought = server.net + server.months * (server.fixed + server.running * used)
        assert bought == pytest.approx(hour * used * server.months, rel=CLOSE)
    if even.hours is not None and abs(even.hours - server.hours) > server.hours * CLOSE:
        assert even.within == (even.hours_a_month is not None and even.hours_a_month <= server.hours_a_month)
        assert even.within == (server.total < hour * server.hours)
    if even.hours is None:
        assert not even.within and server.total > hour * server.hours


@given(inputs=servers, hour=decimals("0.01", "50"), more=decimals("0.01", "10"))
def test_break_even_comes_sooner_at_a_higher_price_and_later_for_a_dearer_server(inputs, hour, more):
    server = owned(inputs)
    here, above = break_even(server, hour), break_even(server, hour + more)
    if here.hours is not None:
        assert above.hours is not None and above.hours < here.hours
        dearer = break_even(owned(inputs.model_copy(update={"price": inputs.price + more})), hour)
        assert dearer.hours is not None and dearer.hours > here.hours


def test_prices_come_from_the_book_with_their_source():
    found = compare(TcoInputs(**EXAMPLE), BOOK, TODAY)
    server = found.owned
    assert server.fixed == 50 + 2 * 50 + Decimal("0.021") * 730
    assert server.running == Decimal("0.6") * Decimal("0.15") * Decimal("1.4")
    by_name = {one.offer.name: one for one in found.offers}
    demand = by_name["g5.12xlarge EC2 on demand"]
    assert demand.offer.hour.low == BOOK.price("ec2", "g5.12xlarge").usd
    assert demand.offer.source == BOOK.price("ec2", "g5.12xlarge").source
    assert by_name["ml.g5.12xlarge SageMaker on demand"].offer.hour.low == Decimal("7.09")
    spot = by_name["g5.12xlarge EC2 spot"]
    assert spot.early.hours == demand.early.hours
    assert spot.late.hours is None or not spot.late.within
    text = render(found)
    assert "2,651 to never" in text and "list" not in text and "of 2026-01-01" in text and "given" in text


def test_refreshed_spot_prices_are_taken():
    seen = Observed("g5.12xlarge", "us-east-1", Decimal(2), Decimal(3), "history", date(2026, 11, 20))
    found = compare(TcoInputs(**EXAMPLE), BOOK.overlaid([], [seen]), TODAY)
    spot = next(one for one in found.offers if one.offer.name == "g5.12xlarge EC2 spot")
    assert (spot.offer.hour.low, spot.offer.hour.high, spot.offer.source) == (2, 3, "history")
    assert "[2] history; of 2026-11-20" in render(found)


def test_stale_prices_are_marked():
    text = render(compare(TcoInputs(**EXAMPLE), BOOK, date(2028, 1, 1)))
    fresh = render(compare(TcoInputs(**EXAMPLE), BOOK, TODAY))
    assert "of 2026-01-01 (stale)" in text and "of 2026-01-01 (stale)" not in fresh
    assert "median zone use1-az5; of 2026-01-25 (stale)" in fresh  # a spot price is old after a week


def test_several_instances_stand_for_one_server():
    found = compare(TcoInputs(price=1, instance="ml.g4dn.xlarge", count=4), BOOK, TODAY)
    assert found.offers[0].offer.hour.low == 4 * Decimal("0.526")
    assert found.offers[0].offer.name == "4 x g4dn.xlarge EC2 on demand"


def test_server_that_never_pays_says_so():
    text = render(compare(TcoInputs(price=15_000, instance="t4g.nano"), BOOK, TODAY))
    assert "never within its life" in text
    one = facts(compare(TcoInputs(price=15_000, instance="t4g.nano"), BOOK, TODAY))["offers"][0]
    assert one["break_even"]["within_life"] is False and one["break_even"]["hours_a_month_of_life"] is None


def test_instance_that_only_one_service_has_is_compared_there_and_an_unknown_one_is_an_error():
    names = [one.offer.name for one in compare(TcoInputs(price=1, instance="p5.48xlarge"), BOOK, TODAY).offers]
    assert names == ["p5.48xlarge EC2 on demand", "p5.48xlarge EC2 spot"]
    with pytest.raises(UnknownPrice, match=r"g4dn\.xlarg in us-east-1"):
        compare(TcoInputs(price=1, instance="g4dn.xlarg"), BOOK, TODAY)


@pytest.mark.parametrize(
    ("field", "value"),
    [("price", 0), ("price", "nan"), ("life_years", 0), ("pue", "0.99"), ("utilisation", 0), ("utilisation", "1.1"),
     ("residual", -1), ("power_watts", -1), ("idle_watts", -1), ("usd_per_kwh", -1), ("space_usd_month", -1),
     ("staff_hours_month", -1), ("staff_usd_hour", -1), ("count", 0), ("hourly", 0)],
)  # fmt: skip
def test_impossible_numbers_are_refused(field, value):
    with pytest.raises(UserError, match=f"--{field.replace('_', '-')}: input should be "):
        gather(TcoInputs, None, {"price": 1, "hourly": 1} | {field: value}, "shoestring cost tco")


def test_every_problem_is_named_at_once(tmp_path):
    path = tmp_path / "tco.yaml"
    path.write_text("price: 100\nresidual: 200\npower_watt: 3\nlife_years: -1\n")
    with pytest.raises(UserError) as refused:
        gather(TcoInputs, path, {"pue": "0.5"}, "shoestring cost tco")
    assert "tco.yaml: power_watt: unknown key; did you mean power_watts?" in refused.value.found
    assert "tco.yaml: life_years: " in refused.value.found and "--pue: " in refused.value.found
    path.write_text("price: 100\nresidual: 200\npower-watts: 3\nstaff_hours_month: 1\n")
    with pytest.raises(UserError) as refused:
        gather(TcoInputs, path, {}, "shoestring cost tco")
    for word in ("usd_per_kwh is missing", "staff_usd_hour is missing", "residual is 200", "nothing to compare with"):
        assert word in refused.value.found


def test_facts_carry_decimals_as_texts():
    told = json.loads(json.dumps(facts(compare(TcoInputs(**EXAMPLE), BOOK, TODAY))))
    assert told["bought"]["net_usd"] == "13500"
    assert told["offers"][0]["usd_hour_low"] == "5.672" and told["offers"][0]["as_of"] == "2026-01-01"
    assert told["offers"][1]["break_even_at_lowest_price"]["within_life"] is False


def test_picture_has_labelled_axes_its_sources_and_the_break_even(tmp_path):
    drawn = tmp_path / "tco.svg"
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plot(compare(TcoInputs(**EXAMPLE), BOOK, TODAY), drawn)
    words = " ".join(ElementTree.parse(drawn).getroot().itertext())
    for word in ("hours of use", "US dollars so far", "even after 2,651 hours", "AWS public price pages", "2026-01-01"):
        assert word in words
    again = tmp_path / "again.svg"
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        plot(compare(TcoInputs(**EXAMPLE), BOOK, TODAY), again)
    assert again.read_bytes() == drawn.read_bytes()
    plot(compare(TcoInputs(price=1500, hourly=3, instance="g4dn.xlarge"), BOOK, TODAY), tmp_path / "tco.png")
    assert (tmp_path / "tco.png").read_bytes().startswith(b"\x89PNG")


def test_picture_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected a name that ends in \.png or \.svg"):
        plot(compare(TcoInputs(**EXAMPLE), BOOK, TODAY), tmp_path / "tco.docx")


def test_command_breaks_even_and_draws(tmp_path: Path):
    picture = tmp_path / "tco.png"
    words = ("tco", "--price", "15000", "--hourly", "3.00", "--plot", str(picture), "--json")
    done = run(*words, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["offers"][0]["break_even"]["hours"] == "5000" and picture.stat().st_size > 10_000
    done = run("tco", "--price", "1", "--instance", "g4dn.xlarg", home=tmp_path)
    assert done.returncode == 1 and "no price for ec2 g4dn.xlarg in us-east-1" in done.stderr
    assert "g4dn.xlarge" in done.stderr and "Traceback" not in done.stderr
