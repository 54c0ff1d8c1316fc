"""Cost anomaly monitors, their subscriptions, and a plain detection.

A day is an anomaly where what was spent on it lies more than three standard deviations above the mean of the up to 14
days before it, and is half as much again at least; as on AWS nothing is detected before there are ten such days. AWS
learns a model where this counts days; nobody is sent a message of it.
"""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.aws.row import ACCOUNT, REGION
from localcloud.meter.explorer import offset
from localcloud.meter.expressions import Test, matcher
from localcloud.meter.forecast import spent
from localcloud.meter.rate import LineItem
from localcloud.protocol import ServiceError, invalid

Found = dict[str, Any]
FEWEST, WINDOW = 10, 14  # days before a day that are looked at, at least and at most
CUSTOM_MONITORS = 500  # in an account at most, as on AWS
UPDATABLE = ("Threshold", "Frequency", "MonitorArnList", "Subscribers", "SubscriptionName", "ThresholdExpression")


def _arn(kind: str) -> str:
    return f"arn:aws:ce::{ACCOUNT}:{kind}/{uuid.uuid4()}"


def _page(found: list[Found], request: Found, name: str) -> Found:
    first = offset(request.get("NextPageToken"), max(1, len(found)))
    last = first + request.get("MaxResults", 100)
    return {name: found[first:last], **({"NextPageToken": str(last)} if last < len(found) else {})}


class Anomalies:
    """The operations on `kept`, which has `monitors`, `subscriptions` and `tags` by ARN."""

    def __init__(self, kept: Found) -> None:
        self.monitors: dict[str, Found] = kept.setdefault("monitors", {})
        self.subscriptions: dict[str, Found] = kept.setdefault("subscriptions", {})
        self.tags: dict[str, dict[str, str]] = kept.setdefault("tags", {})

    def _monitor(self, arn: str) -> Found:
        if arn not in self.monitors:
            raise ServiceError("UnknownMonitorException", f"Cannot find the monitor with ARN {arn}.")
        return self.monitors[arn]

    def _subscription(self, arn: str) -> Found:
        if arn not in self.subscriptions:
            raise ServiceError("UnknownSubscriptionException", f"Cannot find the subscription with ARN {arn}.")
        return self.subscriptions[arn]

    def _tag(self, arn: str, tags: list[dict[str, str]]) -> None:
        self.tags[arn] = {**self.tags.get(arn, {}), **{tag["Key"]: tag["Value"] for tag in tags}}

    def CreateAnomalyMonitor(self, request: Found) -> Found:
        given = request["AnomalyMonitor"]
        dimensional = given["MonitorType"] == "DIMENSIONAL"
        if dimensional == ("MonitorSpecification" in given) or dimensional != ("MonitorDimension" in given):
            raise invalid("A DIMENSIONAL monitor has a MonitorDimension, a CUSTOM one a MonitorSpecification.")
        if dimensional and given["MonitorDimension"] != "SERVICE":
            raise invalid(f"MonitorDimension {given['MonitorDimension']} is not played by the local cloud: SERVICE is.")
        matcher(given.get("MonitorSpecification"))
        same = [one for one in self.monitors.values() if one["MonitorType"] == given["MonitorType"]]
        if len(same) >= (1 if dimensional else CUSTOM_MONITORS):
            kind = "dimensional" if dimensional else "custom"
            raise ServiceError("LimitExceededException", f"Limit exceeded on {kind} spend monitor creation")
        arn, today = _arn("anomalymonitor"), datetime.now(UTC).strftime("%Y-%m-%d")
        self.monitors[arn] = {**given, "MonitorArn": arn, "CreationDate": today, "LastUpdatedDate": today}
        self._tag(arn, request.get("ResourceTags", []))
        return {"MonitorArn": arn}

    def GetAnomalyMonitors(self, request: Found) -> Found:
        wanted = request.get("MonitorArnList") or list(self.monitors)
        return _page([self._monitor(arn) for arn in wanted], request, "AnomalyMonitors")

    def UpdateAnomalyMonitor(self, request: Found) -> Found:
        monitor = self._monitor(request["MonitorArn"])
        monitor |= {"LastUpdatedDate": datetime.now(UTC).strftime("%Y-%m-%d")}
        monitor |= {"MonitorName": request["MonitorName"]} if "MonitorName" in request else {}
        return {"MonitorArn": request["MonitorArn"]}

    def DeleteAnomalyMonitor(self, request: Found) -> None:
        self._monitor(request["MonitorArn"])
        for found in (self.monitors, self.tags):
            found.pop(request["MonitorArn"], None)
        for subscription in self.subscriptions.values():
            kept = [arn for arn in subscription["MonitorArnList"] if arn != request["MonitorArn"]]
            subscription["MonitorArnList"] = kept

    def _check(self, given: Found) -> None:
        for arn in given["MonitorArnList"]:
            self._monitor(arn)
        if ("Threshold" in given) == ("ThresholdExpression" in given):
            raise invalid("Specify either Threshold or ThresholdExpression.")
        kinds = {subscriber["Type"] for subscriber in given["Subscribers"]}
        if given["Frequency"] == "IMMEDIATE" and kinds != {"SNS"}:
            raise invalid("A subscription of frequency IMMEDIATE has SNS subscribers only.")
        if given["Frequency"] != "IMMEDIATE" and "SNS" in kinds:
            raise invalid("SNS subscribers are for the frequency IMMEDIATE only.")

    def CreateAnomalySubscription(self, request: Found) -> Found:
        given = request["AnomalySubscription"]
        self._check(given)
        arn = _arn("anomalysubscription")
        self.subscriptions[arn] = {**given, "SubscriptionArn": arn, "AccountId": ACCOUNT}
        self._tag(arn, request.get("ResourceTags", []))
        return {"SubscriptionArn": arn}

    def GetAnomalySubscriptions(self, request: Found) -> Found:
        wanted = request.get("SubscriptionArnList") or list(self.subscriptions)
        found = [self._subscription(arn) for arn in wanted]
        if monitor := request.get("MonitorArn"):
            found = [one for one in found if monitor in one["MonitorArnList"]]
        return _page(found, request, "AnomalySubscriptions")

    def UpdateAnomalySubscription(self, request: Found) -> Found:
        subscription = self._subscription(request["SubscriptionArn"])
        changed = {**subscription, **{name: request[name] for name in UPDATABLE if name in request}}
        for given, other in (("Threshold", "ThresholdExpression"), ("ThresholdExpression", "Threshold")):
            if given in request and other not in request:
                changed.pop(other, None)
        self._check(changed)
        self.subscriptions[request["SubscriptionArn"]] = changed
        return {"SubscriptionArn": request["SubscriptionArn"]}

    def DeleteAnomalySubscription(self, request: Found) -> None:
        self._subscription(request["SubscriptionArn"])
        for found in (self.subscriptions, self.tags):
            found.pop(request["SubscriptionArn"], None)

    def _tagged(self, arn: str) -> str:
        if arn not in self.monitors and arn not in self.subscriptions:
            raise ServiceError("ResourceNotFoundException", f"No resource with ARN {arn}.")
        return arn

    def TagResource(self, request: Found) -> None:
        self._tag(self._tagged(request["ResourceArn"]), request["ResourceTags"])

    def UntagResource(self, request: Found) -> None:
        tags = self.tags.get(self._tagged(request["ResourceArn"]), {})
        for key in request["ResourceTagKeys"]:
            tags.pop(key, None)

    def ListTagsForResource(self, request: Found) -> Found:
        tags = self.tags.get(self._tagged(request["ResourceArn"]), {})
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def anomalies(self, request: Found, lines: Sequence[LineItem], now: datetime) -> Found:
        """GetAnomalies. Raises ServiceError."""
        if arn := request.get("MonitorArn"):
            self._monitor(arn)
        wanted = request["DateInterval"]
        first = datetime.strptime(wanted["StartDate"], "%Y-%m-%d").replace(tzinfo=UTC)
        end = wanted.get("EndDate")
        last = datetime.strptime(end, "%Y-%m-%d").replace(tzinfo=UTC) if end else now
        found = []
        for arn, monitor in self.monitors.items():
            if request.get("MonitorArn", arn) != arn:
                continue
            for value, fits in _watched(monitor, lines):
                mine, day = [line for line in lines if fits(line)], first
                while mine and day <= min(last, now):
                    found += _anomaly(arn, value, mine, day)
                    day += timedelta(days=1)
        if impact := request.get("TotalImpact"):
            found = [one for one in found if one["Impact"]["TotalImpact"] >= impact["StartValue"]]
        return _page(found, request, "Anomalies")


def _watched(monitor: Found, lines: Sequence[LineItem]) -> list[tuple[str, Test]]:
    """What a monitor looks at: each service by itself, or what its filter lets through as a whole."""
    if monitor["MonitorType"] == "CUSTOM":
        return [(monitor["MonitorName"], matcher(monitor["MonitorSpecification"]))]
    services = sorted({line.service for line in lines})
    return [(name, matcher({"Dimensions": {"Key": "SERVICE", "Values": [name]}})) for name in services]


def _anomaly(arn: str, value: str, lines: Sequence[LineItem], day: datetime) -> list[Found]:
    """The anomaly of a day, if it is one."""
    begin = datetime.fromtimestamp(min(line.start for line in lines), UTC)
    days = min(WINDOW, (day - begin.replace(hour=0, minute=0, second=0, microsecond=0)).days)
    if days < FEWEST:
        return []
    one = timedelta(days=1)
    before = [float(spent(lines, day - one * back, day - one * (back - 1))) for back in range(1, days + 1)]
    actual, expected = float(spent(lines, day, day + one)), statistics.fmean(before)
    deviation = statistics.pstdev(before)
    if actual <= expected + 3 * deviation or actual < 1.5 * expected or actual == 0:
        return []
    text, excess = day.strftime("%Y-%m-%d"), actual - expected
    there = [line for line in lines if line.start < (day + one).timestamp() and line.end >= day.timestamp()]
    largest = max(there, key=lambda line: line.cost or 0)
    score = min(1.0, excess / actual)
    cause = {"Service": largest.service, "Region": REGION, "LinkedAccount": ACCOUNT, "UsageType": largest.usage_type}
    impact = {"MaxImpact": excess, "TotalImpact": excess, "TotalActualSpend": actual, "TotalExpectedSpend": expected}
    if expected:
        impact["TotalImpactPercentage"] = round(excess / expected * 100, 2)
    return [{
        "AnomalyId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn} {value} {text}")),
        "AnomalyStartDate": text, "AnomalyEndDate": text, "DimensionValue": value, "MonitorArn": arn,
        "RootCauses": [cause], "AnomalyScore": {"MaxScore": score, "CurrentScore": score}, "Impact": impact,
    }]  # fmt: skip
