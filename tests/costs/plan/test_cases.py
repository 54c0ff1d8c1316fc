"""Small plans whose price is known from elsewhere: each gives that figure, a range that holds it, or says why not.

`data/cases/NAME.json` is a saved preview, `NAME.usage.yaml` its usage, or `no-traffic.usage.yaml` where it
has none of its own. Sources in brackets are published test results of Infracost (AWS list prices of us-east-1), files
below `internal/providers/terraform/aws/testdata/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from costs.amounts import Range, cents
from costs.book.prices import PriceBook
from costs.plan.plan import Plan, price_plan
from costs.plan.preview import read
from costs.plan.usage import load

DATA = Path(__file__).parent / "data" / "cases"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Right:
    """US dollars a month, from `low` to `high` or `low` alone, by hand; `says` stands in the reason of a resource.

    `status` is that of the totals: "at least" where a part is in no figure, "unpriced" where nothing is in one.
    """

    low: str
    high: str = ""
    expected: str = ""
    status: str = "priced"
    says: str = ""
    run: str = "0.00"  # the dearest run of everything that works and goes, and an hour of it
    hour: str = "0.00"


CASES = {
    # three metrics of high resolution, 0.30 each  [cloudwatch_metric_alarm_test anomaly_detection]
    "alarm-anomaly-fast": Right("0.90"),
    # two instances x 1 to 4 units x 730 x 0.12: units are of each instance
    # [rds_cluster_instance_test aurora_serverless_v2_with_usage]
    "aurora-serverless-two-instances": Right("175.20", "700.80"),
    # 2 to 8 units x 730 x 0.06  [rds_cluster_test postgres_serverless]
    "aurora-serverless-v1": Right("87.60", "350.40", says="nothing while it is paused"),
    # 18.25 and two addresses of 3.65, as application and network ones are priced
    "classic-elb-addresses": Right("25.55"),
    # 1,000 minutes of arm1.small, 0.0034 each  [AWS: CodeBuild pricing]
    "codebuild-arm": Right("3.40"),
    # 30 x 730 x 0.00013 + 20 x 730 x 0.00065; the copy at its own region's prices, which the shipped table has not
    "dynamodb-replica-region": Right(
        "12.34", status="at least", says="no price for dynamodb read-capacity, dynamodb write-capacity in us-west-1"
    ),
    # two nodes x 730 x 0.017  [elasticache_replication_group_test: all groups are billed]
    "elasticache-replication-group": Right("24.82"),
    # 14.60 for two zones  [kinesis_firehose_delivery_stream_test withoutUsage]: named, not priced
    "firehose-vpc": Right("0.00", status="unpriced", says="delivery into a VPC is billed by zone and GB"),
    # 1.00 and 10,000 uses at 0.15 a 10,000  [kms_key_test rsa3072]
    "kms-rsa3072": Right("1.15"),
    # 32.85 and 3.65  [nat_gateway_test, eip_test]
    "nat-eip-vpc": Right("36.50"),
    # 23.36 + 400 x 0.115 + (14,000 - 12,000) x 0.02  [db_instance_test gp3 above_high_baseline]
    "rds-gp3-iops": Right("109.36"),
    # the target's own bounds, 1 to 8 x 730 x 0.115, and one instance as it is declared
    "sagemaker-endpoint-autoscaling": Right("83.95", "671.60", expected="83.95", says="v scales between 1 and 8"),
    # 10 million requests alone; what they take, 63.34 for 800 ms at 512 MB, only the usage knows
    # [sfn_state_machine_test express2Tiers]
    "sfn-express-duration": Right("10.00", status="at least", says="it is billed by mean_ms too"),
    # a million requests; data comes on top by usage, 0.017 a GB  [sns_topic_test sns_fifo_topic_withUsage]
    "sns-fifo": Right("0.30"),
    # four at once for 10 hours: 4 x 10 x 0.7364 + 4 x 10 x 30 GB x 0.14 / 730; an hour is a tenth of it
    "tuning-no-maximum": Right("0.00", run="29.69", hour="2.97", says="as many as its time allows"),
    # 36.50, and as much for its attachment  [vpn_connection_test transit]: named, not priced
    "vpn-transit-gateway": Right("0.00", status="unpriced", says="as much again for its attachment"),
    # 1 for the group and 5 for its rules: named, not priced
    "wafv2-rule-group": Right("0.00", status="unpriced", says="1 for each of its rules"),
    # a million messages; minutes of connections at 0.25 a million, only the usage knows
    # [apigatewayv2_api_test websocket_usage]
    "websocket-api": Right("1.00", status="at least", says="it is billed by connection_minutes"),
    # 730 x (1 x 0.04048 + 2 x 0.004445) a task: the target's own bounds, and one task as it is declared
    "ecs-autoscaling-target": Right("36.04", "360.40", expected="36.04", says="it scales between 1 and 10"),
    "ecs-default-strategy": Right("180.20"),  # 5 tasks [ecs_service ecs_fargate5]
    # 144.16 + 4 x 3.65: AWS bills the public addresses of tasks too, 0.005 an hour
    "ecs-public-address": Right("158.76"),
    "eks-auto-mode": Right("73.00", status="at least", says="Auto Mode makes its nodes by itself: they are in no plan"),
    "eks-extended-support": Right("438.00", says="1.29 is in extended support"),  # [eks_cluster extended_support[1.29]]
    # 32.19 + 0.64 [instance instance_withLaunchTemplateByName], and 2 an hour for the region, 1,460.00
    "instance-dedicated": Right("1492.83"),
    # 30.37 + 0.64 + 100.00 of gp2 [instance instance1 ebs_block_device[0]; the provider: "Defaults to gp2"]
    "instance-ebs-default-type": Right("131.01"),
    # the disk alone; no host is in the plan [instance skips it]
    "instance-host-tenancy": Right("0.64", status="at least", says="on a dedicated host, which is not in the plan"),
    "instance-monitoring": Right("33.11"),  # 30.37 + 0.64 + 7 x 0.30 [instance instance1_detailedMonitoring]
    "instance-windows-ami": Right("44.44"),  # 43.80 + 0.64 [autoscaling_group asg_lc_windows]
    # 30.37 + 40 + 80 [autoscaling_group asg_lc_basic]
    "launch-configuration-disks": Right("150.37"),
    # up to 10 g5.xlarge at the price on demand with disks and addresses; expected are 730 x (0.526 + 9 x 0.2039, the
    # catalogue's median zone) and 10 x (0.64 + 3.65)
    "mixed-fleet": Right("0.00", "7386.70", expected="1766.50", says="spot at 39 % of the price on demand: SkyPilot's"),
    # the cheapest to the dearest type, and perhaps an address; disks are those of the template
    "nodegroup-outside-template": Right("3.07", "40182.85", status="at least", says="its launch template is not in"),
    "nodegroup-public-subnet": Right("35.62"),  # 31.97 + 3.65: public addresses of nodes
}


def priced(name: str) -> Plan:
    usage = DATA / f"{name}.usage.yaml"
    given = load(usage if usage.exists() else DATA / "no-traffic.usage.yaml")
    return price_plan(read((DATA / f"{name}.json").read_text(), name), PriceBook.load(), given, now=NOW)


@pytest.mark.parametrize("name", CASES)
def test_the_price_is_the_one_that_is_known(name: str) -> None:
    right, plan = CASES[name], priced(name)
    month: Range = plan.after.monthly
    reasons = [change.resource.reason for change in plan.changes]
    assert (str(cents(month.low)), str(cents(month.high))) == (right.low, right.high or right.low), reasons
    expected = right.expected or ("" if right.high else right.low)
    assert ("" if month.expected is None else str(cents(month.expected))) == expected
    assert (str(cents(plan.after.run.high)), str(cents(plan.after.run_hourly.high))) == (right.run, right.hour)
    assert (plan.after.status, plan.complete) == (right.status, right.status == "priced"), reasons
    assert any(right.says in reason for reason in reasons), reasons


def test_every_case_has_its_figure() -> None:
    assert {path.stem for path in DATA.glob("*.json")} == set(CASES)
