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
from itertools import pairwise

from localcloud import ACCOUNT, REGION
from localcloud.aws.row import Json, as_list, as_object
from localcloud.meter.explorer import moment, periods
from localcloud.meter.expressions import Test, matcher
from localcloud.meter.forecast import spent
from localcloud.meter.rate import LineItem
from localcloud.protocol import ServiceError, invalid
from localcloud.requests import page

FEWEST, WINDOW = 10, 14  # days before a day that are looked at, at least and at most
CUSTOM_MONITORS = 500  # in an account at most, as on AWS


class Anomalies:
    """The operations on `kept`, which has `monitors`, `subscriptions` and `tags` by ARN."""

    def __init__(self, kept: Json) -> None:
        self.monitors: dict[str, Json] = kept.setdefault("monitors", {})
        self.subscriptions: dict[str, Json] = kept.setdefault("subscriptions", {})
        self.tags: dict[str, dict[str, str]] = kept.setdefault("tags", {})
        self.by_kind = {"Monitor": self.monitors, "Subscription": self.subscriptions}

    def _get(self, kind: str, arn: str) -> Json:
        if arn not in self.by_kind[kind]:
            raise ServiceError(f"Unknown{kind}Exception", f"Cannot find the {kind.lower()} with ARN {arn}.")
        return self.by_kind[kind][arn]

    def _asked(self, kind: str, request: Json) -> list[Json]:
        return [self._get(kind, arn) for arn in request.get(f"{kind}ArnList") or self.by_kind[kind]]

    def _add(self, kind: str, item: Json, request: Json) -> Json:
        """Keeps what is made, with the tags of its request; the answer names its ARN."""
        arn = f"arn:aws:ce::{ACCOUNT}:anomaly{kind.lower()}/{uuid.uuid4()}"
        self.by_kind[kind][arn] = {**item, f"{kind}Arn": arn}
        self.tags[arn] = as_object(request.get("ResourceTags"))
        return {f"{kind}Arn": arn}

    def _delete(self, kind: str, arn: str) -> None:
        self._get(kind, arn)
        del self.by_kind[kind][arn], self.tags[arn]

    def CreateAnomalyMonitor(self, request: Json) -> Json:
        monitor = request["AnomalyMonitor"]
        dimensional = monitor["MonitorType"] == "DIMENSIONAL"
        if dimensional == ("MonitorSpecification" in monitor) or dimensional != ("MonitorDimension" in monitor):
            raise invalid("A DIMENSIONAL monitor has a MonitorDimension, a CUSTOM one a MonitorSpecification.")
        if dimensional and monitor["MonitorDimension"] != "SERVICE":
            raise invalid(
                f"MonitorDimension {monitor['MonitorDimension']} is not played by the local cloud: SERVICE is."
            )
        matcher(monitor.get("MonitorSpecification"))
        same = [kept for kept in self.monitors.values() if kept["MonitorType"] == monitor["MonitorType"]]
        if len(same) >= (1 if dimensional else CUSTOM_MONITORS):
            kind = "dimensional" if dimensional else "custom"
            # As AWS answers for dimensional monitors; the model's LimitExceededException is not what comes.
            raise invalid(f"Limit exceeded on {kind} spend monitor creation")
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        return self._add("Monitor", {**monitor, "CreationDate": today, "LastUpdatedDate": today}, request)

    def GetAnomalyMonitors(self, request: Json) -> Json:
        monitors, following = page(self._asked("Monitor", request), request)
        return {"AnomalyMonitors": monitors, **following}

    def UpdateAnomalyMonitor(self, request: Json) -> Json:
        monitor = self._get("Monitor", request["MonitorArn"])
        monitor |= {"LastUpdatedDate": datetime.now(UTC).strftime("%Y-%m-%d"), **request}
        return {"MonitorArn": request["MonitorArn"]}

    def DeleteAnomalyMonitor(self, request: Json) -> None:
        arn = request["MonitorArn"]
        self._delete("Monitor", arn)
        for subscription in self.subscriptions.values():
            subscription["MonitorArnList"] = [kept for kept in subscription["MonitorArnList"] if kept != arn]

    def _check(self, subscription: Json) -> None:
        for arn in subscription["MonitorArnList"]:
            self._get("Monitor", arn)
        if ("Threshold" in subscription) == ("ThresholdExpression" in subscription):
            raise invalid("Specify either Threshold or ThresholdExpression.")
        kinds = {subscriber["Type"] for subscriber in subscription["Subscribers"]}
        if subscription["Frequency"] == "IMMEDIATE" and kinds != {"SNS"}:
            raise invalid("A subscription of frequency IMMEDIATE has SNS subscribers only.")
        if subscription["Frequency"] != "IMMEDIATE" and "SNS" in kinds:
            raise invalid("SNS subscribers are for the frequency IMMEDIATE only.")

    def CreateAnomalySubscription(self, request: Json) -> Json:
        subscription = request["AnomalySubscription"]
        self._check(subscription)
        return self._add("Subscription", {**subscription, "AccountId": ACCOUNT}, request)

    def GetAnomalySubscriptions(self, request: Json) -> Json:
        subscriptions = self._asked("Subscription", request)
        if monitor := request.get("MonitorArn"):
            subscriptions = [item for item in subscriptions if monitor in item["MonitorArnList"]]
        shown, following = page(subscriptions, request)
        return {"AnomalySubscriptions": shown, **following}

    def UpdateAnomalySubscription(self, request: Json) -> Json:
        changed = {**self._get("Subscription", request["SubscriptionArn"]), **request}
        for threshold, other in (("Threshold", "ThresholdExpression"), ("ThresholdExpression", "Threshold")):
            if threshold in request and other not in request:
                changed.pop(other, None)
        self._check(changed)
        self.subscriptions[request["SubscriptionArn"]] = changed
        return {"SubscriptionArn": request["SubscriptionArn"]}

    def DeleteAnomalySubscription(self, request: Json) -> None:
        self._delete("Subscription", request["SubscriptionArn"])

    def _tags(self, request: Json) -> dict[str, str]:
        arn = request["ResourceArn"]
        if arn not in self.tags:
            raise ServiceError("ResourceNotFoundException", f"No resource with ARN {arn}.")
        return self.tags[arn]

    def TagResource(self, request: Json) -> None:
        self._tags(request).update(as_object(request["ResourceTags"]))

    def UntagResource(self, request: Json) -> None:
        tags = self._tags(request)
        for key in request["ResourceTagKeys"]:
            tags.pop(key, None)

    def ListTagsForResource(self, request: Json) -> Json:
        return {"ResourceTags": as_list(self._tags(request))}

    def detect(self, request: Json, lines: Sequence[LineItem], now: datetime) -> Json:
        """GetAnomalies. Raises ServiceError."""
        wanted, arn = request["DateInterval"], request.get("MonitorArn")
        last = min(now, moment(wanted["EndDate"]) + timedelta(days=1)) if "EndDate" in wanted else now
        anomalies: list[Json] = []
        for monitor in [self._get("Monitor", arn)] if arn else self.monitors.values():
            for value, fits in _watched(monitor, lines):
                watched = [line for line in lines if fits(line)]
                for day, _ in periods(moment(wanted["StartDate"]), last, "DAILY") if watched else ():
                    anomalies += _anomaly(monitor["MonitorArn"], value, watched, day)
        if impact := request.get("TotalImpact"):
            anomalies = [item for item in anomalies if item["Impact"]["TotalImpact"] >= impact["StartValue"]]
        shown, following = page(anomalies, request)
        return {"Anomalies": shown, **following}


def _watched(monitor: Json, lines: Sequence[LineItem]) -> list[tuple[str, Test]]:
    """What a monitor looks at: each service by itself, or what its filter lets through as a whole."""
    if monitor["MonitorType"] == "CUSTOM":
        return [(monitor["MonitorName"], matcher(monitor["MonitorSpecification"]))]
    services = sorted({line.service for line in lines})
    return [(name, matcher({"Dimensions": {"Key": "SERVICE", "Values": [name]}})) for name in services]


def _anomaly(arn: str, value: str, lines: Sequence[LineItem], day: datetime) -> list[Json]:
    """The anomaly of a day, if it is one."""
    begin = datetime.fromtimestamp(min(line.start for line in lines), UTC)
    days = min(WINDOW, (day - begin.replace(hour=0, minute=0, second=0, microsecond=0)).days)
    if days < FEWEST:
        return []
    borders = [day + timedelta(days=number) for number in range(-days, 2)]
    *before, actual = [float(spent(lines, *period)) for period in pairwise(borders)]
    expected, deviation = statistics.fmean(before), statistics.pstdev(before)
    if actual <= expected + 3 * deviation or actual < 1.5 * expected or actual == 0:
        return []
    text, excess = day.strftime("%Y-%m-%d"), actual - expected
    at_work = [line for line in lines if line.start < borders[-1].timestamp() and line.end >= day.timestamp()]
    largest = max(at_work, key=lambda line: line.cost or 0)
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
