"""Follows training jobs to their ends: how far each one is, what it measures, and what it costs so far."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from costs.amounts import dollars
from costs.report.account import FINISHED, job_of
from costs.report.unit_costs import training
from shoestring import jobs
from shoestring.base.errors import UserError, of_aws
from shoestring.jobs import Log

PATIENCE = 600.0  # seconds for which a job is followed on though AWS does not answer, or credentials have expired
POLL = 0.3  # seconds between two looks on the local cloud; ten times that on AWS, which limits the calls
STEPS = re.compile(r"^steps=(\d+)$")
STEP = re.compile(r"^step=(\d+)\b(.*)")
RESUMED = re.compile(r"^resumed_from_step=(\d+)")
METRIC = re.compile(r"(\w+)=(\S+)")
# Hyperparameters that say how many steps there are, of scripts that do not say it themselves.
STEP_NAMES = ("steps", "max_steps", "epochs", "num_epochs", "rounds", "num_boost_round", "iterations", "max_iter")


@dataclass
class JobProgress:
    """What a job's description and log have told so far."""

    name: str
    status: str = ""
    secondary: str = ""
    step: int = 0
    steps: int = 0  # in all; 0 where nobody says
    metrics: dict[str, float] = field(default_factory=dict)
    resumed_from_step: int = 0
    interruptions: int = 0
    lines: list[str] = field(default_factory=list)
    described: dict[str, Any] = field(default_factory=dict)
    _first: tuple[float, int] | None = None  # moment and step of the attempt's first line with one
    _last: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return self.status in FINISHED

    def look(self, described: dict[str, Any]) -> None:
        """Notes what SageMaker says."""
        self.described = described
        self.status, self.secondary = described["TrainingJobStatus"], described["SecondaryStatus"]
        transitions = described.get("SecondaryStatusTransitions", [])
        self.interruptions = sum(transition["Status"] == "Interrupted" for transition in transitions)
        given = described.get("HyperParameters", {})
        if not self.steps and (name := next((name for name in STEP_NAMES if name in given), None)):
            self.steps = int(given[name]) if given[name].isdecimal() else 0

    def take(self, line: str, moment: float | None = None) -> None:
        """Notes a line of its log, written at a moment in seconds since 1970 (now, where none is given)."""
        self.lines.append(line)
        if step := STEP.match(line):
            self.step, self._last = int(step[1]), time.time() if moment is None else moment
            self._first = self._first or (self._last, self.step)
            self._measure(METRIC.findall(step[2]))
        elif resumed := RESUMED.match(line):
            self.resumed_from_step, self._first = int(resumed[1]), None
        elif steps := STEPS.match(line):
            self.steps = int(steps[1])
        defined = self.described.get("AlgorithmSpecification", {}).get("MetricDefinitions", [])
        for metric in defined:
            self._measure((metric["Name"], match[1]) for match in re.finditer(metric["Regex"], line) if match.groups())

    def _measure(self, values: Iterable[tuple[str, str]]) -> None:
        for name, text in values:
            try:
                value = float(text)
            except ValueError:
                continue  # a word of the author's own, not a metric
            if math.isfinite(value):
                self.metrics[name] = value

    @property
    def seconds_left(self) -> float | None:
        """Until the last step, at the pace of this attempt; None where it is not known."""
        if (
            self._first is None
            or not self.steps
            or self.secondary != "Training"
            or not self._first[1] < self.step < self.steps
        ):
            return None
        pace = (self._last - self._first[0]) / (self.step - self._first[1])
        return max(0.0, (self.steps - self.step) * pace - max(0.0, time.time() - self._last))

    def cost_so_far(self) -> str:
        """Dollars since it began to train; on spot capacity, whose bill AWS says at the end, at most."""
        began = self.described.get("TrainingStartTime")
        if began is None:
            return ""
        seconds = max(0, int((datetime.now(UTC) - began).total_seconds()))
        job = replace(job_of(self.described), training_seconds=seconds, billable_seconds=seconds)
        priced = training(job, job.region, jobs.book())
        if priced.usd is None:
            return "cost not known"
        return ("at most " if job.spot else "") + dollars(priced.usd)


def figures(metrics: Mapping[str, float]) -> list[str]:
    """A model's metrics, each with its name."""
    return [f"{name} {value:.4g}" for name, value in metrics.items()]


def state(progress: JobProgress) -> list[str]:
    """A job's state in parts, the most important ones first."""
    if progress.ended:
        return [progress.status.lower(), *figures(progress.metrics)]
    parts = [progress.secondary.lower()]
    if progress.step:
        share = f" of {progress.steps} ({progress.step / progress.steps:.0%})" if progress.steps else ""
        parts.append(f"step {progress.step}{share}")
    if (left := progress.seconds_left) is not None:
        parts.append(f"{duration(left)} left")
    return [*filter(None, [*parts, progress.cost_so_far()]), *figures(progress.metrics)]


def line(progress: JobProgress, width: int, label: str = "") -> str:
    """A job's state in one line of at most `width` characters, with a label where several jobs are shown."""
    text = label[:width]
    for part in filter(None, state(progress)):
        longer = f"{text}  {part}" if text else part
        if len(longer) > width:
            break
        text = longer
    return text


def duration(seconds: float) -> str:
    """A time in words: `40 s`, `12 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _look(progress: JobProgress, logs: dict[str, Log]) -> None:
    """One look at a job and its log, which the first look at the job finds."""
    progress.look(jobs.describe(progress.name))
    if progress.name not in logs:
        logs[progress.name] = Log(progress.name, progress.described["CreationTime"])
    for moment, text in logs[progress.name].events():
        progress.take(text, moment)


class LostSight(UserError):
    """A job cannot be followed any more: it goes on, for nothing is known of it but that."""


def follow(
    names: Iterable[str],
    on_look: Callable[[list[JobProgress]], None],
    on_end: Callable[[JobProgress], None] = lambda progress: None,
    poll: float = POLL,
) -> list[JobProgress]:
    """Follows jobs to their ends, all at once.

    Args:
        on_look: receives all of them at each look.
        on_end: receives each one when it is over.
        poll: seconds between two looks.

    Raises:
        UserError: one is not there.
        LostSight: AWS has not answered for `PATIENCE` seconds, or refuses who asks.
    """
    followed, logs = [JobProgress(name) for name in dict.fromkeys(names)], dict[str, Log]()
    running, seen = list(followed), time.monotonic()
    while running:
        try:
            for progress in running:
                _look(progress, logs)
            seen = time.monotonic()
        except Exception as error:
            refusal = of_aws(error)
            if refusal is None:
                raise
            if time.monotonic() - seen > PATIENCE:
                unseen = ", ".join(progress.name for progress in running)
                raise LostSight(
                    f"{unseen} cannot be followed any more: {refusal.found}", refusal.expected, refusal.mend
                ) from error
        on_look(followed)
        for progress in [job for job in running if job.ended]:
            time.sleep(poll)  # CloudWatch may have the last lines a little later
            _look(progress, logs)
            running.remove(progress)
            on_end(progress)
        if running:
            time.sleep(poll)
    return followed
