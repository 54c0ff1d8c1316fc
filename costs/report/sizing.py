"""Whether a function, a machine or a job is larger than what it was measured to need. Pure, and in decimals.

The thresholds, and why:
- A function needs 100 calls before its peak is believed; it gets half as much memory again as its peak (a larger
  request, a larger model), in steps of 64 MB. Less memory is less processor, so a function that computes gets slower in
  proportion: the saving is from nothing (it only computes) to all of the difference (it only waits), and no size is
  proposed at which the slowest call, slowed so, would take more than half of the timeout.
- A machine needs 24 hours of measurements, so that a day's peak is among them; processor and memory get 30 % head room.
  Memory is not measured by EC2 itself: where the CloudWatch agent does not report it, no type with less is proposed.
- A job needs five measurements (SageMaker takes one a minute); the same head room. A GPU that was never used above 5 %
  is not needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from costs.amounts import NOTHING, Range
from costs.book.price import HOURS_A_MONTH, LAMBDA_COMPUTE, SECONDS_AN_HOUR, Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.report.advice import DAYS_A_MONTH, WORTH, Advice
from costs.report.analysis import dollars
from costs.report.shapes import Shape, shape

ZERO, HUNDRED = Decimal(0), Decimal(100)
CALLS, HOURS, POINTS = 100, 24, 5  # what has to be seen of a function, a machine, a job
MEMORY_ROOM, ROOM = Decimal("1.5"), Decimal("1.3")
FULL = Decimal("0.9")  # of its memory: a function above is about to be killed
STEP, LEAST = 64, 128  # MB
IDLE_GPU = Decimal(5)  # percent


@dataclass(frozen=True)
class FunctionUse:
    """What a function's REPORT lines say of `days` days. `setting` is the line that changes its memory, with {size}."""

    name: str
    architecture: str
    memory_mb: int
    timeout_seconds: int
    calls: int
    peak_mb: Decimal
    billed_ms: Decimal
    slowest_ms: Decimal
    days: int
    setting: str
    source: str
    cold_starts: int = 0


@dataclass(frozen=True)
class MachineUse:
    """What CloudWatch measured of a virtual machine: percent of all its processors, of its memory (None: not measured),
    and the fewest CPU credits that it had left (None: it has none)."""

    name: str
    type: str
    spot: bool
    hours: int
    peak_cpu: Decimal
    mean_cpu: Decimal
    peak_memory: Decimal | None
    least_credits: Decimal | None
    setting: str
    source: str


@dataclass(frozen=True)
class JobUse:
    """What SageMaker measured of a model's finished jobs: percent of one processor (400 are four), of memory, of GPUs.

    `billed_seconds` times instances is what `days` days billed.
    """

    model: str
    type: str
    points: int
    peak_cpu: Decimal | None
    peak_memory: Decimal | None
    peak_gpu: Decimal | None
    billed_seconds: int
    days: int
    setting: str
    source: str


@dataclass(frozen=True)
class Finding:
    """What was measured and what follows: `verdict` is smaller, larger, fits, unknown (too little was seen)."""

    kind: str
    name: str
    now: str
    verdict: str
    measured: str
    source: str
    advice: Advice | None = None


def _unknown(kind: str, name: str, now: str, seen: str, wanted: str, source: str) -> Finding:
    return Finding(kind, name, now, "unknown", f"{seen} seen, {wanted} wanted before anything is recommended", source)


def memory_for(peak_mb: Decimal) -> int:
    """What a function with this peak gets: half as much again, in steps, and never less than Lambda's least."""
    steps = (peak_mb * MEMORY_ROOM / STEP).to_integral_value(ROUND_CEILING)
    return max(LEAST, int(steps) * STEP)


def function(use: FunctionUse, region: str, book: PriceBook) -> Finding:
    """Whether a function has too much memory, or nearly too little."""
    now = f"{use.memory_mb} MB"
    if use.calls < CALLS:
        return _unknown("function", use.name, now, f"{use.calls} calls", f"{CALLS}", use.source)
    if not use.peak_mb:  # as emulated functions say it; a real one uses some
        said = f"{use.calls:,} calls seen, whose REPORT lines give no memory (0 MB): nothing is recommended"
        return Finding("function", use.name, now, "unknown", said, use.source)
    seen = f"peak {use.peak_mb} of {use.memory_mb} MB over {use.calls:,} calls, slowest {use.slowest_ms} ms"
    wanted = memory_for(use.peak_mb)
    if use.peak_mb > FULL * use.memory_mb and wanted > use.memory_mb:
        why = f"{seen}: a little more, and Lambda ends the call"
        advice = Advice(f"Give {use.name} {wanted} MB", why, NOTHING, use.setting.format(size=wanted), use.source)
        return Finding("function", use.name, now, "larger", seen, use.source, advice)
    slowed = use.slowest_ms * use.memory_mb / wanted
    fits = Finding("function", use.name, now, "fits", seen, use.source)
    if wanted >= use.memory_mb or slowed > Decimal(use.timeout_seconds) * 1000 / 2:
        return fits
    try:
        price = book.price("lambda", LAMBDA_COMPUTE[use.architecture], region)
    except (UnknownPrice, KeyError) as error:
        return Finding("function", use.name, now, "unknown", f"{seen}; {error}", use.source)
    gb_seconds = use.billed_ms / 1000 * (use.memory_mb - wanted) / 1024
    saves = Range(ZERO, gb_seconds * price.usd / use.days * DAYS_A_MONTH)
    if saves.high < WORTH:
        return fits
    why = f"{seen}; computing gets slower in proportion, up to {slowed.quantize(Decimal(1))} ms"
    source = f"{use.source}; list price of {price.as_of}"
    advice = Advice(f"Give {use.name} {wanted} MB", why, saves, use.setting.format(size=wanted), source)
    return Finding("function", use.name, now, "smaller", seen, use.source, advice)


def _cheapest(
    service: str, now: Price, region: str, book: PriceBook, fits: Callable[[Shape], bool]
) -> tuple[Price, Shape] | None:
    """The cheapest type that fits and costs less than now, by price and name."""
    found = []
    for item in book.items(service, region):
        made, price = shape(item), book.price(service, item, region)
        if made and price.usd < now.usd and fits(made):
            found.append((price.usd, item, price, made))
    if not found:
        return None
    _, _, price, made = min(found, key=lambda each: each[:2])
    return price, made


def machine(use: MachineUse, region: str, book: PriceBook) -> Finding:
    """Whether a virtual machine is larger than it needs, or has run out of credits."""
    if use.hours < HOURS:
        return _unknown("machine", use.name, use.type, f"{use.hours} hours", f"{HOURS}", use.source)
    memory = "memory is not measured" if use.peak_memory is None else f"memory at most {use.peak_memory} %"
    seen = f"processor at most {use.peak_cpu} %, {use.mean_cpu} % in the mean, {memory}, over {use.hours} hours"
    own = shape(use.type)
    try:
        price = book.price("ec2", use.type, region)
    except UnknownPrice as error:
        return Finding("machine", use.name, use.type, "unknown", f"{seen}; {error}", use.source)
    if own is None:
        said = f"{seen}; the make of {use.type} is not in the table of types"
        return Finding("machine", use.name, use.type, "unknown", said, use.source)
    if use.least_credits is not None and use.least_credits < 1:
        return _larger(use, own, seen, region, book)
    cpus = use.peak_cpu / HUNDRED * own.cpus * ROOM
    mean = use.mean_cpu / HUNDRED * own.cpus * ROOM
    gib = own.memory_gib if use.peak_memory is None else use.peak_memory / HUNDRED * own.memory_gib * ROOM

    def fits(other: Shape) -> bool:
        same = other.arm == own.arm and (other.gpus >= own.gpus and other.family == own.family if own.gpus else True)
        enough = other.cpus >= cpus and other.cpus * other.baseline >= mean and other.memory_gib >= gib
        return same and enough and (own.gpus > 0 or other.gpus == 0)

    better = _cheapest("ec2", price, region, book, fits)
    source = f"{use.source}; list price of {price.as_of}, on demand"
    if better is None or (price.usd - better[0].usd) * HOURS_A_MONTH < WORTH:
        return Finding("machine", use.name, use.type, "fits", seen, use.source)
    saves = (price.usd - better[0].usd) * HOURS_A_MONTH
    range_ = Range.of(ZERO, saves) if use.spot else Range.of(saves)  # on spot, its price is not the list's
    what, how = f"Run {use.name} on {better[0].item}", use.setting.format(size=better[0].item)
    return Finding("machine", use.name, use.type, "smaller", seen, use.source, Advice(what, seen, range_, how, source))


def _larger(use: MachineUse, own: Shape, seen: str, region: str, book: PriceBook) -> Finding:
    """A burstable machine that has no credits left runs at its baseline, or pays for more."""
    mean = use.mean_cpu / HUNDRED * own.cpus * ROOM
    fitting = [
        (book.price("ec2", item, region), item)
        for item in book.items("ec2", region)
        if (made := shape(item))
        and made.arm == own.arm
        and made.memory_gib >= own.memory_gib
        and made.gpus == own.gpus
        and made.cpus * made.baseline >= max(mean, own.cpus * own.baseline * ROOM)
    ]
    said = f"{seen}; its CPU credits ran out"
    if not fitting:
        return Finding("machine", use.name, use.type, "larger", said, use.source)
    price, item = min(fitting, key=lambda pair: (pair[0].usd, pair[1]))
    what, how = f"Run {use.name} on {item} ({dollars(price.usd)} an hour)", use.setting.format(size=item)
    advice = Advice(what, said, NOTHING, how, f"{use.source}; list price of {price.as_of}")
    return Finding("machine", use.name, use.type, "larger", said, use.source, advice)


def job(use: JobUse, region: str, book: PriceBook) -> Finding:
    """Whether a model's jobs ran on more than they used."""
    if use.points < POINTS or use.peak_cpu is None or use.peak_memory is None:
        seen = f"{use.points} measurements of processor and memory"
        return _unknown("job", use.model, use.type, seen, f"{POINTS}", use.source)
    gpu = "" if use.peak_gpu is None else f", GPU at most {use.peak_gpu} %"
    seen = (
        f"processor at most {use.peak_cpu} % of one, memory at most {use.peak_memory} %{gpu}, {use.points} measurements"
    )
    own = shape(use.type)
    try:
        price = book.price("sagemaker-training", use.type, region)
    except UnknownPrice as error:
        return Finding("job", use.model, use.type, "unknown", f"{seen}; {error}", use.source)
    if own is None:
        said = f"{seen}; the make of {use.type} is not in the table of types"
        return Finding("job", use.model, use.type, "unknown", said, use.source)
    if own.gpus and use.peak_gpu is None:
        return _unknown("job", use.model, use.type, "0 measurements of its GPU", f"{POINTS}", use.source)
    needs_gpu = own.gpus > 0 and (use.peak_gpu or ZERO) > IDLE_GPU * own.gpus
    cpus, gib = use.peak_cpu / HUNDRED * ROOM, use.peak_memory / HUNDRED * own.memory_gib * ROOM

    def fits(other: Shape) -> bool:
        enough = other.cpus * other.baseline >= cpus and other.memory_gib >= gib and other.arm == own.arm
        return enough and (other.family == own.family and other.gpus >= own.gpus if needs_gpu else other.gpus == 0)

    better = _cheapest("sagemaker-training", price, region, book, fits)
    month = Decimal(use.billed_seconds) / SECONDS_AN_HOUR / use.days * DAYS_A_MONTH
    saves = (price.usd - better[0].usd) * month if better else ZERO
    if better is None or saves < WORTH:
        return Finding("job", use.model, use.type, "fits", seen, use.source)
    source = f"{use.source}; billed hours of {use.days} days as a month, at list price of {price.as_of}"
    what, how = f"Train {use.model} on {better[0].item}", use.setting.format(size=better[0].item)
    return Finding("job", use.model, use.type, "smaller", seen, use.source,
                   Advice(what, seen, Range.of(saves), how, source))  # fmt: skip
