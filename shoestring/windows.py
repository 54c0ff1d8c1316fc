"""A training window from its start to its end: brought up, followed, torn down, whatever happens in between."""

from __future__ import annotations

import contextlib
from typing import Any

from shoestring import jobs, updates
from shoestring.errors import UserError
from shoestring.screen import Screen

POLICIES = ("--policy-pack", "policies")
LAST_LINES = 15


def up(environment: str, screen: Screen) -> updates.Outcome:
    """Brings the window up, with the policies."""
    stack = f"{environment}-window"
    outcome = updates.run("up", stack, *POLICIES, on_event=screen.resource)
    return updates.require(outcome, f"bringing {stack} up", f"pulumi up --stack {stack} --policy-pack policies")


def destroy(stack: str, screen: Screen) -> updates.Outcome:
    """Removes everything of a stack; repeatable."""
    outcome = updates.run("destroy", stack, on_event=screen.resource)
    mend = f"pulumi refresh --stack {stack}; pulumi destroy --stack {stack}"
    return updates.require(outcome, f"tearing {stack} down", mend)


def shown(progress: jobs.Progress) -> str:
    """A job's state in one line."""
    metrics = "  ".join(f"{name} {value:.4g}" for name, value in progress.metrics.items())
    return f"{progress.secondary.lower()}  step {progress.step}  {metrics}" if progress.step else progress.secondary


def train(environment: str, screen: Screen, poll: float) -> list[dict[str, Any]]:
    """Runs the window's jobs to their end; the window is torn down also after a failure and after Ctrl-C.

    Returns:
        The facts of each job (see `jobs.facts`).

    Raises:
        UserError: the window did not come up, or does not go down.
    """
    stack, found = f"{environment}-window", []
    with contextlib.ExitStack() as after:
        after.callback(_tear_down, stack, screen)
        with screen.step(f"{stack} comes up"):
            up(environment, screen)
        for job in updates.outputs(stack)["jobs"]:
            with screen.step(f"job {job['name']}"):
                progress = jobs.watch(job["name"], lambda now: screen.live(shown(now)), poll)
            found.append(jobs.facts(jobs.describe(job["name"]), progress))
            if progress.status == "Failed":
                screen.line(f"the job failed; its last lines:\n{_indented(progress.lines[-LAST_LINES:])}")
            elif late := [line for line in progress.lines if line.startswith("warning")]:
                screen.line(_indented(late))
    return found


def _tear_down(stack: str, screen: Screen) -> None:
    with screen.step(f"{stack} goes down"):
        destroy(stack, screen)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def require_success(found: list[dict[str, Any]]) -> None:
    """Raises UserError naming the jobs that did not complete."""
    if bad := [f"{job['name']} is {job['status']}" for job in found if job["status"] != "Completed"]:
        raise UserError("; ".join(bad), "every job Completed", "mend the job's script or data, then: shoestring train")
