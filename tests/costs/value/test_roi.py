"""ROI is (benefit - cost) / cost, exactly; inputs come from flags and a file, and their problems all at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.value.inputs import gather
from costs.value.roi import Roi, render
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT

money = st.decimals("0.01", "1e9", places=2)


def run(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SHOESTRING_HOME": str(home)}
    command = [sys.executable, "-m", "shoestring.cli", "cost", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=60)


def test_known_example():
    found = Roi(benefit=Decimal(50_000), cost=Decimal(10_000), months=Decimal(12))
    assert (found.share, found.gain, found.payback_months) == (4, 40_000, Decimal("2.4"))
    assert "400.0 %" in render(found)


@given(benefit=money, cost=money)
def test_share_is_exact_and_grows_with_the_benefit(benefit, cost):
    found = Roi(benefit=benefit, cost=cost)
    assert found.share * cost == pytest.approx(benefit - cost, rel=Decimal("1e-24"), abs=Decimal("1e-18"))
    assert (found.share > 0) == (benefit > cost)
    assert Roi(benefit=benefit + 1, cost=cost).share > found.share
    assert Roi(benefit=cost, cost=cost).share == 0


def test_a_loss_is_a_negative_return_without_a_payback():
    found = Roi(benefit=Decimal(-50), cost=Decimal(100), months=Decimal(1))
    assert found.share == Decimal("-1.5") and found.payback_months is None


@pytest.mark.parametrize("cost", ["0", "-10", "nan", "inf", "free"])
def test_cost_that_has_no_return_is_refused(cost):
    with pytest.raises(UserError, match=r"--cost: ") as refused:
        gather(Roi, None, {"benefit": "1", "cost": cost}, "shoestring cost roi")
    assert refused.value.mend == "shoestring cost roi --help"


def test_file_is_read_exactly_and_flags_win(tmp_path):
    path = tmp_path / "roi.yaml"
    path.write_text("benefit: 0.10\ncost: 10_000\nmonths: 6\n")
    found = gather(Roi, path, {"benefit": None, "cost": "0.3", "months": None}, "x")
    assert (found.benefit, found.cost, found.months) == (Decimal("0.1"), Decimal("0.3"), 6)


def test_every_problem_of_a_file_is_named_with_the_nearest_key(tmp_path):
    path = tmp_path / "roi.yaml"
    path.write_text("benefits: 50000\ncost: 0\nzebra: 1\n")
    with pytest.raises(UserError) as refused:
        gather(Roi, path, {}, "shoestring cost roi")
    assert "roi.yaml: benefits: unknown key; did you mean benefit?" in refused.value.found
    assert "roi.yaml: zebra: unknown key; known: benefit, cost, months" in refused.value.found
    assert "--benefit: missing" in refused.value.found and "roi.yaml: cost: " in refused.value.found


@pytest.mark.parametrize(("text", "said"), [("[1]", "holds no keys"), ("a: [", "is not YAML"), (None, "No such file")])
def test_file_that_is_none_is_one_message(tmp_path, text, said):
    path = tmp_path / "roi.yaml"
    if text:
        path.write_text(text)
    with pytest.raises(UserError, match=said):
        gather(Roi, path, {}, "x")


def test_command_gives_facts_as_decimals(tmp_path):
    done = run("roi", "--benefit", "50000", "--cost", "10000", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["roi_pct"] == "400" and json.loads(done.stdout)["source"] == "given"
    done = run("roi", "--benefit", "50000", "--cost", "0", home=tmp_path)
    assert done.returncode == 1 and "--cost: input should be greater than 0" in done.stderr
