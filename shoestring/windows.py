"""A training window from its start to its end: brought up, followed, torn down, whatever happens in between."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from costs.book.prices import PriceBook
from costs.plan.plan import price_plan
from costs.plan.preview import Preview
from shoestring import following, jobs, models, outcomes, plans, updates
from shoestring.base.errors import UserError
from shoestring.base.names import RUNS, window
from shoestring.following import JobProgress, line
from shoestring.screen import Screen
from training import variables

POLICIES = ("--policy-pack", "policies")
LAST_LINES = 15
JOB = "aws:sagemaker/trainingJob:TrainingJob"


def destroy(stack: str, screen: Screen, on_event: Callable[[updates.Event], None] | None = None) -> updates.Outcome:
    """Removes everything of a stack; repeatable. `on_event` receives the engine's events in the screen's place."""
    mend = f"pulumi refresh --stack {stack}; pulumi destroy --stack {stack}"
    return updates.run("destroy", stack, on_event=on_event or screen.resource).require(f"tearing {stack} down", mend)


def finish(progress: JobProgress, uri: str, bucket: str, screen: Screen) -> dict[str, Any]:
    """The facts of a job that is over; its cost is noted in MLflow, at `uri`, and all that is known kept in `bucket`.

    Beside those of `outcomes.facts`, `version` is the model's that the job registered, or None.
    """
    described = jobs.describe(progress.name)
    facts = outcomes.facts(described, progress)
    facts["version"] = trained_versions(bucket, facts["model"]).get(progress.name)
    jobs.keep(described, bucket, facts, "\n".join(progress.lines))
    if (
        facts["cost_usd"] is not None
        and facts["version"]
        and not models.record_cost(progress.name, facts["cost_usd"], uri)
    ):
        screen.line(f"  its cost is not noted in MLflow, which does not answer at {uri} or has no version of it")
    return facts


def trained_versions(bucket: str, model: str) -> dict[str, str]:
    """The registered versions of a model, by the jobs that trained them."""
    return {str(version["job"]): str(version["version"]) for version in models.versions(bucket, model)}


def follow(names: Iterable[str], screen: Screen, poll: float, uri: str, bucket: str) -> list[dict[str, Any]]:
    """Shows jobs at their work, all at once, and what came out of each; see `finish` for what is kept.

    Returns:
        The facts of each job, in the order of their ends.
    """
    names, finished = list(names), []
    label = (lambda name: name) if len(names) > 1 else (lambda name: "")

    def look(all_of_them: list[JobProgress]) -> None:
        screen.live("\n".join(line(job, screen.width - 4, label(job.name)) for job in all_of_them if not job.ended))

    def end(progress: JobProgress) -> None:
        facts = finish(progress, uri, bucket, screen)
        finished.append(facts)
        step.failed = any(job["status"] != "Completed" for job in finished)
        screen.line(textwrap.indent(outcomes.told(facts, screen.width - 2), "  "))
        if progress.status == "Failed" and not facts["limit"]:
            screen.line(f"  its last lines:\n{_indented(progress.lines[-LAST_LINES:])}")
        elif warnings := [text for text in progress.lines if text.startswith("warning")]:
            screen.line(_indented(warnings))

    with screen.step(f"job {names[0]}" if len(names) == 1 else f"{len(names)} jobs") as step:
        following.follow(names, look, end, poll)
    return finished


def train(
    environment: str, bucket: str, screen: Screen, poll: float, uri: str, again: bool = False
) -> list[dict[str, Any]]:
    """Runs the window's jobs to their end; the window is torn down also after a failure and after Ctrl-C.

    A window that another command is at work on is left to it. A job whose inputs, all of them, a registered version
    has, is not run, and is said to be trained already.

    Args:
        bucket: the platform's.
        poll: seconds between two looks at a job.
        uri: the MLflow server, as this machine reaches it.
        again: run such a job all the same, under a name of its own.

    Returns:
        The facts of each job that ran (see `finish`).

    Raises:
        UserError: the window did not come up, or does not go down.
    """
    stack = window(environment)
    busy = f"another shoestring train is at work on {stack}"  # the first to end would tear down the other's window
    with updates.alone(stack, busy, "wait for its end: shoestring jobs list"), contextlib.ExitStack() as teardown:
        teardown.push(lambda kind, error, trace: _tear_down(stack, screen, error))
        try:
            preview, runs = _planned(stack, bucket, again, screen)
            if not runs:
                return []
            screen.line(f"  {plans.summary(price_plan(preview, PriceBook.current()))}")
            jobs.recent("", 1)  # who may not ask for jobs, or has no region or credentials, learns it before one starts
            with screen.step(f"{stack} comes up"):
                outcome = updates.run("up", stack, *POLICIES, on_event=screen.resource)
                outcome.require(f"bringing {stack} up", "what the lines above say, then: shoestring train")
        except updates.Locked:
            teardown.pop_all()
            raise
        names = [job["name"] for job in updates.outputs(stack)["jobs"]]
        try:
            return follow(names, screen, poll, uri, bucket)
        except following.LostSight as error:
            teardown.pop_all()  # the window's destroy would stop a job that is well
            raise _left_alone(stack, environment, error) from error
        except KeyboardInterrupt:
            if running := [name for name in names if jobs.stop(name)]:
                follow(running, screen, poll, uri, bucket)  # what they have done so far is kept
            raise


def _planned(stack: str, bucket: str, again: bool, screen: Screen) -> tuple[Preview, dict[str, int]]:
    """The plan, and the jobs that are to run, by model with the number of the run; the program reads a variable."""
    os.environ.pop(RUNS, None)
    preview = _preview(stack, screen)
    planned = [resource.inputs for resource in preview.resources if resource.type == JOB and resource.stays]
    runs: dict[str, int] = {}
    for job in planned:
        name, model = job["trainingJobName"], job["environment"][variables.MODEL]
        trained = trained_versions(bucket, model)
        if name not in trained:
            runs[model] = 1
        elif again:
            runs[model] = next(run for run in itertools.count(2) if f"{name}-{run}" not in trained)
        else:
            screen.line(f"  {model} is already trained: version {trained[name]} has exactly these inputs")
    if not runs:
        screen.line("  to train all the same: shoestring train --again")
        return preview, runs
    if len(runs) == len(planned) and set(runs.values()) == {1}:
        return preview, runs
    os.environ[RUNS] = json.dumps(runs)
    return _preview(stack, screen), runs


def _preview(stack: str, screen: Screen) -> Preview:
    with screen.step(f"{stack} is planned and priced"):
        return plans.preview(stack, *POLICIES, on_event=screen.resource)  # policies accept it as a whole


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
    if not updates.stands(stack):
        return  # it never came up
    with screen.step(f"{stack} goes down"):
        destroy(stack, screen)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
