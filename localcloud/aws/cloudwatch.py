"""CloudWatch: log groups, alarms, dashboards."""

from __future__ import annotations

from localcloud.aws.row import GIB, Call, Calls, Charge, Listing, Metering, Read, ResourceType, Tags

PRODUCT = "AmazonCloudWatch"

TYPES = (
    ResourceType(
        "logs", "log-group", Listing("describe_log_groups", "logGroups", "logGroupName"),
        Calls(
            "{name}", {"logGroupName": "=name", "logGroupNamePrefix": "=name"},
            create=(Call("create_log_group", {"tags": "=tags"}),),
            put=(Call("put_retention_policy", {"retentionInDays": "=retentionInDays"}, on="retentionInDays"),),
            read=(Read("describe_log_groups", "logGroups[?logGroupName=='{id}'] | [0]"),),
            tags=Tags("tag_log_group", "untag_log_group", "list_tags_log_group", "tags", {"tags": "=tags"},
                      {"tags": "=removed"}),
            provider_only="skipDestroy",
            names={"name": "loggroupname"},
            computed={"arn": "arn:aws:logs:{region}:{account}:log-group:{id}",
                      "retentionInDays": "=item.retentionInDays"},
        ),
        metering=Metering(
            (Charge(PRODUCT, "USE1-TimedStorage-ByteHrs", "HourlyStorageMetering", ("cloudwatch", "logs-storage"),
                    "bytes", scale=GIB),),
            {"bytes": "storedBytes"},
            begin="creationTime", gauge="bytes", ends=("DeleteLogGroup",),
            tagged=("list_tags_log_group", "logGroupName", "logGroupName", "tags"),
        ),
        usage={"log-bytes": Charge(PRODUCT, "USE1-DataProcessing-Bytes", "PutLogEvents",
                                   ("cloudwatch", "logs-ingestion"), scale=GIB)},
    ),
    ResourceType(
        "cloudwatch", "alarm", Listing("describe_alarms", "MetricAlarms", "AlarmName"),
        metering=Metering(
            (Charge(PRODUCT, "CW:{high}AlarmMonitorUsage", "Unknown", ("cloudwatch", "alarm{resolution}")),),
            {"resolution": "Period < `60` && '-high-resolution' || ''", "high": "Period < `60` && 'HighRes' || ''"},
            begins=("PutMetricAlarm",), ends=("DeleteAlarms",), id="AlarmArn",
            tagged=("list_tags_for_resource", "ResourceARN", "AlarmArn", "Tags"),
        ),
    ),
    ResourceType("cloudwatch", "composite-alarm", Listing("describe_alarms", "CompositeAlarms", "AlarmName"),
                 unmetered="composite alarms are not metered"),
    ResourceType("cloudwatch", "dashboard", Listing("list_dashboards", "DashboardEntries", "DashboardName"),
                 unmetered="the first three are free"),
)  # fmt: skip
