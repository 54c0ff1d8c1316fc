"""The demo's steps. Each fills in its part of the facts, which end in `.shoestring/demo.json`."""

from __future__ import annotations

import contextlib
import csv
import json
import statistics
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from costs.amounts import cents, dollars
from costs.book.prices import PriceBook
from costs.plan.plan import Plan, price_resources
from costs.plan.preview import PlannedResource
from costs.plan.traffic import Usage
from localcloud import supervisor
from localcloud.account import list_account
from localcloud.sagemaker.client import interrupt
from localcloud.sagemaker.spot import Spot
from serving.client import FunctionUrl
from shoestring import following, models, plans, tracking, updates, windows
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL, REGION, window
from shoestring.base.paths import ROOT, home, write_atomically
from shoestring.demo import recovery
from shoestring.demo.bill import Bill
from shoestring.environment import enter, require_set_up
from shoestring.screen import Screen
from stacks.settings import Inference
from training.prepare import data, jobfile

Facts = dict[str, Any]
PLATFORM, WINDOW = LOCAL, window(LOCAL)
INTERRUPT_AT_STEP = 200
REQUESTS = 200
UNTAGGED = ("--cwd", str(ROOT / "shoestring" / "demo" / "untagged"))


def demo() -> None:
    """Train, serve and tear down on the local cloud, guided: what make demo runs.

    Whatever happens, what it made is removed again; what it measured is written to .shoestring/demo.json.
    """
    screen, began = Screen(), time.monotonic()
    recovery.clear(screen.line)
    installed = require_set_up()
    facts: Facts = {
        "engine": {key: installed[key] for key in ("version", "source", "aws_provider")},
        "stacks": [],
        "jobs": [],
    }
    with recovery.alone(), _torn_down(screen, facts) as (cloud, bill):
        outputs, mlflow = _platform(screen, facts, bill)
        _train(screen, facts, cloud, mlflow, bill)
        _serve(screen, facts, cloud, outputs)
        _refuse(screen, facts)
        bill.before_teardown(outputs["inference_function"])
    if left := facts["teardown"]["left"]:
        raise UserError(f"the teardown left {recovery.named(left)}", "an empty account", "shoestring cloud up --fresh")
    facts["seconds"] = round(time.monotonic() - began, 1)
    write_atomically(home() / "demo.json", json.dumps(facts, indent=2) + "\n")
    screen.line(f"\nDone in {facts['seconds']:.0f} s; nothing is left. The facts: .shoestring/demo.json", "bold")


@contextlib.contextmanager
def _torn_down(screen: Screen, facts: Facts) -> Iterator[tuple[dict[str, Any], Bill]]:
    """The local cloud, empty before and after, and its bill; an interrupted demo forgets all that it made."""
    screen.line("Shoestring's main job, on an emulated AWS account on this machine. It takes a minute or two.\n")
    was_up = supervisor.status(home())["state"] == "up"
    try:
        with screen.step("the local cloud starts"):
            cloud = enter(PLATFORM, screen.live)
            assert cloud
            recovery.require_empty(cloud)
        with recovery.forgotten_unless_done(screen.line):
            bill = Bill(cloud)
            yield cloud, bill
            with screen.step("the window and the platform are torn down"):
                for stack in (WINDOW, PLATFORM):
                    windows.destroy(stack, screen, _noting(screen, bill))
            with screen.step("the account is listed, service by service"):
                left = list_account(cloud)
            facts["teardown"] = {"left": left}
            screen.line(f"  left: {left}" if left else "  it is empty")
            _bill(screen, facts, bill)
    finally:
        if not was_up:
            supervisor.down(home())


def _noting(screen: Screen, bill: Bill) -> Callable[[updates.Event], None]:
    """Shows the engine's events, and notes them for the bill."""

    def on_event(event: updates.Event) -> None:
        bill.note(event)
        screen.resource(event)

    return on_event


def _up(screen: Screen, facts: Facts, stack: str, bill: Bill) -> Plan:
    with screen.step(f"pulumi preview -s {stack} --policy-pack policies, priced"):
        plan = bill.plan(plans.preview(stack, *windows.POLICIES, on_event=screen.resource))
    screen.line(f"  {plans.summary(plan)}")
    with screen.step(f"pulumi up -s {stack} --policy-pack policies"):
        outcome = updates.run("up", stack, *windows.POLICIES, on_event=_noting(screen, bill))
        outcome.require(f"pulumi up -s {stack}", "shoestring cloud logs")
    created = outcome.changes.get("create", 0)
    facts["stacks"].append({"name": stack, "created": created, "seconds": round(outcome.seconds, 1)})
    screen.line(f"  {created} resources created")
    return plan


def _again(screen: Screen, facts: Facts) -> None:
    """A second up of both stacks changes nothing."""
    for stack in facts["stacks"]:
        with screen.step(f"pulumi up -s {stack['name']} again"):
            outcome = updates.run("up", stack["name"], on_event=screen.resource)
            outcome.require(f"a second pulumi up -s {stack['name']}", "shoestring cloud logs")
        stack["unchanged_on_second_up"] = outcome.unchanged
        screen.line(f"  {outcome.changes.get('same', 0)} unchanged" if outcome.unchanged else f"  {outcome.changes}")


def _platform(screen: Screen, facts: Facts, bill: Bill) -> tuple[dict[str, Any], str]:
    plan = _up(screen, facts, PLATFORM, bill)
    facts["cost"] = {"idle_platform_monthly_usd": float(cents(plan.after.idle.high))}
    outputs = updates.outputs(PLATFORM)
    with screen.step("the MLflow server on the emulated VM answers"):
        address = tracking.local_address(outputs)
    screen.line(f"  {tracking.opening(address)}")
    return outputs, address


def _train(screen: Screen, facts: Facts, cloud: dict[str, Any], mlflow: str, bill: Bill) -> None:
    _up(screen, facts, WINDOW, bill)
    name = updates.outputs(WINDOW)["jobs"][0]["name"]
    interrupted: list[int] = []

    def look(followed: list[following.JobProgress]) -> None:
        (current,) = followed
        screen.live(following.line(current, screen.width - 4))
        if not interrupted and current.step >= INTERRUPT_AT_STEP and current.secondary == "Training":
            interrupt(cloud, name)
            interrupted.append(current.step)
            screen.line(f"  step {current.step}: its spot instance is taken away (SIGTERM, then a new instance)")

    with screen.step(f"spot training job {name}"):
        (progress,) = following.follow([name], look)
    if progress.status != "Completed":
        last = "\n".join(progress.lines[-windows.LAST_LINES :])
        raise UserError(f"the job {name} is {progress.status}; its last lines:\n{last}")
    job = windows.finish(progress, mlflow, updates.outputs(PLATFORM)["bucket"], screen)
    facts["jobs"].append(job)
    screen.line(
        f"  interrupted {job['interruptions']} time, resumed from step {job['resumed_from_step']}, "
        f"completed at step {job['steps']}"
    )
    _again(screen, facts)


def _serve(screen: Screen, facts: Facts, cloud: dict[str, Any], outputs: dict[str, Any]) -> None:
    job = jobfile.load(jobfile.find("breast_cancer"))
    with screen.step("the model is promoted and published"):
        version = models.promote(PLATFORM, outputs["bucket"], job.name, "latest")
        published = updates.run("up", PLATFORM, *windows.POLICIES, on_event=screen.resource)
        published.require("publishing", "shoestring doctor")
    model = models.versions(outputs["bucket"], job.name)[-1]
    facts["model"] = {key: model[key] for key in ("name", "version", "run_id", "metrics", "data_sha256")}
    screen.line(f"  {model['name']} version {version}: " + "  ".join(following.figures(model["metrics"])))

    with data.prepare(job, home() / "packages").path.open(newline="") as file:
        table = list(islice(csv.DictReader(file), REQUESTS))
    rows = [{name: float(value) for name, value in row.items() if name != job.data.target} for row in table]
    function = FunctionUrl(outputs["inference_url"], outputs["region"], cloud["aws_endpoint"])
    latencies, errors, answer = [], 0, dict[str, Any]()
    with screen.step(f"{REQUESTS} signed HTTP requests to the function's URL"):
        for row in rows:
            began = time.perf_counter()
            status, body = function.predict([row])
            latencies.append((time.perf_counter() - began) * 1000)
            errors += status != 200
            answer = body if status == 200 else answer
            screen.live(f"{len(latencies)} answered, {errors} errors")
    cuts = statistics.quantiles(latencies, n=100)
    facts["inference"] = {
        "url": outputs["inference_url"], "requests": len(latencies), "errors": errors, "p50_ms": round(cuts[49], 2),
        "p99_ms": round(cuts[98], 2), "model_version": answer.get("version", ""),
    }  # fmt: skip
    screen.line(f"  {errors} errors, p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms; the last answer: {_last(answer)}")


def _last(answer: dict[str, Any]) -> str:
    if not answer:
        return "none"
    prediction = answer["predictions"][0]
    return f"{prediction['label']} with probability {prediction['probability']:.3f}"


def _refuse(screen: Screen, facts: Facts) -> None:
    """A stack without cost tags must not come up."""
    with screen.step("pulumi preview of a bucket without cost tags"):
        updates.make_stack("demo", *UNTAGGED)
        outcome = updates.run("preview", "demo", "--policy-pack", str(ROOT / "policies"), *UNTAGGED)
        updates.remove_stack("demo", *UNTAGGED)
    denied = outcome.code != 0 and bool(outcome.refusals)
    facts["policy"] = {"untagged_denied": denied, "message": "\n".join(outcome.refusals)}
    if not denied:
        raise UserError(f"the policy pack let an untagged bucket through:\n{outcome.output}")
    screen.line("  refused: " + outcome.refusals[0].replace("\n", "\n  "))


def _bill(screen: Screen, facts: Facts, bill: Bill) -> None:
    """What this run cost by the account's meter, against the plans; and what would follow on AWS."""
    with screen.step("the account's meter is read, and held against the plans"):
        totals = bill.after_teardown(facts["jobs"][0])
    job, requests = facts["jobs"][0], facts["inference"]
    million = _million_predictions(requests["p50_ms"])
    kind, book = jobfile.load(jobfile.find("breast_cancer")).instance_type, PriceBook.current()
    market = Spot.read(home() / "cloud" / "spot.json").share(book, kind)
    saving = 1 - job["cost_usd"] / job["on_demand_cost_usd"]
    facts["cost"] |= {
        "planned_usd": float(totals["planned_usd"]), "metered_usd": float(totals["metered_usd"]),
        "difference_pct": float(round(totals["difference_pct"], 2)), "spot_saving_pct": round(saving * 100, 1),
        "million_predictions_usd": float(cents(million)),
    }  # fmt: skip
    row = "  {:<44}{:>12}{:>12}".format
    screen.line("\nThe bill of this run, at AWS's list prices in us-east-1", "bold")
    screen.line(row("", "planned", "metered"), "dim")
    for service, (planned, metered) in totals["by_service"].items():
        screen.line(row(service, _usd(planned), _usd(metered)))
    screen.line(row("together", _usd(totals["planned_usd"]), _usd(totals["metered_usd"])), "bold")
    screen.line(
        f"  They differ by {totals['difference_pct']:.1f} %. Planned: the previews' prices, for this run's hours and "
        "traffic. Metered: Cost\n  Explorer's answer.\n", "dim",
    )  # fmt: skip
    screen.line(row("", "spot", "on demand"), "dim")
    screen.line(row("the training job", _usd(job["cost_usd"]), _usd(job["on_demand_cost_usd"])))
    screen.line(row("a million predictions", "", _usd(million)))
    screen.line(row("the platform, idle, a month", "", _usd(facts["cost"]["idle_platform_monthly_usd"])))
    screen.line(
        f"  {job['training_seconds']} s of training, {job['billable_seconds']} s billed: the emulated market asks "
        f"{market:.0%} of the price on demand\n  ({book.spot('sagemaker-training', kind).source}).\n  Predictions take "
        f"{Inference().memory_mb} MB for the p50 above. Asking for the bill (0.01 $ a request) is left out.\n",
        "dim",
    )


def _million_predictions(milliseconds: float) -> Decimal:
    """Dollars on AWS for a million requests of one prediction, as a plan prices the function."""
    name, kind = "inference", "aws:lambda/function:Function"
    inputs = {"memorySize": Inference().memory_mb, "architectures": ["arm64"]}
    function = PlannedResource(f"urn:pulumi:dev::shoestring::{kind}::{name}", kind, name, inputs)
    usage = Usage(resources={name: {"requests": Decimal(1_000_000), "mean_ms": Decimal(str(milliseconds))}})
    (cost,) = price_resources([function], REGION, PriceBook.current(), usage)
    return cost.monthly.high


def _usd(value: Decimal | float) -> str:
    return dollars(Decimal(str(value)))
