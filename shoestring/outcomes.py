"""What came out of training jobs: how each one ended, what it cost, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import Any

from costs.amounts import decimal, dollars
from costs.report.account import job_of
from costs.report.unit_costs import training
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL
from shoestring.following import JobProgress, figures
from shoestring.jobs import book
from shoestring.layout import ENDLESS, INDENT, fold, prose

LIMITS = {"MaxRuntimeExceeded": "max_run", "MaxWaitTimeExceeded": "max_wait"}  # of the job file


def facts(described: dict[str, Any], progress: JobProgress) -> dict[str, Any]:
    """A finished job for machines; `cost_usd` is at list prices, None where there are none, as `cost_source` says.

    `limit` is the key of the job file whose time had run out, None where the job ended otherwise; `trained` is false of
    one that ended before its program ran.
    """
    job = job_of(described)
    priced = training(job, job.region, book())
    return {
        "name": progress.name,
        "model": job.model,
        "status": described["TrainingJobStatus"],
        "limit": LIMITS.get(described["SecondaryStatus"]),
        "trained": "TrainingStartTime" in described,
        "interruptions": progress.interruptions,
        "resumed_from_step": progress.resumed_from_step,
        "steps": progress.step,
        "metrics": progress.metrics,
        "training_seconds": job.training_seconds,
        "billable_seconds": job.billable_seconds,
        "cost_usd": None if priced.usd is None else float(priced.usd),
        "on_demand_cost_usd": None if priced.on_demand_usd is None else float(priced.on_demand_usd),
        "cost_source": priced.source,
        **({"failure": described["FailureReason"]} if described.get("FailureReason") else {}),
    }


def cost(facts: Mapping[str, Any]) -> str:
    """What a finished job cost, in words."""
    if facts["cost_usd"] is None:
        return f"its cost is not known: {facts['cost_source']}"
    usd, on_demand = facts["cost_usd"], facts["on_demand_cost_usd"]
    saved = f", {1 - usd / on_demand:.0%} saved" if on_demand and usd < on_demand else ""
    return f"{dollars(decimal(usd))}, on demand {dollars(decimal(on_demand))}{saved}"


def ending(facts: Mapping[str, Any]) -> str:
    """How a job ended, in one line, without a traceback."""
    status, seconds = facts["status"], facts["training_seconds"]
    if status == "Completed":
        return f"completed after {seconds} s"
    if facts["limit"]:
        return f"stopped after {seconds} s: {facts['limit']}"
    reason = [line.strip() for line in facts.get("failure", "").splitlines() if line.strip()]
    why = f": {reason[0]}" + (f": {reason[-1]}" if len(reason) > 1 else "") if reason else ""
    trained = f" after {seconds} s" if facts["trained"] else " before it trained"
    return status.lower() + trained + why


def mend(facts: Mapping[str, Any]) -> str:
    """What to do about a job that did not complete."""
    if facts["limit"]:
        return (
            f"raise {facts['limit']} in its job file, then: shoestring train    (it goes on from its last checkpoint)"
        )
    if facts["status"] == "Stopped":
        return "shoestring train    (it goes on from its last checkpoint)"
    if not facts["trained"]:
        return "mend what the reason names, then: shoestring train"
    return "edit the job's script, data or file, then: shoestring train"


def told(facts: dict[str, Any], width: int) -> str:
    """What came out of a job, in lines of at most `width` characters: how it ended, metrics, version, cost."""
    end = f"{facts['name']} {ending(facts)}"
    if facts["interruptions"]:
        end += f", interrupted {facts['interruptions']} time(s), resumed from step {facts['resumed_from_step']}"
    version = f"registered: {facts['model']} version {facts['version']}" if facts["version"] else ""
    billed = cost(facts) if facts["trained"] else "nothing was billed"
    room = width - len(INDENT)
    more = [fold(figures(facts["metrics"]), room, ""), version, prose(f"cost: {billed}", room)]
    return "\n".join([prose(end, width), *(indent(text, INDENT) for text in more if text)])


def summary(environment: str, finished: list[dict[str, Any]], width: int = ENDLESS) -> str:
    """What came out of jobs, one line for each where `width` allows it, and the commands by which their versions are
    served."""
    lines = [prose(f"{job['name']}: {job['status']}, {cost(job)}", width) for job in finished]
    options = "" if environment == LOCAL else f" -e {environment}"
    new = [job for job in finished if job["version"]]
    lines += [f"next: shoestring models promote {job['model']} {job['version']}{options}" for job in new]
    return "\n".join(lines)


def require_success(finished: list[dict[str, Any]]) -> None:
    """Raises UserError naming the jobs that did not complete, and how each one ended."""
    failures = [job for job in finished if job["status"] != "Completed"]
    if failures:
        raise UserError(
            "\n".join(f"{job['name']} {ending(job)}" for job in failures),
            "every job completed",
            "\n".join(dict.fromkeys(map(mend, failures))),
        )
