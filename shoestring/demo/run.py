"""The demo's steps. Each fills in its part of the facts, which end in `.shoestring/demo.json`."""

from __future__ import annotations

import contextlib
import csv
import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

from costs.estimates import PlatformParts, inference_cost, platform_month
from localcloud import supervisor
from localcloud.account import list_account
from localcloud.sagemaker.client import interrupt
from localcloud.sagemaker.spot import Spot
from shoestring import jobs, models, tracking, updates, windows
from shoestring.demo import recovery
from shoestring.environment import enter, require_set_up
from shoestring.errors import UserError
from shoestring.installation import write_atomically
from shoestring.paths import ROOT, home
from shoestring.screen import Screen
from stacks.settings import Inference, Mlflow

Facts = dict[str, Any]
PLATFORM, WINDOW = "local", "local-window"
INTERRUPT_AT_STEP = 200
REQUESTS = 200
UNTAGGED = ROOT / "shoestring" / "demo" / "untagged"


def run(screen: Screen) -> Facts:
    """Runs the demo; whatever happens, what it made is removed again.

    Returns:
        The facts, as they are written to `.shoestring/demo.json`.

    Raises:
        UserError: a step failed, or something was left in the account.
    """
    began = time.monotonic()
    recovery.clear(screen.line)
    installed = require_set_up()
    was_up = supervisor.status(home())["state"] == "up"
    recovery.require_alone()
    facts: Facts = {
        "engine": {key: installed[key] for key in ("version", "source", "aws_provider")},
        "stacks": [],
        "jobs": [],
    }
    screen.line("Shoestring's main job, on an emulated AWS account on this machine. It takes a minute or two.\n")
    with _torn_down(screen, facts, was_up) as cloud:
        outputs, mlflow = _platform(screen, facts)
        _train(screen, facts, cloud, mlflow)
        _serve(screen, facts, cloud, outputs)
        _refuse(screen, facts)
        _bill(screen, facts)
    if left := facts["teardown"]["left"]:
        shown = ", ".join(f"{item['service']} {item['type']} {item['id']}" for item in left)
        raise UserError(f"the teardown left {shown}", "an empty account", "shoestring cloud up --fresh")
    facts["seconds"] = round(time.monotonic() - began, 1)
    write_atomically(home() / "demo.json", json.dumps(facts, indent=2) + "\n")
    screen.line(f"\nDone in {facts['seconds']:.0f} s; nothing is left. The facts: .shoestring/demo.json", "bold")
    return facts


@contextlib.contextmanager
def _torn_down(screen: Screen, facts: Facts, was_up: bool) -> Iterator[dict[str, Any]]:
    """The local cloud, empty before and after; an interrupted demo forgets all that it made."""
    try:
        with screen.step("the local cloud starts"):
            cloud = enter(PLATFORM, screen.live)
            assert cloud
            recovery.begin(cloud)
        yield cloud
        with screen.step("the window and the platform are torn down"):
            for stack in (WINDOW, PLATFORM):
                windows.destroy(stack, screen)
        with screen.step("the account is listed, service by service"):
            facts["teardown"] = {"left": list_account(cloud)}
        screen.line("  " + ("left: " + str(facts["teardown"]["left"]) if facts["teardown"]["left"] else "it is empty"))
        recovery.end()
    except BaseException:
        if recovery.own():  # not before the account was seen to be empty
            screen.line("clearing what the demo made")
            recovery.forget()
        raise
    finally:
        if not was_up:
            supervisor.down(home())


def _up(screen: Screen, facts: Facts, stack: str) -> None:
    with screen.step(f"pulumi up -s {stack} --policy-pack policies"):
        outcome = updates.run("up", stack, *windows.POLICIES, on_event=screen.resource)
        updates.require(outcome, f"pulumi up -s {stack}", "shoestring cloud logs")
    created = outcome.changes.get("create", 0)
    facts["stacks"].append({"name": stack, "created": created, "seconds": round(outcome.seconds, 1)})
    screen.line(f"  {created} resources created")


def _again(screen: Screen, facts: Facts) -> None:
    """A second up of both stacks changes nothing."""
    for stack in facts["stacks"]:
        with screen.step(f"pulumi up -s {stack['name']} again"):
            outcome = updates.run("up", stack["name"], on_event=screen.resource)
            updates.require(outcome, f"a second pulumi up -s {stack['name']}", "shoestring cloud logs")
        stack["unchanged_on_second_up"] = outcome.unchanged
        screen.line(f"  {outcome.changes.get('same', 0)} unchanged" if outcome.unchanged else f"  {outcome.changes}")


def _platform(screen: Screen, facts: Facts) -> tuple[dict[str, Any], str]:
    _up(screen, facts, PLATFORM)
    outputs = updates.outputs(PLATFORM)
    with screen.step("the MLflow server on the emulated VM answers"):
        address = tracking.local_address(outputs)
    screen.line(f"  {address}")
    return outputs, address


def _train(screen: Screen, facts: Facts, cloud: dict[str, Any], mlflow: str) -> None:
    _up(screen, facts, WINDOW)
    name = updates.outputs(WINDOW)["jobs"][0]["name"]
    taken: list[int] = []

    def look(now: jobs.Progress) -> None:
        screen.live(windows.shown(now))
        if not taken and now.step >= INTERRUPT_AT_STEP and now.secondary == "Training":
            interrupt(cloud["sagemaker_endpoint"], name)
            taken.append(now.step)
            screen.line(f"  step {now.step}: its spot instance is taken away (SIGTERM, then a new instance)")

    with screen.step(f"spot training job {name}"):
        progress = jobs.watch(name, look)
    if progress.status != "Completed":
        last = "\n".join(progress.lines[-windows.LAST_LINES :])
        raise UserError(f"the job {name} is {progress.status}; its last lines:\n{last}")
    found = windows.finished(progress, mlflow, screen)
    facts["jobs"].append(found)
    screen.line(
        f"  interrupted {found['interruptions']} time, resumed from step {found['resumed_from_step']}, "
        f"completed at step {found['steps']}"
    )
    _again(screen, facts)


def _serve(screen: Screen, facts: Facts, cloud: dict[str, Any], outputs: dict[str, Any]) -> None:
    from serving.client import FunctionUrl
    from training import data, jobfile

    job = jobfile.load(jobfile.find("breast_cancer"))
    with screen.step("the model is promoted and published"):
        version = models.promote(PLATFORM, outputs["bucket"], job.name, "latest")
        updates.require(
            updates.run("up", PLATFORM, *windows.POLICIES, on_event=screen.resource), "publishing", "shoestring doctor"
        )
    model = models.versions(outputs["bucket"], job.name)[-1]
    keys = ("name", "version", "run_id", "metrics", "data_sha256")
    facts["model"] = {key: model[key] for key in keys}
    screen.line(f"  {model['name']} version {version}: " + _metrics(model["metrics"]))

    with data.prepare(job, home() / "packages").path.open(newline="") as file:
        table = [row for row, _ in zip(csv.DictReader(file), range(REQUESTS), strict=False)]
    rows = [{name: float(value) for name, value in row.items() if name != job.data.target} for row in table]
    function = FunctionUrl(outputs["inference_url"], outputs["region"], cloud["aws_endpoint"])
    took, errors, answer = [], 0, dict[str, Any]()
    with screen.step(f"{REQUESTS} signed HTTP requests to the function's URL"):
        for row in rows:
            began = time.perf_counter()
            status, body = function.predict([row])
            took.append((time.perf_counter() - began) * 1000)
            errors += status != 200
            answer = body if status == 200 else answer
            screen.live(f"{len(took)} answered, {errors} errors")
    cuts = statistics.quantiles(took, n=100)
    facts["inference"] = {
        "url": outputs["inference_url"], "requests": len(took), "errors": errors, "p50_ms": round(cuts[49], 2),
        "p99_ms": round(cuts[98], 2), "model_version": answer.get("version", ""),
    }  # fmt: skip
    screen.line(f"  {errors} errors, p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms; the last answer: {_last(answer)}")


def _last(answer: dict[str, Any]) -> str:
    if not answer:
        return "none"
    found = answer["predictions"][0]
    return f"{found['label']} with probability {found['probability']:.3f}"


def _metrics(metrics: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _refuse(screen: Screen, facts: Facts) -> None:
    """A stack without cost tags must not come up."""
    with screen.step("pulumi preview of a bucket without cost tags"):
        updates.make_stack("demo", UNTAGGED)
        pack = str(ROOT / "policies")
        outcome = updates.run("preview", "demo", "--policy-pack", pack, folder=UNTAGGED)
        updates.remove_stack("demo", UNTAGGED)
    denied = outcome.code != 0 and bool(outcome.refusals)
    facts["policy"] = {"untagged_denied": denied, "message": "\n".join(outcome.refusals)}
    if not denied:
        raise UserError(f"the policy pack let an untagged bucket through:\n{outcome.output}")
    screen.line("  refused: " + outcome.refusals[0].replace("\n", "\n  "))


def _bill(screen: Screen, facts: Facts) -> None:
    """What this would have cost on AWS, from the price book."""
    job = facts["jobs"][0]
    vm, memory_mb = Mlflow(), Inference().memory_mb  # what an environment on AWS has where it sets nothing
    month = platform_month(PlatformParts(vm=vm.instance_type, public_ipv4=1, volume_gb=vm.volume_gb))
    million = inference_cost(1_000_000, memory_mb, facts["inference"]["p50_ms"], "arm64").per_million
    market = Spot.read(home() / "cloud" / "spot.json").price_ratio
    saving = 1 - job["cost_usd"] / job["on_demand_cost_usd"]
    facts["bill"] = {
        "job_usd": job["cost_usd"], "job_on_demand_usd": job["on_demand_cost_usd"], "saving": round(saving, 4),
        "platform_usd_a_month": float(round(month.usd, 2)), "million_predictions_usd": float(round(million, 2)),
    }  # fmt: skip
    screen.line("\nThe bill, at AWS's list prices in us-east-1", "bold")
    screen.line(f"  {'':<34}{'spot':>12}{'on demand':>12}")
    screen.line(f"  {'this training job':<34}{_usd(job['cost_usd']):>12}{_usd(job['on_demand_cost_usd']):>12}")
    screen.line(f"  {'the platform, idle, a month':<34}{'':>12}{_usd(float(month.usd)):>12}")
    screen.line(f"  {'a million predictions':<34}{'':>12}{_usd(float(million)):>12}")
    screen.line(
        f"  {job['training_seconds']} s of training, {job['billable_seconds']} s billed: the emulated market's spot "
        f"price is {market:.0%} of that on demand,\n  an assumption, not a measured price. The platform is a "
        f"{vm.instance_type} with {vm.volume_gb} GB and a public address; predictions\n  take {memory_mb} MB for the "
        "p50 above.\n",
        "dim",
    )


def _usd(value: float) -> str:
    return f"${value:.5f}" if value < 0.01 else f"${value:.2f}"
