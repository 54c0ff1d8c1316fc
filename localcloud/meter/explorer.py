"""GetCostAndUsage and what else Cost Explorer tells of line items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from localcloud.aws.row import Json
from localcloud.meter.expressions import dimension, grouper, matcher
from localcloud.meter.rate import LineItem, decimal
from localcloud.protocol import ServiceError, invalid
from localcloud.requests import offset, page

METRICS = ("AmortizedCost", "BlendedCost", "NetAmortizedCost", "NetUnblendedCost", "UnblendedCost", "UsageQuantity")
PAGE = 1000  # groups in an answer


def metrics(names: Sequence[str], shares: Sequence[tuple[LineItem, Decimal]]) -> Json:
    """Sums of shares of line items, as Cost Explorer shows them: quantities of different units have none."""
    units = {line.unit for line, _ in shares}
    cost = sum(((line.cost or Decimal(0)) * share for line, share in shares), Decimal(0))
    quantity = sum((line.quantity * share for line, share in shares), Decimal(0))
    used = {"Amount": format(quantity, "f"), "Unit": units.pop() if len(units) == 1 else "N/A"}
    spent = {"Amount": format(cost, "f"), "Unit": "USD"}
    return {name: used if name == "UsageQuantity" else spent for name in names}


def moment(text: str, granularity: str = "DAILY") -> datetime:
    """A period's border. Raises ServiceError unless it is a day, or a second for HOURLY."""
    try:
        if "T" in text:
            if granularity != "HOURLY":
                raise ValueError
            return datetime.fromisoformat(text).astimezone(UTC)
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        form = "yyyy-MM-dd'T'HH:mm:ss'Z'" if granularity == "HOURLY" else "yyyy-MM-dd"
        raise invalid(f"Time {text} is not in the format {form}.") from error


def interval(period: dict[str, str], granularity: str = "DAILY") -> tuple[datetime, datetime]:
    """Start and end (exclusive). Raises ServiceError unless the one is before the other."""
    start, end = moment(period["Start"], granularity), moment(period["End"], granularity)
    if start >= end:
        raise invalid("Start date (and hour) should be before end date (and hour).")
    return start, end


def periods(start: datetime, end: datetime, granularity: str) -> Iterator[tuple[datetime, datetime]]:
    """The hours, days or months (UTC) of an interval."""
    while start < end:
        if granularity == "MONTHLY":
            following = (start.replace(day=1, hour=0) + timedelta(days=32)).replace(day=1)
        else:
            following = start + (timedelta(hours=1) if granularity == "HOURLY" else timedelta(days=1))
        yield start, min(following, end)
        start = following


def border(at: datetime, granularity: str) -> str:
    """A border as Cost Explorer shows it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ" if granularity == "HOURLY" else "%Y-%m-%d")


def overlap(line: LineItem, start: float, end: float) -> Decimal:
    """The share of a line that lies in a period; a line of no length lies where it begins."""
    if line.end <= line.start:
        return Decimal(1) if start <= line.start < end else Decimal(0)
    seconds = min(line.end, end) - max(line.start, start)
    return decimal(seconds) / decimal(line.end - line.start) if seconds > 0 else Decimal(0)


def priced(lines: Sequence[LineItem]) -> Sequence[LineItem]:
    """The same lines. Raises ServiceError where one has no price: it is never counted as nothing."""
    problems = sorted({line.problem for line in lines if line.problem})
    if problems:
        raise ServiceError("DataUnavailableException", f"The bill cannot be made: {'; '.join(problems)}")
    return lines


def cost_and_usage(request: Json, lines: Sequence[LineItem], now: datetime) -> Json:
    """GetCostAndUsage. Raises ServiceError."""
    granularity = request["Granularity"]
    start, end = interval(request["TimePeriod"], granularity)
    if start > now:
        raise ServiceError("DataUnavailableException", "The requested data is unavailable: the period lies ahead.")
    if granularity == "HOURLY" and (now - start).days > 14:
        raise invalid("Hourly data is available for the last 14 days only.")
    names = request["Metrics"]
    if unknown := [name for name in names if name not in METRICS]:
        raise invalid(f"Unknown metric {', '.join(unknown)}; there are: {', '.join(METRICS)}")
    by = request.get("GroupBy", [])
    fits, keys = matcher(request.get("Filter")), grouper(by)
    whole = start.timestamp(), end.timestamp()
    chosen, results = [line for line in lines if fits(line) and overlap(line, *whole)], []
    if names != ["UsageQuantity"]:
        priced(chosen)
    for first, last in periods(start, end, granularity):
        groups = defaultdict[tuple[str, ...], list[tuple[LineItem, Decimal]]](list)
        for line in chosen:
            if share := overlap(line, first.timestamp(), last.timestamp()):
                groups[keys(line)].append((line, share))
        results.append({
            "TimePeriod": {"Start": border(first, granularity), "End": border(last, granularity)},
            "Total": {} if by else metrics(names, groups[()]),
            "Groups": [{"Keys": key, "Metrics": metrics(names, groups[key])} for key in sorted(groups) if by],
            "Estimated": last > datetime(now.year, now.month, 1, tzinfo=UTC),
        })  # fmt: skip
    return {
        **({"GroupDefinitions": by} if by else {}),
        **_page(results, request.get("NextPageToken")),
        "DimensionValueAttributes": [],
    }


def _page(results: list[Json], token: str | None) -> Json:
    """A page of results: as many periods as hold `PAGE` groups. Raises ServiceError for a token of nobody's."""
    start = offset(token, len(results))
    count, end = 0, start
    while end < len(results) and (end == start or count + len(results[end]["Groups"]) <= PAGE):
        count += max(1, len(results[end]["Groups"]))
        end += 1
    return {"ResultsByTime": results[start:end], **({"NextPageToken": str(end)} if end < len(results) else {})}


def _matching(request: Json, lines: Sequence[LineItem], read: Callable[[LineItem], Iterable[str]]) -> list[str]:
    """What the line items of a request's period and filter have, with its search string in it."""
    start, end = interval(request["TimePeriod"])
    fits, wanted = matcher(request.get("Filter")), request.get("SearchString", "").casefold()
    here = [line for line in lines if fits(line) and overlap(line, start.timestamp(), end.timestamp())]
    return sorted({name for line in here for name in read(line) if wanted in name.casefold()})


def dimension_values(request: Json, lines: Sequence[LineItem], now: datetime) -> Json:
    """GetDimensionValues. Raises ServiceError."""
    read = dimension(request["Dimension"])
    values = _matching(request, lines, lambda line: [read(line)])
    shown, following = page([{"Value": value, "Attributes": {}} for value in values], request, size=PAGE)
    return {"DimensionValues": shown, "ReturnSize": len(shown), "TotalSize": len(values), **following}


def tags(request: Json, lines: Sequence[LineItem], now: datetime) -> Json:
    """GetTags: the keys, or the values of one. Raises ServiceError."""
    key = request.get("TagKey")
    values = _matching(request, lines, lambda line: [line.tags.get(key, "")] if key else line.tags)
    shown, following = page(values, request, size=PAGE)
    return {"Tags": shown, "ReturnSize": len(shown), "TotalSize": len(values), **following}
