"""A training window from its start to its end: brought up, followed, torn down, whatever happens in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from costs.book.prices import PriceBook
from costs.plan.plan import price_plan
from shoestring import jobs, models, plans, updates
from shoestring.base.errors import UserError
from shoestring.base.names import window
from shoestring.screen import Screen

POLICIES = ("--policy-pack", "policies")
LAST_LINES = 15


def destroy(stack: str, screen: Screen, on_event: Callable[[updates.Event], None] | None = None) -> updates.Outcome:
    """Removes everything of a stack; repeatable. `on_event` receives the engine's events in the screen's place."""
    mend = f"pulumi refresh --stack {stack}; pulumi destroy --stack {stack}"
    return updates.run("destroy", stack, on_event=on_event or screen.resource).require(f"tearing {stack} down", mend)


def state(progress: jobs.JobProgress) -> str:
    """A job's state in one line."""
    if not progress.step:
        return progress.secondary
    return f"{progress.secondary.lower()}  step {progress.step}  {figures(progress.metrics)}"


def figures(metrics: dict[str, float]) -> str:
    """A model's metrics in one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def finish(progress: jobs.JobProgress, uri: str, bucket: str, screen: Screen) -> dict[str, Any]:
    """The facts of a job that is over; its cost is noted in MLflow, at `uri`, and what was billed kept in `bucket`."""
    described = jobs.describe(progress.name)
    facts = jobs.facts(described, progress)
    jobs.keep(described, bucket)
    if facts["cost_usd"] is None:
        screen.line(f"  its cost is not known: {facts['cost_source']}")
    elif progress.status == "Completed" and not models.record_cost(progress.name, facts["cost_usd"], uri):
        screen.line(f"  its cost is not noted in MLflow, which does not answer at {uri} or has no version of it")
    return facts


def train(environment: str, screen: Screen, poll: float, uri: str) -> list[dict[str, Any]]:
    """Runs the window's jobs to their end; the window is torn down also after a failure and after Ctrl-C.

    A window that another command is at work on is left to it.

    Args:
        poll: seconds between two looks at a job.
        uri: the MLflow server, as this machine reaches it.

    Returns:
        The facts of each job (see `jobs.facts`).

    Raises:
        UserError: the window did not come up, or does not go down.
    """
    stack, finished = window(environment), []
    busy = f"another shoestring train is at work on {stack}"  # the first to end would tear down the other's window
    with updates.alone(stack, busy, "wait for its end: shoestring jobs list"), contextlib.ExitStack() as teardown:
        teardown.push(lambda kind, error, trace: _tear_down(stack, screen, error))
        try:
            with screen.step(f"{stack} is planned and priced"):
                preview = plans.preview(stack, *POLICIES, on_event=screen.resource)  # policies accept it as a whole
            screen.line(f"  {plans.summary(price_plan(preview, PriceBook.current()))}")
            jobs.recent(1)  # who may not ask for jobs, or has no region or credentials, learns it before one starts
            with screen.step(f"{stack} comes up"):
                outcome = updates.run("up", stack, *POLICIES, on_event=screen.resource)
                outcome.require(f"bringing {stack} up", "what the lines above say, then: shoestring train")
        except updates.Locked:
            teardown.pop_all()
            raise
        bucket = updates.outputs(environment)["bucket"]
        for job in updates.outputs(stack)["jobs"]:
            with screen.step(f"job {job['name']}"):
                try:
                    progress = jobs.watch(job["name"], lambda current: screen.live(state(current)), poll)
                except jobs.LostSight as error:
                    teardown.pop_all()  # the window's destroy would stop a job that is well
                    raise _left_alone(stack, environment, error) from error
            finished.append(finish(progress, uri, bucket, screen))
            if progress.status == "Failed":
                screen.line(f"the job failed; its last lines:\n{_indented(progress.lines[-LAST_LINES:])}")
            elif warnings := [line for line in progress.lines if line.startswith("warning")]:
                screen.line(_indented(warnings))
    return finished


def _left_alone(stack: str, environment: str, error: UserError) -> UserError:
    """What is said of a window whose jobs go on unseen."""
    return UserError(
        f"{error.found}\nThe window {stack} stays up, so that its jobs go on; each ends at its max_run at the latest.",
        error.expected,
        f"{error.mend}\n    then: shoestring jobs list -e {environment}; and, when they are done: "
        f"pulumi destroy --stack {stack}",
    )


def _tear_down(stack: str, screen: Screen, error: BaseException | None) -> None:
    try:
        try:
            _go_down(stack, screen)
        except KeyboardInterrupt:
            screen.line("  the teardown goes on, for what is left costs money; Ctrl-C once more leaves it")
            _go_down(stack, screen)
            raise
    except UserError as failure:
        if isinstance(error, UserError):  # which is the reason of both, as like as not
            raise UserError(f"{error}\n{failure}") from failure
        raise


def _go_down(stack: str, screen: Screen) -> None:
    with screen.step(f"{stack} goes down"):
        destroy(stack, screen)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def require_success(finished: list[dict[str, Any]]) -> None:
    """Raises UserError naming the jobs that did not complete."""
    if failures := [_ending(job) for job in finished if job["status"] != "Completed"]:
        raise UserError(
            "\n".join(failures), "every job Completed", "edit the job's script, data or file, then: shoestring train"
        )


def _ending(job: dict[str, Any]) -> str:
    reason = " ".join(job.get("failure", "").split())
    return f"{job['name']} is {job['status']}" + (f": {reason}" if reason else "")
