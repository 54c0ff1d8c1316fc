"""What will be spent: the month so far, going on as it went."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from localcloud.aws.row import Json
from localcloud.meter.explorer import border, interval, overlap, periods, priced
from localcloud.meter.expressions import matcher
from localcloud.meter.rate import LineItem, decimal
from localcloud.protocol import ServiceError, invalid


def spent(lines: Sequence[LineItem], start: datetime, end: datetime) -> Decimal:
    """Dollars in a period."""
    first, last = start.timestamp(), end.timestamp()
    return sum(((line.cost or Decimal(0)) * overlap(line, first, last) for line in lines), Decimal(0))


def to_the_end(actual: Decimal, start: datetime, now: datetime, end: datetime) -> Decimal:
    """A period's total if the rest of it goes on as its part up to now: linear, with no regard to its days."""
    elapsed = decimal((now - start).total_seconds())
    return actual * decimal((end - start).total_seconds()) / elapsed if elapsed else actual


def cost_forecast(request: Json, lines: Sequence[LineItem], now: datetime) -> Json:
    """GetCostForecast: the mean of the month's days so far, for each day to come. Raises ServiceError."""
    granularity = request["Granularity"]
    start, end = interval(request["TimePeriod"], granularity)
    if start.date() > now.date():
        raise invalid("Start date of forecast must be no later than the current date.")
    if end <= now:
        raise invalid("End date of forecast must be in the future.")
    if request["Metric"] in ("USAGE_QUANTITY", "NORMALIZED_USAGE_AMOUNT"):
        raise invalid(f"The metric {request['Metric']} is not played by the local cloud's forecast.")
    fits = matcher(request.get("Filter"))
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    chosen = priced([line for line in lines if fits(line) and line.end >= month.timestamp()])
    actual = spent(chosen, month, now)
    if not actual:
        raise ServiceError("DataUnavailableException", "Insufficient amount of historical data to generate forecast.")
    rate = actual / decimal((now - month).total_seconds())
    days = [float(spent(chosen, first, last)) for first, last in periods(month, now, "DAILY")]
    level, results, total = request.get("PredictionIntervalLevel"), [], Decimal(0)
    for first, last in periods(max(start, now.replace(minute=0, second=0, microsecond=0)), end, granularity):
        seconds = decimal((last - max(first, now)).total_seconds())
        mean = rate * max(seconds, Decimal(0))
        total += mean
        whole = first if granularity == "HOURLY" else first.replace(hour=0)
        forecast = {"TimePeriod": {"Start": border(whole, granularity), "End": border(last, granularity)},
                 "MeanValue": format(mean, "f")}  # fmt: skip
        if level:
            spread = _spread(days, level, (last - first) / timedelta(days=1))
            forecast["PredictionIntervalLowerBound"] = format(max(Decimal(0), mean - spread), "f")
            forecast["PredictionIntervalUpperBound"] = format(mean + spread, "f")
        results.append(forecast)
    return {"Total": {"Amount": format(total, "f"), "Unit": "USD"}, "ForecastResultsByTime": results}


def _spread(days: list[float], level: int, length: float) -> Decimal:
    """Half the width of the interval that holds `level` percent, from how the days so far differ."""
    deviation = statistics.pstdev(days) if len(days) > 1 else 0.0
    return decimal(statistics.NormalDist().inv_cdf(0.5 + level / 200) * deviation * math.sqrt(length))
