"""Logs, metrics, alarms, budgets, audits."""

from __future__ import annotations

from costs.charges import Range
from costs.rules.base import UNKNOWN, Pricing, free, row, unpriced

FAST = 60  # seconds: an alarm of a shorter period is one of high resolution


def log_group(p: Pricing) -> None:
    """A log group: what is written to it, and what is kept."""
    infrequent = p.get("logGroupClass") == "INFREQUENT_ACCESS"
    p.traffic("logs written", "logs", "ingested_gb", "cloudwatch",
              "logs-ingestion-infrequent-access" if infrequent else "logs-ingestion")  # fmt: skip
    p.traffic("logs kept", "logs", "stored_gb", "cloudwatch", "logs-storage")
    if p.get("retentionInDays") is None:
        p.note("kept for ever")


def alarm(p: Pricing) -> None:
    """An alarm: for each of its metrics, more where it looks more often than each minute."""
    queries = p.items("metricQueries")
    if any("ANOMALY_DETECTION_BAND" in str(p.get("expression", "", each)) for each in queries):
        p.add("anomaly alarm", 1, "cloudwatch", "alarm-anomaly-detection")
        return
    measured = [each for each in queries if p.get("metric", None, each) is not None]
    periods = [p.get("metric.period", 60, each) for each in measured] or [p.get("period", 60)]
    if UNKNOWN in periods:
        p.note("its period is unknown")
    fast = any(isinstance(period, int) and period < FAST for period in periods)
    p.add("alarm", Range.of(max(len(measured), 1)), "cloudwatch", "alarm-high-resolution" if fast else "alarm")


def budget(p: Pricing) -> None:
    """A budget: the first two of an account are free, and nobody can say from here whether it is one of them."""
    p.add("budget", 1, "budgets", "budget")
    p.note("budget; the first two of an account are free, it is counted as a further one")


def trail(p: Pricing) -> None:
    """A trail: its first copy of management events is free."""
    if p.items("eventSelectors") or p.items("advancedEventSelectors") or p.items("insightSelectors"):
        p.unpriced("data events and insights are billed by their number")
    else:
        p.free("the first trail of management events is free; its bucket is billed")


def acl(p: Pricing) -> None:
    """A web ACL and its rules."""
    p.add("web ACL", 1, "waf", "web-acl")
    p.add("rules", len(p.items("rules")), "waf", "rule")
    p.note("requests come on top, 0.60 a million")


SETTING = "a setting"
CLOUDWATCH = (
    "logStream:LogStream logResourcePolicy:LogResourcePolicy logSubscriptionFilter:LogSubscriptionFilter "
    "logDestination:LogDestination logDestinationPolicy:LogDestinationPolicy queryDefinition:QueryDefinition "
    "logDataProtectionPolicy:LogDataProtectionPolicy logAccountPolicy:LogAccountPolicy logIndexPolicy:LogIndexPolicy "
    "logDelivery:LogDelivery logDeliverySource:LogDeliverySource logDeliveryDestination:LogDeliveryDestination "
    "logDeliveryDestinationPolicy:LogDeliveryDestinationPolicy logTransformer:LogTransformer "
    "eventTarget:EventTarget eventPermission:EventPermission eventBusPolicy:EventBusPolicy "
    "eventConnection:EventConnection eventArchive:EventArchive eventEndpoint:EventEndpoint"
).split()
TABLE = {
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": row("composite alarm", "cloudwatch", "alarm-composite"),
    "aws:cloudwatch/dashboard:Dashboard": row(
        "dashboard", "cloudwatch", "dashboard", reason="dashboard; the first three of an account are free"
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": row(
        "custom metric", "cloudwatch", "custom-metric", reason="one custom metric; the first ten of an account are free"
    ),
    "aws:cloudwatch/metricStream:MetricStream": unpriced("billed by metric updates, which no plan knows"),
    "aws:cloudwatch/logAnomalyDetector:LogAnomalyDetector": free("included in what logs cost"),
    "aws:cloudwatch/contributorInsightRule:ContributorInsightRule": unpriced("not in the price book"),
    "aws:cloudwatch/internetMonitor:InternetMonitor": unpriced("not in the price book"),
    "aws:cloudwatch/eventRule:EventRule": free("events of AWS services and schedules are free"),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": unpriced("billed by invocations, not in the price book"),
    **{f"aws:cloudwatch/{name}": free(SETTING) for name in CLOUDWATCH},
    "aws:budgets/budget:Budget": budget,
    "aws:budgets/budgetAction:BudgetAction": row(
        "budget with an action", "budgets", "budget-with-actions", reason="the first two of an account are free"
    ),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": free("anomaly detection is free"),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": free("anomaly detection is free"),
    "aws:costexplorer/costAllocationTag:CostAllocationTag": free("cost allocation tags are free"),
    "aws:costexplorer/costCategory:CostCategory": free("cost categories are free"),
    "aws:cur/reportDefinition:ReportDefinition": free("the report is free; its bucket is billed"),
    "aws:bcmdata/export:Export": free("the export is free; its bucket is billed"),
    "aws:cloudtrail/trail:Trail": trail,
    "aws:cloudtrail/eventDataStore:EventDataStore": unpriced("billed by GB, not in the price book"),
    "aws:cfg/recorder:Recorder": unpriced("billed by configuration items, which no plan knows (0.003 each)"),
    "aws:cfg/rule:Rule": unpriced("billed by evaluations, which no plan knows"),
    "aws:cfg/deliveryChannel:DeliveryChannel": free("its recorder is billed"),
    "aws:cfg/recorderStatus:RecorderStatus": free("its recorder is billed"),
    "aws:guardduty/detector:Detector": unpriced("billed by the events and GB that it looks at"),
    "aws:securityhub/account:Account": unpriced("billed by checks and findings"),
    "aws:inspector2/enabler:Enabler": unpriced("billed by what it scans"),
    "aws:macie2/account:Account": unpriced("billed by what it scans"),
    "aws:xray/group:Group": free("traces are billed by their number"),
    "aws:xray/samplingRule:SamplingRule": free("traces are billed by their number"),
    "aws:synthetics/canary:Canary": unpriced("billed by its runs, of which no plan knows the number"),
    "aws:wafv2/webAcl:WebAcl": acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": free("its web ACL is billed"),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": free("its web ACL is billed"),
    "aws:wafv2/ipSet:IpSet": free("its web ACL is billed"),
    "aws:wafv2/regexPatternSet:RegexPatternSet": free("its web ACL is billed"),
    "aws:wafv2/ruleGroup:RuleGroup": row("rule group", "waf", "rule", reason="and as much for each of its rules"),
    "aws:shield/protection:Protection": unpriced("Shield Advanced is a subscription of the account, 3000 a month"),
    "aws:amp/workspace:Workspace": unpriced("billed by samples, not in the price book"),
    "aws:grafana/workspace:Workspace": unpriced("billed by users, not in the price book"),
    "aws:glue/job:Job": unpriced(
        "billed by the hours of its runs, of which no plan knows the number (0.44 a DPU hour)"
    ),
    "aws:glue/crawler:Crawler": unpriced("billed by the hours of its runs, of which no plan knows the number"),
    "aws:glue/catalogDatabase:CatalogDatabase": free("the first million objects are free"),
    "aws:glue/catalogTable:CatalogTable": free("the first million objects are free"),
    "aws:athena/workgroup:Workgroup": unpriced("billed by the TB that its queries scan (5.00 each)"),
    "aws:athena/database:Database": free("queries are billed"),
    "aws:athena/namedQuery:NamedQuery": free("queries are billed"),
    "aws:athena/dataCatalog:DataCatalog": free("queries are billed"),
}
