"""Logs, alarms, reports."""

from __future__ import annotations

from costs.amounts import Range
from costs.book.price import HOURS_A_MONTH
from costs.plan.rules.base import UNKNOWN, Pricing, number

LOGS = {"STANDARD": "logs-ingestion", "INFREQUENT_ACCESS": "logs-ingestion-infrequent-access"}
HOURS_A_WEEK = 168
REPORT_REQUESTS = 5  # to Cost Explorer, by each weekly report at the most; a test counts them
BAND = "ANOMALY_DETECTION_BAND"
METRICS = 12  # of one alarm, as CloudWatch allows, and two bounds
FAST = 60  # seconds: an alarm of a shorter period is one of high resolution


def log_group(p: Pricing) -> None:
    """A log group: what is written to it, and what is kept."""
    kind = p.get("logGroupClass", "STANDARD")
    items = [LOGS.get(kind, f"logs-ingestion-{kind.lower()}")] if isinstance(kind, str) else list(LOGS.values())
    p.traffic("logs written", "logs", "ingested_gb", "cloudwatch", *items)
    p.traffic("logs kept", "logs", "stored_gb", "cloudwatch", "logs-storage")
    if p.get("retentionInDays") is None:
        p.note("kept for ever")


def alarm(p: Pricing) -> None:
    """An alarm: for each of its metrics, and for the two bounds of a band; more where it looks more often than each
    minute."""
    queries = p.items("metricQueries")
    expressions = [p.get("expression", "", query) for query in queries]
    measured = [query for query in queries if p.get("metric", None, query) is not None]
    periods = [p.get("metric.period", 60, query) for query in measured] or [p.get("period", 60)]
    known = [number(period) for period in periods]
    if any(period is not None and period < FAST for period in known):
        kinds = ["alarm-high-resolution"]
    else:
        kinds = ["alarm"] if None not in known else ["alarm", "alarm-high-resolution"]
    metrics = Range.of(max(len(measured), 1) + (2 if any(BAND in str(expression) for expression in expressions) else 0))
    if p.get("metricQueries") is UNKNOWN or UNKNOWN in queries or UNKNOWN in expressions:
        p.note("its metrics are unknown")
        metrics, kinds = Range.of(1, METRICS), ["alarm", "alarm-high-resolution"]
    if any(str(expression).lstrip().upper().startswith("SELECT") for expression in expressions):
        p.at_least("a query of Metrics Insights is billed for each metric that it looks at")
    p.any_of("alarm", metrics, "cloudwatch", kinds)


def weekly_report(p: Pricing) -> None:
    """Shoestring's own report: what it asks Cost Explorer each week, which no resource of its plan shows."""
    p.add("requests to Cost Explorer", REPORT_REQUESTS * HOURS_A_MONTH / HOURS_A_WEEK, "costexplorer", "request")
    p.note(f"a report a week asks {REPORT_REQUESTS} times")


TABLE = {
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
    "shoestring:costs:CostReport": weekly_report,
}
