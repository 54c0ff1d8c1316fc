"""The meter beside a real local cloud: its bill is what the resources' own timestamps say, and survives trouble."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import time
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from costs.book.prices import PriceBook
from localcloud import supervisor
from localcloud.account import list_account
from localcloud.processes import wait_until
from localcloud.sockets import ask
from tests.conftest import client as clients
from tests.conftest import raise_quota, role
from tests.localcloud.sagemaker.test_sagemaker import create, ended

BOOK = PriceBook.load()
WHOLE_TAGS = [{"Key": "Test", "Value": "whole bill"}]
TAGS = [{"Key": "Project", "Value": "shoestring"}, {"Key": "Environment", "Value": "local"}]
GB = Decimal(1024**3)


def client(cloud, service):
    return clients(cloud, service, config=Config(retries={"total_max_attempts": 1}))


def lines(cloud, service=""):
    answer = ask(Path(cloud["sockets"]) / "meter", "/_local/lines")[1]
    return [line for line in json.loads(answer) if service in line["service"]]


def month():
    now = datetime.now(UTC)
    following = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {"Start": now.strftime("%Y-%m-01"), "End": following.strftime("%Y-%m-%d")}


def hours_of_month():
    period = month()
    start, end = (datetime.fromisoformat(period[key]) for key in ("Start", "End"))
    return Decimal(int((end - start).total_seconds())) / 3600


def function(cloud, name, code, memory=512, tags=TAGS):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", code)
    functions = role(client(cloud, "iam"), "functions", "lambda.amazonaws.com")
    made = client(cloud, "lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role=functions, Handler="f.handler",
        Code={"ZipFile": packed.getvalue()}, MemorySize=memory, Architectures=["arm64"],
        Tags={tag["Key"]: tag["Value"] for tag in tags},
    )  # fmt: skip
    return made["FunctionArn"]


def price(service, item):
    return BOOK.price(service, item).usd


def seconds(begin, end):
    return Decimal(str((end - begin).total_seconds()))


@pytest.fixture(scope="module", autouse=True)
def standing(cloud):
    """An instance and a volume that stand while the other tests run: longer than the minute that AWS bills at least."""
    raise_quota(cloud, "ec2", "L-DB2E81BA", 64)
    ec2 = client(cloud, "ec2")
    instance = ec2.run_instances(
        ImageId="ami-1", InstanceType="g4dn.xlarge", MinCount=1, MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": WHOLE_TAGS}],
    )["Instances"][0]  # fmt: skip
    root = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ec2.create_tags(Resources=[root], Tags=WHOLE_TAGS)
    volume = ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=500, VolumeType="gp3",
        TagSpecifications=[{"ResourceType": "volume", "Tags": WHOLE_TAGS}],
    )  # fmt: skip
    return instance, volume


STEPS = "import time\nfor step in range(30):\n    time.sleep(0.1)\n"


def test_what_a_bucket_takes_and_is_asked_is_on_the_bill(cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="asked")
    s3.put_bucket_tagging(Bucket="asked", Tagging={"TagSet": TAGS})
    for number in range(70):  # more than a page of the trail
        s3.put_object(Bucket="asked", Key=str(number), Body=b"x" * 1000)
    s3.get_object(Bucket="asked", Key="0")["Body"].read()
    mine = [line for line in lines(cloud, "Storage") if line["resource"] == "asked"]
    counted = {line["usage_type"]: line for line in mine}
    assert Decimal(counted["Requests-Tier1"]["quantity"]) == 72  # the bucket, its tags, and the objects
    assert Decimal(counted["Requests-Tier2"]["quantity"]) == 1
    time.sleep(2)
    stored = next(line for line in lines(cloud, "Storage") if line["usage_type"] == "TimedStorage-ByteHrs"
                  and line["resource"] == "asked")  # fmt: skip
    assert stored["tags"]["Project"] == "shoestring"
    stands = datetime.fromisoformat(stored["end"]) - datetime.fromisoformat(stored["start"])
    most = 70_000 / GB * Decimal(str(stands.total_seconds())) / 3600 / hours_of_month()
    assert 0 < Decimal(stored["quantity"]) <= most * Decimal("1.001")  # moments are shown to the microsecond


def test_lines_of_a_function_that_is_deleted_at_once_are_not_lost(cloud):
    function(cloud, "brief", "def handler(event, context):\n    pass\n")
    client(cloud, "lambda").invoke(FunctionName="brief")
    assert wait_until(lambda: any(line["resource"] == "brief" for line in lines(cloud, "Lambda")), 10)
    client(cloud, "lambda").invoke(FunctionName="brief")
    client(cloud, "logs").delete_log_group(logGroupName="/aws/lambda/brief")
    client(cloud, "lambda").delete_function(FunctionName="brief")
    requests = [line for line in lines(cloud, "Lambda")
                if line["resource"] == "brief" and line["unit"] == "Requests"]  # fmt: skip
    assert sum(Decimal(line["quantity"]) for line in requests) == 2


def test_a_budget_warns_once_through_its_topic_and_shows_what_was_spent(cloud):
    start, end = month().values()
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    said, ssm = event['Records'][0]['Sns'], boto3.client('ssm')\n"
        "    budget = boto3.client('budgets').describe_budget(AccountId='000000000000', BudgetName='tiny')['Budget']\n"
        "    usage = boto3.client('ce').get_cost_and_usage(\n"
        f"        TimePeriod={{'Start': '{start}', 'End': '{end}'}},\n"
        "        Granularity='MONTHLY', Metrics=['UnblendedCost'],\n"
        "        Filter={'Tags': {'Key': 'Window', 'Values': ['yes']}})['ResultsByTime'][0]\n"
        "    text = '|'.join([said['Subject'], budget['CalculatedSpend']['ActualSpend']['Amount'],\n"
        "        usage['Total']['UnblendedCost']['Amount'], said['Message']])\n"
        "    ssm.put_parameter(Name='/fired/' + said['MessageId'], Value=text, Type='String')\n"
    )
    topic = client(cloud, "sns").create_topic(Name="tiny")["TopicArn"]
    client(cloud, "sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function(cloud, "guard", code))
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Window", "Value": "yes"}]}]
    instance = client(cloud, "ec2").run_instances(
        ImageId="ami-1", InstanceType="g5.xlarge", MinCount=1, MaxCount=1, TagSpecifications=tags
    )["Instances"][0]
    budgets, whose = client(cloud, "budgets"), {"AccountId": "000000000000"}
    warning = {"ComparisonOperator": "GREATER_THAN", "ThresholdType": "PERCENTAGE"}
    budgets.create_budget(
        **whose,
        Budget={"BudgetName": "tiny", "BudgetLimit": {"Amount": "0.001", "Unit": "USD"}, "TimeUnit": "MONTHLY",
                "BudgetType": "COST", "CostFilters": {"TagKeyValue": ["user:Window$yes"]}},
        NotificationsWithSubscribers=[
            {"Notification": {"NotificationType": "ACTUAL", "Threshold": 100, **warning},
             "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}]},
            {"Notification": {"NotificationType": "ACTUAL", "Threshold": 10_000_000, **warning},
             "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}]},
        ],
    )  # fmt: skip
    ssm = client(cloud, "ssm")

    def fired():
        return ssm.get_parameters_by_path(Path="/fired")["Parameters"]

    assert wait_until(lambda: bool(fired()), 20)
    subject, spent, explored, text = fired()[0]["Value"].split("|")
    assert subject == "AWS Budgets: tiny has exceeded your alert threshold"
    assert "Budget Name: tiny\nBudget Type: Cost\nBudgeted Amount: $0.001\nAlert Type: ACTUAL\n" in text
    assert re.search(r"^ACTUAL Amount: \$0\.00\d+$", text, re.M)
    assert Decimal(spent) > Decimal("0.001") and Decimal(explored) > Decimal("0.001")
    time.sleep(4)  # another round
    assert len(fired()) == 1
    told = budgets.describe_notifications_for_budget(**whose, BudgetName="tiny")["Notifications"]
    states = {one["Threshold"]: one["NotificationState"] for one in told}
    assert states == {100.0: "ALARM", 10_000_000.0: "OK"}
    with pytest.raises(ClientError, match="doesn't exist"):
        budgets.describe_budget(**whose, BudgetName="absent")
    budgets.delete_budget(**whose, BudgetName="tiny")
    client(cloud, "ec2").terminate_instances(InstanceIds=[instance["InstanceId"]])


def test_monitors_are_kept_and_listed_with_the_account(cloud):
    ce = client(cloud, "ce")
    monitor = {"MonitorName": "services", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
    arn = ce.create_anomaly_monitor(AnomalyMonitor=monitor, ResourceTags=TAGS)["MonitorArn"]
    with pytest.raises(ClientError, match=r"ValidationException.*Limit exceeded on dimensional spend monitor creation"):
        ce.create_anomaly_monitor(AnomalyMonitor=monitor)
    assert ce.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == TAGS
    assert ("anomaly-monitor", "services") in {(item["type"], item["id"]) for item in list_account(cloud)}
    assert ce.get_anomalies(DateInterval={"StartDate": month()["Start"]})["Anomalies"] == []
    ce.delete_anomaly_monitor(MonitorArn=arn)
    with pytest.raises(ClientError, match="UnknownMonitorException"):
        ce.delete_anomaly_monitor(MonitorArn=arn)


def test_the_bill_survives_down_up_and_kill_and_is_forgotten_when_fresh(tmp_path):
    cloud = supervisor.up(tmp_path)
    try:
        ec2 = client(cloud, "ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=10, VolumeType="gp3")
        gone = ec2.create_volume(AvailabilityZone="us-east-1a", Size=20, VolumeType="gp2")
        ec2.delete_volume(VolumeId=gone["VolumeId"])
        assert {line["resource"] for line in lines(cloud)} == {volume["VolumeId"], gone["VolumeId"]}
        client(cloud, "s3").create_bucket(Bucket="state")
        client(cloud, "s3").put_object(Bucket="state", Key="data/train.csv", Body=b"a,b\n")
        create(cloud, "state", "cut-off", "import time\ntime.sleep(120)\n")
        assert wait_until(lambda: bool(lines(cloud, "SageMaker")), 20)
        supervisor.down(tmp_path)
        stopped = datetime.now(UTC)
        time.sleep(1)
        cloud = supervisor.up(tmp_path)
        ended_with_it = lines(cloud, "SageMaker")  # a job ends with the local cloud, and costs nothing after
        assert ended_with_it and all(datetime.fromisoformat(line["end"]) <= stopped for line in ended_with_it)
        both = {line["resource"]: line for line in lines(cloud)}
        assert datetime.fromisoformat(both[volume["VolumeId"]]["start"]) == volume["CreateTime"]
        age = datetime.fromisoformat(both[volume["VolumeId"]]["end"]) - volume["CreateTime"]
        assert age > timedelta(seconds=2.5)  # the account's resources stand while the local cloud is down
        assert both[gone["VolumeId"]]["usage_type"] == "EBS:VolumeUsage.gp2"

        os.kill(cloud["parts"]["meter"]["pid"], signal.SIGKILL)
        client(cloud, "ec2").delete_volume(VolumeId=volume["VolumeId"])
        assert wait_until(lambda: supervisor.status(tmp_path)["parts"]["meter"] == "dead", 5)
        with (tmp_path / "cloud" / "meter" / "closed.jsonl").open("a") as ledger:
            ledger.write('{"torn')
        said: list[str] = []
        cloud = supervisor.up(tmp_path, progress=said.append)
        assert any("closed.corrupt: 1 line(s) of the bill are gone" in line for line in said)
        assert len(lines(cloud, "EC2 - Other")) == 2
        cloud = supervisor.up(tmp_path, fresh=True)
        assert lines(cloud) == []
    finally:
        supervisor.down(tmp_path)


def test_the_meter_is_light(cloud):
    process = psutil.Process(cloud["parts"]["meter"]["pid"])
    before = process.cpu_times()
    time.sleep(5)
    after = process.cpu_times()
    assert (after.user + after.system - before.user - before.system) / 5 < 0.05


def test_the_bill_is_what_the_resources_own_timestamps_say(cloud, standing):
    """Everything is deleted before the bill is asked for; what is expected comes from the account's own answers."""
    ec2, s3, logs = (client(cloud, name) for name in ("ec2", "s3", "logs"))
    instance, volume = standing
    s3.create_bucket(Bucket="metered")
    s3.put_object(Bucket="metered", Key="data/train.csv", Body=b"a,b\n")
    function(cloud, "metered", "import time\ndef handler(event, context):\n    time.sleep(0.03)\n", tags=WHOLE_TAGS)
    for _ in range(5):
        client(cloud, "lambda").invoke(FunctionName="metered")
    create(cloud, "metered", "metered-job", STEPS, spot=True, Tags=WHOLE_TAGS)
    job = ended(cloud, "metered-job")

    launched = instance["LaunchTime"]
    time.sleep(max(0.0, 62 - (datetime.now(UTC) - launched).total_seconds()))
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    terminated = datetime.now(UTC)
    ec2.delete_volume(VolumeId=volume["VolumeId"])
    deleted = datetime.now(UTC)
    reports = [e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/metered", filterPattern="REPORT")
               ["events"]]  # fmt: skip
    client(cloud, "lambda").delete_function(FunctionName="metered")
    logs.delete_log_group(logGroupName="/aws/lambda/metered")
    client(cloud, "sagemaker").delete_training_job(TrainingJobName="metered-job")

    ran, stood = seconds(launched, terminated) / 3600, seconds(volume["CreateTime"], deleted) / 3600
    trained, billed = Decimal(job["TrainingTimeInSeconds"]), Decimal(job["BillableTimeInSeconds"])
    milliseconds = sum(int(re.search(r"Billed Duration: (\d+) ms", line)[1]) for line in reports)
    each = price("ebs", "gp3") / hours_of_month()
    training = {
        "USE1-SpotTrain:ml.m5.large": billed / 3600 * price("sagemaker-training", "ml.m5.large"),
        "USE1-Train:VolumeUsage.gp2": 5 * trained / 3600 / hours_of_month() * price("sagemaker", "training-storage"),
    }
    expected = {
        "BoxUsage:g4dn.xlarge": ran * price("ec2", "g4dn.xlarge"),
        "USE1-PublicIPv4:InUseAddress": ran * price("vpc", "public-ipv4"),
        "EBS:VolumeUsage.gp3": 500 * stood * each + 8 * ran * each,  # the root volume goes with its instance
        "Request-ARM": 5 * price("lambda", "requests") / 1_000_000,
        "Lambda-GB-Second-ARM": Decimal(milliseconds) / 1000 / 2 * price("lambda", "compute-arm64"),
        **training,
    }
    assert len(reports) == 5 and billed < trained
    answer = client(cloud, "ce").get_cost_and_usage(
        TimePeriod=month(), Granularity="MONTHLY", Metrics=["UnblendedCost"],
        GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
        Filter={"Tags": {"Key": "Test", "Values": ["whole bill"]}},
    )  # fmt: skip
    groups = answer["ResultsByTime"][0]["Groups"]
    found = {group["Keys"][0]: Decimal(group["Metrics"]["UnblendedCost"]["Amount"]) for group in groups}
    assert found.keys() == expected.keys()
    for usage, usd in expected.items():
        assert found[usage] == pytest.approx(usd, rel=Decimal("0.02")), usage
    total, wanted = sum(found.values()), sum(expected.values())
    assert abs(total - wanted) / wanted < Decimal("0.01"), (total, wanted)

    spot = next(line for line in lines(cloud, "SageMaker") if line["purchase"] == "Spot Instances")
    assert Decimal(spot["cost"]) / Decimal(spot["list_cost"]) == pytest.approx(billed / trained)
    assert spot["resource"] == "metered-job"
    assert {line["problem"] for line in lines(cloud)} == {""}
