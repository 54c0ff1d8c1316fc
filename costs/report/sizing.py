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
from functools import partial

from costs.amounts import NOTHING, Range, dollars
from costs.book.price import HOURS_A_MONTH, LAMBDA_COMPUTE, SECONDS_AN_HOUR, Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.book.shapes import Shape, shape
from costs.report.advice import DAYS_A_MONTH, WORTH, Advice

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
class Sizing:
    """What was measured and what follows: `verdict` is smaller, larger, fits, unknown (too little was seen)."""

    kind: str
    name: str
    now: str
    source: str
    verdict: str
    measured: str
    advice: Advice | None = None


def _too_little(seen: str, wanted: int) -> str:
    return f"{seen} seen, {wanted} wanted before anything is recommended"


def memory_for(peak_mb: Decimal) -> int:
    """What a function with this peak gets: half as much again, in steps, and never less than Lambda's least."""
    steps = (peak_mb * MEMORY_ROOM / STEP).to_integral_value(ROUND_CEILING)
    return max(LEAST, int(steps) * STEP)


def function(use: FunctionUse, region: str, book: PriceBook) -> Sizing:
    """Whether a function has too much memory, or nearly too little."""
    judge = partial(Sizing, "function", use.name, f"{use.memory_mb} MB", use.source)
    if use.calls < CALLS:
        return judge("unknown", _too_little(f"{use.calls} calls", CALLS))
    if not use.peak_mb:  # as emulated functions say it; a real one uses some
        seen = f"{use.calls:,} calls seen, whose REPORT lines give no memory (0 MB): nothing is recommended"
        return judge("unknown", seen)
    seen = f"peak {use.peak_mb} of {use.memory_mb} MB over {use.calls:,} calls, slowest {use.slowest_ms} ms"
    wanted = memory_for(use.peak_mb)
    what, how = f"Give {use.name} {wanted} MB", use.setting.format(size=wanted)
    if use.peak_mb > FULL * use.memory_mb and wanted > use.memory_mb:
        why = f"{seen}: a little more, and Lambda ends the call"
        return judge("larger", seen, Advice(what, why, NOTHING, how, use.source))
    slowed = use.slowest_ms * use.memory_mb / wanted
    if wanted >= use.memory_mb or slowed > Decimal(use.timeout_seconds) * 1000 / 2:
        return judge("fits", seen)
    try:
        price = book.price("lambda", LAMBDA_COMPUTE[use.architecture], region)
    except (UnknownPrice, KeyError) as error:
        return judge("unknown", f"{seen}; {error}")
    gb_seconds = use.billed_ms / 1000 * (use.memory_mb - wanted) / 1024
    saves = Range(ZERO, gb_seconds * price.usd / use.days * DAYS_A_MONTH)
    if saves.high < WORTH:
        return judge("fits", seen)
    why = f"{seen}; computing gets slower in proportion, up to {slowed.quantize(Decimal(1))} ms"
    return judge("smaller", seen, Advice(what, why, saves, how, f"{use.source}; list price of {price.as_of}"))


def _cheapest(like: Price, book: PriceBook, fits: Callable[[Price, Shape], bool]) -> Price | None:
    """The cheapest type that is sold where `like` is, of those that fit and whose make is known."""
    prices = (book.price(like.service, item, like.region) for item in book.items(like.service, like.region))
    fitting = (price for price in prices if (make := shape(price.item)) and fits(price, make))
    return min(fitting, key=lambda price: (price.usd, price.item), default=None)


def _cheaper(
    price: Price, own: Shape, book: PriceBook, cpus: Decimal, mean: Decimal, gib: Decimal, needs_gpu: bool
) -> Price | None:
    """The cheapest type below `price` that has enough: `cpus` at the peak, `mean` of them for good, and `gib`."""

    def fits(other: Price, make: Shape) -> bool:
        enough = make.cpus >= cpus and make.cpus * make.baseline >= mean and make.memory_gib >= gib
        gpus = make.family == own.family and make.gpus >= own.gpus if needs_gpu else make.gpus == 0
        return enough and gpus and make.arm == own.arm and other.usd < price.usd

    return _cheapest(price, book, fits)


def _type(service: str, item: str, region: str, book: PriceBook) -> tuple[Price, Shape]:
    """The price and the make of a type; raises LookupError where either is unknown."""
    price = book.price(service, item, region)
    if make := shape(item):
        return price, make
    raise LookupError(f"the make of {item} is not in the table of types")


def machine(use: MachineUse, region: str, book: PriceBook) -> Sizing:
    """Whether a virtual machine is larger than it needs, or has run out of credits."""
    judge = partial(Sizing, "machine", use.name, use.type, use.source)
    if use.hours < HOURS:
        return judge("unknown", _too_little(f"{use.hours} hours", HOURS))
    memory = "memory is not measured" if use.peak_memory is None else f"memory at most {use.peak_memory} %"
    seen = f"processor at most {use.peak_cpu} %, {use.mean_cpu} % in the mean, {memory}, over {use.hours} hours"
    try:
        price, own = _type("ec2", use.type, region, book)
    except LookupError as error:
        return judge("unknown", f"{seen}; {error}")
    if use.least_credits is not None and use.least_credits < 1:
        return _larger(judge, use, price, own, seen, book)
    cpus = use.peak_cpu / HUNDRED * own.cpus * ROOM
    mean = use.mean_cpu / HUNDRED * own.cpus * ROOM
    gib = own.memory_gib if use.peak_memory is None else use.peak_memory / HUNDRED * own.memory_gib * ROOM
    better = _cheaper(price, own, book, cpus, mean, gib, needs_gpu=own.gpus > 0)
    saves = (price.usd - better.usd) * HOURS_A_MONTH if better else ZERO
    range_ = Range.of(ZERO, saves) if use.spot else Range.of(saves)  # on spot, its price is not the list's
    source = f"{use.source}; list price of {price.as_of}, on demand"
    return _smaller(judge, seen, better, range_, f"Run {use.name}", use.setting, source)


def _smaller(
    judge: Callable[..., Sizing], seen: str, better: Price | None, saves: Range, what: str, setting: str, source: str
) -> Sizing:
    """Something that another type would do for, where that is worth it."""
    if better is None or saves.high < WORTH:
        return judge("fits", seen)
    return judge(
        "smaller", seen, Advice(f"{what} on {better.item}", seen, saves, setting.format(size=better.item), source)
    )


def _larger(
    judge: Callable[..., Sizing], use: MachineUse, now: Price, own: Shape, seen: str, book: PriceBook
) -> Sizing:
    """A burstable machine that has no credits left runs at its baseline, or pays for more."""
    mean = use.mean_cpu / HUNDRED * own.cpus * ROOM
    wanted = max(mean, own.cpus * own.baseline * ROOM)

    def fits(other: Price, make: Shape) -> bool:
        same = make.arm == own.arm and make.gpus == own.gpus
        return same and make.memory_gib >= own.memory_gib and make.cpus * make.baseline >= wanted

    price = _cheapest(now, book, fits)
    seen = f"{seen}; its CPU credits ran out"
    if price is None:
        return judge("larger", seen)
    what, how = f"Run {use.name} on {price.item} ({dollars(price.usd)} an hour)", use.setting.format(size=price.item)
    return judge("larger", seen, Advice(what, seen, NOTHING, how, f"{use.source}; list price of {price.as_of}"))


def job(use: JobUse, region: str, book: PriceBook) -> Sizing:
    """Whether a model's jobs ran on more than they used."""
    judge = partial(Sizing, "job", use.model, use.type, use.source)
    if use.points < POINTS or use.peak_cpu is None or use.peak_memory is None:
        return judge("unknown", _too_little(f"{use.points} measurements of processor and memory", POINTS))
    gpu = "" if use.peak_gpu is None else f", GPU at most {use.peak_gpu} %"
    seen = (
        f"processor at most {use.peak_cpu} % of one, memory at most {use.peak_memory} %{gpu}, {use.points} measurements"
    )
    try:
        price, own = _type("sagemaker-training", use.type, region, book)
    except LookupError as error:
        return judge("unknown", f"{seen}; {error}")
    if own.gpus and use.peak_gpu is None:
        return judge("unknown", _too_little("0 measurements of its GPU", POINTS))
    needs_gpu = own.gpus > 0 and (use.peak_gpu or ZERO) > IDLE_GPU * own.gpus
    cpus, gib = use.peak_cpu / HUNDRED * ROOM, use.peak_memory / HUNDRED * own.memory_gib * ROOM
    better = _cheaper(price, own, book, cpus, cpus, gib, needs_gpu)
    month = Decimal(use.billed_seconds) / SECONDS_AN_HOUR / use.days * DAYS_A_MONTH
    saves = Range.of((price.usd - better.usd) * month if better else ZERO)
    source = f"{use.source}; billed hours of {use.days} days as a month, at list price of {price.as_of}"
    return _smaller(judge, seen, better, saves, f"Train {use.model}", use.setting, source)
