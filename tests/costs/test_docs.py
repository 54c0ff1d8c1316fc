"""The pages about prices, reports, value and right-sizing: their commands run, and their figures are the book's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from costs.book.prices import PriceBook
from costs.plan.rules.observability import REPORT_REQUESTS
from costs.report.explorer import Scope
from costs.report.sizing import MachineUse, machine
from costs.value.rightsizing import Rightsizing
from costs.value.tco import TcoInputs, compare
from shoestring.base.paths import ROOT

PAGES = ("prices.md", "cost-report.md", "rightsizing.md", "value.md")
TEXTS = {name: (ROOT / "docs" / name).read_text() for name in PAGES}
BLOCKS = [block for text in TEXTS.values() for block in re.findall(r"```console\n(.*?)```", text, re.S)]
ON_THIS_MACHINE = ("cost roi", "cost tco", "prices show")  # the others ask AWS, or the local cloud
BOOK = PriceBook.load()
README = (ROOT / "README.md").read_text()


def commands() -> list[tuple[list[str], str]]:
    """Each command of the pages as words, with the output that stands below it."""
    found = []
    for block in BLOCKS:
        for part in block.replace("\\\n", " ").split("$ ")[1:]:
            line, _, output = part.partition("\n")
            found.append((shlex.split(line, comments=True)[1:], output))
    return found


def shoestring(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SHOESTRING_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "shoestring.cli", *words]
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(("words", "output"), commands(), ids=lambda value: " ".join(value)[:50])
def test_each_command_runs_and_says_what_the_page_says(words: list[str], output: str, tmp_path: Path) -> None:
    if " ".join(words[:2]) not in ON_THIS_MACHINE:
        words = [*words, "--help"]  # which refuses options that there are not
    done = shoestring(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert output.strip() in done.stdout


def test_the_readme_says_what_spot_capacity_asked() -> None:
    claimed = re.search(r"us-east-1 the median zone wanted (.+?)\. SageMaker", README.replace("\n", " "))
    assert claimed
    text = claimed[1].replace("of the price on demand ", "")
    shares = {
        item: share for share, items in re.findall(r"(\d+) % for ([\w. ]+)", text) for item in items.split(" and ")
    }
    assert len(shares) == 5
    seen = {item: BOOK.spot("ec2", item).share.likely for item in shares}
    assert {item: f"{share:.0%}" for item, share in seen.items() if share} == {
        item: f"{share}%" for item, share in shares.items()}  # fmt: skip


def test_an_option_that_there_is_not_would_be_refused(tmp_path: Path) -> None:
    assert shoestring(["cost", "report", "--weak", "2026-W47", "--help"], tmp_path).returncode != 0


def test_the_server_of_the_example_pays_when_the_page_says() -> None:
    page = TEXTS["value.md"]
    (words,) = (words for words, _ in commands() if "--instance" in words)
    options = {words[at][2:].replace("-", "_"): words[at + 1] for at in range(2, len(words), 2)}
    options.pop("plot")
    tco = compare(TcoInputs(**options), BOOK, BOOK.price("ec2", "g5.12xlarge").as_of)
    hours = {compared.offer.name: compared.early.hours for compared in tco.offers}
    assert f"The server costs {tco.owned.net:,} dollars" in page
    assert f"and {tco.owned.each_hour:.2f} dollars for each hour of use" in page
    on_demand, sagemaker = (hours[f"{name} on demand"] for name in ("g5.12xlarge EC2", "ml.g5.12xlarge SageMaker"))
    assert f"it has paid for itself after {on_demand:,.0f} hours, against SageMaker after {sagemaker:,.0f}" in page
    assert f"even after {hours['g5.12xlarge EC2 spot, expected']:,.0f} hours" in page
    assert f"even after {15000 / Decimal('3.00'):,.0f} hours" in page
    assert f"{15000 / (Decimal('3.00') - Decimal('1.125')):,.0f}" in page


def test_what_a_report_costs_is_what_its_requests_cost() -> None:
    request = BOOK.price("costexplorer", "request").usd
    assert f"Five requests to Cost Explorer, {REPORT_REQUESTS * request:.2f} $" in TEXTS["cost-report.md"]
    assert REPORT_REQUESTS == 5
    metrics = BOOK.price("cloudwatch", "api-requests")
    assert f"CloudWatch's metrics ({metrics.usd} $ for a {metrics.unit})" in TEXTS["cost-report.md"]


def test_the_machine_of_the_example_saves_what_the_page_says() -> None:
    """Up to where the page shortens a source."""
    setting = "pulumi config set --path shoestring:mlflow.instanceType {size} -s dev"
    peaks = (Decimal("41.2"), Decimal("3.1"), Decimal("31.4"), Decimal(100))
    use = MachineUse("shoestring-dev-mlflow", "t4g.small", False, 336, *peaks, setting, "CloudWatch's hours")
    text = Rightsizing(Scope("shoestring", "dev"), 14, (machine(use, "us-east-1", BOOK),)).text()
    (block,) = re.findall(r"```text\n(.*?)```", TEXTS["rightsizing.md"], re.S)
    for shown in block.splitlines():
        assert shown.partition("    (")[0] in text
    assert "list price of 2026-01-01, on demand" in block and "list price of 2026-01-01, on demand" in text
