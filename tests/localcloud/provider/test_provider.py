"""The stand-in `aws` provider on the real engine: one of every type, up to destroy; and what it refuses."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zipfile
from pathlib import Path
from threading import Event
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.proto.provider_pb2 import DiffRequest

from localcloud.account import list_account
from localcloud.aws import budgets, messages
from localcloud.aws.types import CALLS, TYPES
from localcloud.provider import schema
from localcloud.provider.check import check_object
from localcloud.provider.convert import fold, settle
from localcloud.provider.resources import Emulator, Resource, carried, changeable, differing
from localcloud.provider.service import Provider, _struct
from tests.conftest import Project, client, raise_quota

PROGRAM = Path(__file__).with_name("programs") / "every_type.py"
# what watches over costs
COSTS = {row.token for module in (budgets, messages) for row in module.TYPES if row.token} | {
    "aws:lambda/permission:Permission"
}
HEAD = "import pulumi, pulumi_aws as aws\n"


@pytest.fixture(scope="module")
def stack(cloud, tmp_path_factory):
    """A stack with one of every type, up."""
    raise_quota(cloud, "lambda", "L-B99A9384", 200)
    made = Project(tmp_path_factory.mktemp("every") / "project", PROGRAM.read_text(), cloud)
    for name, word in (("f", "good"), ("f1", "first"), ("f2", "second")):
        with zipfile.ZipFile(made.folder / "program" / f"{name}.zip", "w") as package:
            package.writestr("f.py", f"def handler(event, context):\n    return {{'{word}': True}}\n")
    with tarfile.open(made.folder / "program" / "source.tar.gz", "w:gz") as source:
        text = b"print('loss=0.5')\n"
        entry = tarfile.TarInfo("job.py")
        entry.size = len(text)
        source.addfile(entry, io.BytesIO(text))
    made.pulumi("up", "--yes")
    return made


def outputs(stack) -> dict:
    return json.loads(stack.pulumi("stack", "output", "--json"))


def test_one_of_every_type_is_made_and_a_second_up_changes_nothing(stack):
    state = json.loads(stack.pulumi("stack", "export"))
    made = {resource["type"] for resource in state["deployment"]["resources"]}
    assert set(CALLS) <= made
    assert "unchanged" in stack.pulumi("up", "--yes", "--expect-no-changes")
    assert "unchanged" in stack.pulumi("refresh", "--yes", "--expect-no-changes")


def test_the_account_holds_what_was_asked_for(stack, cloud):
    bucket = outputs(stack)["bucket"]
    s3 = client(cloud, "s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True
    assert {rule["ID"] for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]} == {
        "checkpoints",
        "uploads",
    }
    ec2 = client(cloud, "ec2")
    template = ec2.describe_launch_template_versions(Versions=["$Latest"], LaunchTemplateName=outputs(stack)["lt"])
    data = template["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] in (True, "true")
    job = client(cloud, "sagemaker").describe_training_job(TrainingJobName="sample-job")
    assert job["EnableManagedSpotTraining"] is True
    assert job["HyperParameters"]["sagemaker_program"] == '"job.py"'
    answer = client(cloud, "lambda").invoke(FunctionName="sample", Qualifier="live")
    assert json.loads(answer["Payload"].read()) == {"good": True}


def test_what_a_creation_made_is_found_by_its_inputs_alone(stack, monkeypatch):
    for name in stack.environment:
        monkeypatch.setenv(name, stack.environment[name])
    account = Emulator("us-east-1")
    state = json.loads(stack.pulumi("stack", "export"))["deployment"]["resources"]
    made = [item for item in state if item["type"] in CALLS]
    for item in made:
        resource = Resource(account, item["type"], dict(item["inputs"]))
        assert resource.search(set()), item["urn"]
        assert resource.id.endswith(item["id"])
        same_kind = {other["id"] for other in made if other["type"] == item["type"]}
        other = Resource(account, item["type"], dict(item["inputs"]))
        assert not other.search(same_kind | {resource.id}), "what is in a state was made by nobody else"


class Sent(Exception):
    """What would have gone to the account."""


@pytest.mark.parametrize("given", ["userData", "userDataBase64", "launchTemplate"])
def test_user_data_is_encoded_once(stack, monkeypatch, given):
    """As by the official provider: an instance's text is encoded, what is base64 already is left alone."""
    for name in stack.environment:
        monkeypatch.setenv(name, stack.environment[name])
    account, text = Emulator("us-east-1"), "#cloud-config\n"
    encoded = base64.b64encode(text.encode()).decode()
    values = {"userData": text, "userDataBase64": encoded, "launchTemplate": {"name": outputs(stack)["lt"]}}

    def send(request, **_):
        raise Sent(request.body)

    account.client("ec2").meta.events.register("before-send.ec2.RunInstances", send)
    instance = Resource(account, "aws:ec2/instance:Instance", {"ami": "ami-1", given: values[given]})
    with pytest.raises(Sent) as sent:
        instance.create()
    assert parse_qs(sent.value.args[0])["UserData"] == [encoded]


def test_user_data_that_is_no_base64_is_refused_as_by_aws(stack, monkeypatch):
    for name in stack.environment:
        monkeypatch.setenv(name, stack.environment[name])
    instance = Resource(Emulator("us-east-1"), "aws:ec2/instance:Instance", {"ami": "ami-1", "userDataBase64": "#no"})
    with pytest.raises(ClientError, match=r"InvalidUserData\.Malformed"):
        instance.create()


def test_all_that_is_listed_by_itself_is_listed(stack, cloud):
    listed = {f"{item['service']}/{item['type']}" for item in list_account(cloud)}
    assert listed >= {row.key for row in TYPES if row.calls and row.listing}


def change_what_watches_over_costs(cloud):
    """Six changes and two removals behind Pulumi's back."""
    topic = client(cloud, "sns").list_topics()["Topics"][0]["TopicArn"]
    budgets, whose = client(cloud, "budgets"), {"AccountId": "000000000000", "BudgetName": "sample"}
    budget = budgets.describe_budget(**whose, ShowFilterExpression=True)["Budget"]
    kept = {key: budget[key] for key in ("BudgetName", "TimeUnit", "BudgetType", "FilterExpression", "Metrics")}
    assert [part["Tags"]["Key"] for part in budget["FilterExpression"]["And"]] == ["Project", "Environment"]
    limit = {"BudgetLimit": {"Amount": "999", "Unit": "USD"}}
    budgets.update_budget(AccountId="000000000000", NewBudget={**kept, **limit})
    told = budgets.describe_notifications_for_budget(**whose)["Notifications"]
    assert len(told) == 3
    budgets.delete_notification(**whose, Notification={k: v for k, v in told[0].items() if k != "NotificationState"})
    explorer = client(cloud, "ce")
    (monitor,) = explorer.get_anomaly_monitors()["AnomalyMonitors"]
    assert monitor["MonitorSpecification"] == {"Tags": {"Key": "Environment", "Values": ["dev"]}}
    (anomalies,) = explorer.get_anomaly_subscriptions()["AnomalySubscriptions"]
    higher = {"Dimensions": {**anomalies["ThresholdExpression"]["Dimensions"], "Values": ["7"]}}
    explorer.update_anomaly_subscription(SubscriptionArn=anomalies["SubscriptionArn"], ThresholdExpression=higher)
    explorer.update_anomaly_monitor(MonitorArn=monitor["MonitorArn"], MonitorName="other")
    scheduler = client(cloud, "scheduler")
    kept = {k: scheduler.get_schedule(Name="sample")[k] for k in ("Name", "Target", "FlexibleTimeWindow")}
    scheduler.update_schedule(**kept, ScheduleExpression="rate(1 day)")
    sns = client(cloud, "sns")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="other")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue='{"Statement": []}')
    (heard,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=heard["SubscriptionArn"])
    client(cloud, "lambda").remove_permission(FunctionName="packed", StatementId="alarms")


def test_changes_behind_pulumis_back_show_up_in_refresh_and_up_mends_them(stack, cloud):
    found = outputs(stack)
    change_what_watches_over_costs(cloud)  # first: no schedule takes the role once its trust is changed
    client(cloud, "logs").put_retention_policy(logGroupName="/aws/lambda/sample", retentionInDays=365)
    client(cloud, "s3").put_bucket_tagging(
        Bucket=found["bucket"], Tagging={"TagSet": [{"Key": "Project", "Value": "other"}]}
    )
    client(cloud, "iam").update_assume_role_policy(
        RoleName=found["role"], PolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    )
    client(cloud, "s3").delete_object(Bucket=found["bucket"], Key="packages/f.zip")
    shown = stack.pulumi("refresh", "--yes")
    for name in ("LogGroup lg", "s3:Bucket state", "iam:Role role"):
        assert f"{name} updated" in shown.replace("aws:", "").replace("cloudwatch:", "") or name in shown
    assert "~ 9 updated" in shown
    assert "- 3 deleted" in shown
    mended = stack.pulumi("up", "--yes")
    assert "~ 9 updated" in mended
    assert "+ 3 created" in mended
    whose = {"AccountId": "000000000000", "BudgetName": "sample"}
    assert len(client(cloud, "budgets").describe_notifications_for_budget(**whose)["Notifications"]) == 3
    assert (
        client(cloud, "logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/sample")["logGroups"][0][
            "retentionInDays"
        ]
        == 14
    )
    stack.pulumi("refresh", "--yes", "--expect-no-changes")


def test_what_watches_over_costs_is_imported_by_id(stack, project, cloud, tmp_path):
    resources = json.loads(stack.pulumi("stack", "export"))["deployment"]["resources"]
    wanted = [one for one in resources if one["type"] in COSTS]
    assert {one["type"] for one in wanted} == COSTS
    ids = {"aws:lambda/permission:Permission": "packed/alarms"}
    listed = [{"type": one["type"], "name": one["urn"].rpartition("::")[2], "id": ids.get(one["type"], one["id"])}
              for one in wanted]  # fmt: skip
    (tmp_path / "import.json").write_text(json.dumps({"resources": listed}))
    other = project(HEAD, cloud)
    words = ("--file", str(tmp_path / "import.json"), "--yes", "--protect=false", "--generate-code=false")
    assert f"{len(wanted)} imported" in other.pulumi("import", *words)
    found = json.loads(other.pulumi("stack", "export"))["deployment"]["resources"]
    inputs = {one["type"]: one.get("inputs", {}) for one in found}
    same = {one["type"]: one["inputs"] for one in wanted}
    for kind, names in {
        "aws:budgets/budget:Budget": ("name", "limitAmount", "filterExpression", "metrics", "tags"),
        "aws:costexplorer/anomalyMonitor:AnomalyMonitor": ("name", "monitorType", "tags"),
        "aws:costexplorer/anomalySubscription:AnomalySubscription": ("name", "frequency", "thresholdExpression"),
        "aws:lambda/permission:Permission": ("function", "statementId", "action", "principal", "sourceArn"),
        "aws:scheduler/schedule:Schedule": ("name", "scheduleExpression", "flexibleTimeWindow"),
        "aws:sns/topic:Topic": ("name", "displayName", "tags"),
        "aws:sns/topicPolicy:TopicPolicy": ("arn",),
        "aws:sns/topicSubscription:TopicSubscription": ("topic", "protocol", "endpoint", "filterPolicy"),
    }.items():
        assert {name: inputs[kind].get(name) for name in names} == {name: same[kind].get(name) for name in names}, kind
    thresholds = {each["threshold"]: each for each in inputs["aws:budgets/budget:Budget"]["notifications"]}
    assert thresholds.keys() == {50, 91, 100}
    assert thresholds[50]["subscriberEmailAddresses"] == ["me@example.com"]


def test_changes_in_place_and_a_new_version_of_the_function(stack, cloud):
    before = outputs(stack)
    stack.pulumi("config", "set", "step", "2")
    shown = stack.pulumi("up", "--yes")
    after = outputs(stack)
    assert "replaced" in shown  # the instance, for its template has a new version
    assert after["bucket"] == before["bucket"] and after["vm"] != before["vm"]
    assert (before["version"], after["version"]) == ("1", "2")
    alias = client(cloud, "lambda").get_alias(FunctionName="sample", Name="live")
    assert alias["FunctionVersion"] == "2"
    assert client(cloud, "ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/shoestring/x/champion")[
        "TagList"
    ] == [{"Key": "Project", "Value": "p"}, {"Key": "Step", "Value": "2"}]
    stack.pulumi("up", "--yes", "--expect-no-changes")


def test_import_by_id(project, cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="made-by-hand")
    s3.put_bucket_tagging(Bucket="made-by-hand", Tagging={"TagSet": [{"Key": "A", "Value": "b"}]})
    resource = 'aws.s3.Bucket("b", bucket="made-by-hand", tags={"A": "b"}, force_destroy=True'
    sample = project(f'{HEAD}{resource}, opts=pulumi.ResourceOptions(import_="made-by-hand"))\n', cloud)
    assert "import" in sample.pulumi("up", "--yes")
    sample.write(f"{HEAD}{resource})\n")
    sample.pulumi("up", "--yes")
    sample.pulumi("up", "--yes", "--expect-no-changes")
    sample.pulumi("destroy", "--yes")
    assert "made-by-hand" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_the_import_command_takes_a_resource_into_the_state(project, cloud):
    client(cloud, "logs").create_log_group(logGroupName="/by/hand")
    sample = project(HEAD, cloud)
    words = (
        "aws:cloudwatch/logGroup:LogGroup",
        "group",
        "/by/hand",
        "--yes",
        "--protect=false",
        "--generate-code=false",
    )
    assert "1 imported" in sample.pulumi("import", *words)
    sample.write(f'{HEAD}aws.cloudwatch.LogGroup("group", name="/by/hand")\n')
    sample.pulumi("up", "--yes", "--expect-no-changes")
    sample.pulumi("destroy", "--yes")


def test_a_bucket_goes_with_what_a_writer_still_adds(cloud):
    s3, written = client(cloud, "s3"), Event()
    s3.create_bucket(Bucket="busy")

    def late(**words):
        if not written.is_set():  # once, between the emptying and the deletion
            s3.put_object(Bucket="busy", Key="last", Body=b"")
            written.set()

    s3.meta.events.register("before-call.s3.DeleteBucket", late)
    bucket_of(s3, "busy", force=True).delete()
    assert written.is_set()
    assert "busy" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_a_bucket_with_objects_stays_unless_asked(cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="first", Body=b"")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        bucket_of(s3, "kept", force=False).delete()
    bucket_of(s3, "kept", force=True).delete()
    assert "kept" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def bucket_of(s3, name, force):
    account = Emulator("us-east-1")
    account._clients["s3"], account.number = s3, "000000000000"
    return Resource(account, "aws:s3/bucket:Bucket", {"bucket": name, "forceDestroy": force}, name)


def test_what_cannot_change_in_place_is_replaced(project, cloud):
    program = (
        HEAD
        + """
aws.ec2.SecurityGroup("g", name="g", description="{}")
aws.sns.Topic("t", name="{}")
aws.budgets.Budget("b", name="{}", budget_type="COST", time_unit="MONTHLY", limit_amount="5", limit_unit="USD")
text = '{{"Tags": {{"Key": "Environment", "Values": ["{}"]}}}}'
aws.costexplorer.AnomalyMonitor("m", name="m", monitor_type="CUSTOM", monitor_specification=text)
"""
    )
    sample = project(program.format(*["one"] * 4), cloud)
    sample.pulumi("up", "--yes")
    sample.write(program.format(*["two"] * 4))
    assert "+-4 replaced" in sample.pulumi("up", "--yes")
    for found in client(cloud, "ce").get_anomaly_monitors()["AnomalyMonitors"]:
        if found["MonitorName"] == "m":
            client(cloud, "ce").delete_anomaly_monitor(MonitorArn=found["MonitorArn"])
    assert "- 1 deleted" in sample.pulumi("refresh", "--yes")
    sample.pulumi("destroy", "--yes")


def test_bad_properties_fail_with_their_path_before_any_call(project, cloud):
    sample = project(
        HEAD + 'aws.s3.BucketVersioning("v", bucket="b", versioning_configuration={"status": 3, "statuss": "x"})\n',
        cloud,
    )
    shown = sample.pulumi("up", "--yes", code=1)
    assert "versioningConfiguration.status: expected a string, found the number 3" in shown
    assert "versioningConfiguration.statuss: unknown property; did you mean status?" in shown
    sample.write(HEAD + 'aws.cloudwatch.LogGroup("g", name="never-made", retention_in_days="soon", tags={"a": 5})\n')
    shown = sample.pulumi("up", "--yes", "--skip-preview", code=1)
    assert "retentionInDays: expected an integer, found the string" in shown
    assert "tags.a: expected a string, found the number 5" in shown
    assert not client(cloud, "logs").describe_log_groups(logGroupNamePrefix="never-made")["logGroups"]


def test_an_unknown_type_fails_by_name(project, cloud):
    sample = project(f'{HEAD}aws.sqs.Queue("q")\n', cloud)
    assert "does not know the type aws:sqs/queue:Queue" in sample.pulumi("preview", code=1)


def test_it_never_speaks_to_aws_itself(project):
    sample = project(f'{HEAD}aws.sqs.Queue("q")\n')
    own = dict(sample.environment)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COST_EXPLORER"):
        sample.environment = {**own, name: "https://s3.amazonaws.com"}
        shown = sample.pulumi("preview", code=1)
        assert "stands in for the official one, and speaks to the local cloud only" in shown and name in shown


def test_destroy_leaves_nothing(stack, cloud):
    stack.pulumi("destroy", "--yes")
    assert list_account(cloud) == []


def test_the_schema_is_what_the_sdk_says():
    assert schema.read_sdk(CALLS) == schema.load(), "run: python -m localcloud.provider.schema"


@pytest.mark.parametrize("token", sorted(CALLS))
def test_rows_name_properties_that_the_type_has(token):
    known = set(schema.load()[token]["inputs"])
    calls = CALLS[token]
    named = {*calls.provider_only.split(), *calls.prepared.split(), *calls.defaults} | changeable(calls)
    for call in (*calls.creation, *calls.update):
        named |= call.walked | call.triggers
    assert named <= known
    assert set(calls.computed) <= known | set(schema.load()[token]["outputs"])
    assert set(schema.load()[token]["required"]) <= carried(calls)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_settles_with_itself_and_does_not_differ(value):
    assert settle(value, value) == value
    assert differing({"a": value}, {"a": value}) == set()


@given(st.lists(st.text(max_size=4), unique=True, max_size=5), st.randoms())
def test_another_order_of_a_list_is_no_change(items, chance):
    shuffled = items[:]
    chance.shuffle(shuffled)
    assert settle(items, shuffled) == items


@given(st.dictionaries(st.sampled_from(["name", "size", "nmae"]), VALUES))
def test_check_never_passes_what_is_not_in_the_specification(value):
    problems = []
    specification = {"object": {"name": "string", "size": "integer"}, "required": ["name"]}
    made = check_object(specification, value, "", problems)
    good = isinstance(value.get("name"), str) and type(value.get("size")) in (int, type(None)) and "nmae" not in value
    assert (not problems) == good
    assert set(made) <= {"name", "size"}


def test_names_match_without_case_and_plural():
    assert fold("inputDataConfigs") == fold("InputDataConfig")
    assert fold("ipAddresses") == fold("IpAddress")
    assert fold("policies") == fold("Policy")


def test_a_job_is_replaced_by_creating_first_unless_the_program_says_otherwise():
    """As by the official provider, whose plugin framework knows no names: under the same one AWS refuses it."""
    urn = "urn:pulumi:test::sample::aws:sagemaker/trainingJob:TrainingJob::job"
    old = {"trainingJobName": "job", "stoppingCondition": {"maxRuntimeInSeconds": 60}}
    new = {**old, "stoppingCondition": {"maxRuntimeInSeconds": 90}}
    answer = Provider().Diff(DiffRequest(urn=urn, old_inputs=_struct(old), news=_struct(new)), None)
    assert list(answer.replaces) == ["stoppingCondition"] and not answer.deleteBeforeReplace
    role = urn.replace("sagemaker/trainingJob:TrainingJob", "iam/role:Role")
    old, new = {"name": "r", "path": "/a/"}, {"name": "r", "path": "/b/"}
    assert Provider().Diff(DiffRequest(urn=role, old_inputs=_struct(old), news=_struct(new)), None).deleteBeforeReplace
