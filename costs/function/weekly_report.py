"""The Lambda function of the weekly report: makes it, writes it to S3, and tells the topic.

Reads REPORT_BUCKET, REPORT_PROJECT, REPORT_ENVIRONMENT, REPORT_TOPIC_ARN, REPORT_BUDGET_NAME, REPORT_MONITOR_ARN,
MONTHLY_LIMIT_USD;
REPORT_FUNCTION names the inference function where it is not `shoestring-<environment>-inference`. An event may carry
`{"week": "2026-W47"}` or `{"since": "2026-11-01", "until": "2026-11-15"}`; without, it is the last whole week, and on
the local cloud the running one. A trouble is logged in its three
parts and raised, so that Lambda counts a failed run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from costs.book.prices import PriceBook
from costs.report import publish
from costs.report.account import Subject
from costs.report.explorer import Scope
from costs.report.gather import gather
from costs.report.periods import chosen
from shoestring.base import aws, names
from shoestring.base.errors import UserError


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise UserError(f"the variable {name} is not set", "the function as the platform makes it", "pulumi up")
    return value


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point. Gives the figures that matter and where the report lies."""
    try:
        return _report(event if isinstance(event, Mapping) else {})
    except UserError as error:
        print(json.dumps({"event": "no report", "found": error.found, "expected": error.expected, "mend": error.mend}))
        raise


def _report(event: Mapping[str, Any]) -> dict[str, Any]:
    environment, bucket = _needed("REPORT_ENVIRONMENT"), _needed("REPORT_BUCKET")
    subject = Subject(
        scope=Scope(_needed("REPORT_PROJECT"), environment),
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        function=os.environ.get("REPORT_FUNCTION") or names.resource(environment, names.INFERENCE),
        budget=os.environ.get("REPORT_BUDGET_NAME", ""),
        monthly_usd=os.environ.get("MONTHLY_LIMIT_USD", ""),
        bucket=bucket,
        monitor=os.environ.get("REPORT_MONITOR_ARN", ""),
    )
    now, book = datetime.now(UTC), PriceBook.load()
    words = {key: str(event.get(key) or "") for key in ("week", "since", "until")}
    period = chosen(now.date(), words["week"], words["since"], words["until"], running=environment == "local")
    report = gather(aws.client, subject, period, book, now)
    where = publish.to_bucket(report, publish.files(report, book), aws.client("s3"), bucket)
    if topic := os.environ.get("REPORT_TOPIC_ARN"):
        publish.announce(report, where, aws.client("sns"), topic)
    facts = {"period": period.name, "usd": str(report.usd), "report": where, "requests": report.readings.requests}
    print(json.dumps({"event": "report", **facts}))
    return facts
