"""Writes the report's files, to a folder or to S3, and tells the topic of them last: what is announced is there."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from costs.book.prices import PriceBook
from costs.report import document, focus, html, text
from costs.report.report import Report
from shoestring.base.errors import UserError
from shoestring.base.names import COST_REPORTS
from shoestring.base.paths import write_atomically


def files(report: Report, book: PriceBook) -> dict[str, str]:
    """Every file by its name."""
    return {
        "report.json": json.dumps(document.of(report), indent=2) + "\n",
        "report.html": html.render(report),
        "focus.csv": focus.csv_of(report, book),
        "summary.txt": text.summary(report) + "\n",
    }


def prefix(report: Report) -> str:
    """Where the report lies in the bucket: `reports/cost/2026/2026-W47/`, for ever the same for the same days."""
    period = report.readings.period
    year = period.start.isocalendar()[0] if "W" in period.name else period.start.year
    return f"{COST_REPORTS}{year}/{period.name}/"


def to_folder(contents: Mapping[str, str], folder: Path) -> list[Path]:
    """Writes the files, each whole or not at all."""
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [folder / name for name in contents]


def to_bucket(report: Report, contents: Mapping[str, str], s3: Any, bucket: str) -> str:
    """Writes the files, the page last; returns its address. A second run writes over the first.

    Raises:
        UserError: the bucket is not there, or may not be written.
    """
    from botocore.exceptions import ClientError  # heavy, and there where AWS is asked

    where = prefix(report)
    for name in sorted(contents, key=lambda name: name == "report.html"):
        kind = mimetypes.types_map[Path(name).suffix]
        kind += "; charset=utf-8" if kind.startswith("text/") else ""
        try:
            s3.put_object(Bucket=bucket, Key=where + name, Body=contents[name].encode(), ContentType=kind)
        except ClientError as error:
            code, environment = error.response["Error"]["Code"], report.readings.scope.environment
            if code in ("NoSuchBucket", "404"):
                mend = f"pulumi up --stack {environment}"
                raise UserError(f"there is no bucket {bucket}", "the platform's state bucket", mend) from error
            if code in ("AccessDenied", "403"):
                raise UserError(
                    f"s3://{bucket}/{where}{name} may not be written",
                    f"s3:PutObject on arn:aws:s3:::{bucket}/{COST_REPORTS}*",
                    f"pulumi up --stack {environment}",
                ) from error
            raise UserError(f"s3://{bucket}/{where}{name}: {error}", "a bucket that takes it") from error
    return f"s3://{bucket}/{where}report.html"


def announce(report: Report, where: str, sns: Any, topic: str) -> None:
    """Sends the summary to the topic. Raises UserError where it may not, or where there is none."""
    from botocore.exceptions import ClientError  # heavy, and there where AWS is asked

    try:
        sns.publish(TopicArn=topic, Subject=text.subject(report), Message=text.summary(report, where))
    except ClientError as error:
        raise UserError(
            f"the report is at {where}, and {topic} was not told: {error.response['Error'].get('Message', error)}",
            "the topic of the environment's budget, and sns:Publish on it",
            f"pulumi up --stack {report.readings.scope.environment}",
        ) from error
