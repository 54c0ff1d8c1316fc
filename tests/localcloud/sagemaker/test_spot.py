"""Interruptions come as they are ordered: at named seconds, by a seed, by a recorded trace."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from costs.book.prices import PriceBook
from localcloud.sagemaker.spot import Spot

TRACES = Path(os.environ.get("SHOESTRING_SPOT_TRACES", Path(__file__).parents[4] / "shared" / "spot-traces"))


def test_the_market_asks_what_the_price_book_expects():
    book, market = PriceBook.load(), Spot()
    assert market.share(book, "m5.large") == Decimal("0.390625")  # 0.0375 of 0.096, in the median zone
    assert market.share(book, "ml.m5.large") == Decimal("0.390625")  # as EC2's
    # where no spot price is known, nothing is saved
    assert market.share(book, "p3.8xlarge") == market.share(book, "z9.huge") == 1
    assert Spot(price_ratio=0.3).share(book, "m5.large") == Decimal("0.3")


def test_without_a_file_nothing_is_taken_away(tmp_path):
    assert list(Spot.read(tmp_path / "spot.json").lives()) == []


def test_named_seconds_come_first_and_a_seed_repeats():
    spot = Spot(interrupt_after_seconds=[4, 2], seed=7, mean_seconds=10)
    lives = list(islice(spot.lives(), 5))
    assert lives[:2] == [4, 2]
    assert lives == list(islice(spot.lives(), 5))
    assert lives != list(islice(Spot(interrupt_after_seconds=[4, 2], seed=8).lives(), 5))


def test_trace_gives_the_lengths_of_its_available_runs(tmp_path):
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps({"metadata": {"gap_seconds": 10}, "data": [0, 1, 1, 0, 0, 1, 1, 1]}))
    assert list(Spot(trace=str(trace)).lives()) == [20, 30]


def test_unknown_key_is_named(tmp_path):
    (tmp_path / "spot.json").write_text('{"interupt": [1]}')
    with pytest.raises(ValueError, match="unknown key interupt"):
        Spot.read(tmp_path / "spot.json")


def test_recorded_trace_is_read_whole():
    paths = sorted(TRACES.glob("*.json"))
    if not paths:
        pytest.skip(f"no recorded traces in {TRACES}; name their folder in SHOESTRING_SPOT_TRACES")
    for path in paths:
        recorded = json.loads(path.read_text())
        available = sum(1 for there in recorded["data"] if there) * recorded["metadata"]["gap_seconds"]
        assert sum(Spot(trace=str(path)).lives()) == available > 0
