"""The platform and the training window, as the engine sees them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pulumi
import pytest

from costs.book.prices import PriceBook
from localcloud.aws.types import CALLS
from stacks import platform_stack, window
from stacks.settings import PlatformSettings, WindowSettings, read
from tests.components.samples import COMPONENTS
from tests.stacks.conftest import PLATFORM

TYPES = {component.token for component in COMPONENTS} | CALLS.keys()
VALUES: dict[str, object] = {"aws:region": "us-east-1", "shoestring:owner": "me@example.com"}
FOREVER = "2999-01-01T00:00:00Z"
COST_TAGS = {"Project", "Environment", "Team", "Owner", "CostCenter", "ManagedBy"}
Program = Callable[[], None]


def platform(stack: str = "dev", **values: object) -> Program:
    settings = read(stack, VALUES | {f"shoestring:{key}": value for key, value in values.items()})
    assert isinstance(settings, PlatformSettings)
    return lambda: platform_stack.build(settings)


def training(stack: str = "dev-window", **values: object) -> Program:
    settings = read(stack, VALUES | {f"shoestring:{key}": value for key, value in values.items()})
    assert isinstance(settings, WindowSettings)
    return lambda: window.build(settings)


PROGRAMS: dict[str, tuple[str, Program]] = {
    "platform": ("dev", platform()),
    "platform of local": ("local", platform("local", jobLogs=True)),
    "platform of prod with postgres on spot": ("prod", platform("prod", mlflow={"database": "postgres", "spot": True})),
    "window": ("dev-window", training(leaseUntil=FOREVER)),
    "window of local": ("local-window", training("local-window", leaseUntil=FOREVER)),
}
both = pytest.mark.parametrize("name", PROGRAMS)


def start(run: Any, name: str, **words: Any) -> Any:
    stack, program = PROGRAMS[name]
    return run(program, stack=stack, **words)


@both
def test_only_listed_types_are_made(run: Any, name: str) -> None:
    made = {each.type for each in start(run, name).all if not each.type.startswith("pulumi:")}
    assert made and not made - TYPES, "no row in localcloud/aws: see CONTRIBUTING.md"


def test_every_listed_type_is_made_by_some_program(run: Any) -> None:
    made = {each.type for name in PROGRAMS for each in start(run, name).all}
    # What instances and jobs make, and a repair removes where it is left behind.
    assert made >= TYPES - {"aws:ebs/volume:Volume", "aws:ec2/networkInterface:NetworkInterface"}


@both
def test_everything_taggable_carries_the_cost_tags(run: Any, name: str) -> None:
    from policies.taggable import taggable

    resources = [each for each in start(run, name).all if taggable(each.type)]
    assert resources
    for each in resources:
        assert set(each.inputs.get("tags", {})) >= COST_TAGS, each.type
        if name.startswith("window"):
            assert each.inputs["tags"]["shoestring:lease"] == FOREVER


@both
def test_children_hang_below_their_component(run: Any, name: str) -> None:
    alone = {"aws:cloudwatch/logGroup:LogGroup", "aws:s3/bucketObjectv2:BucketObjectv2"}
    for each in start(run, name).all:
        if each.type.startswith("aws:") and not each.parent.split("::")[2].split("$")[-1].startswith("shoestring:"):
            assert each.type in alone


@both
def test_components_register_their_outputs(run: Any, name: str) -> None:
    world = start(run, name)
    made = [each for each in world.all if each.type.startswith("shoestring:")]
    assert made
    for each in made:
        (outputs,) = (o for urn, o in world.outputs.items() if urn.endswith(f"{each.type}::{each.name}"))
        assert outputs and all(value is not None for value in outputs.values())


@both
def test_the_first_preview_shows_everything(run: Any, name: str) -> None:
    def seen(world: Any) -> set[tuple[str, str, str]]:
        return {(each.type, each.name, each.parent) for each in world.all}

    assert seen(start(run, name, preview=True)) == seen(start(run, name))


def test_the_platforms_outputs(run: Any) -> None:
    assert start(run, "platform").exports == {
        "bucket": "shoestring-dev-123456789012",
        "mlflow_url": "http://10.20.0.10:5000",
        "mlflow_instance_id": "shoestring-dev-mlflow-id",
        "subnet_ids": ["shoestring-dev-a-id"],
        "zones": ["us-east-1a"],
        "mlflow_instance_type": "t4g.nano",
        "vpc_id": "shoestring-dev-id",
        "mlflow_security_group_id": "shoestring-dev-mlflow",
        "inference_url": "https://x.lambda-url.us-east-1.on.aws/",
        "inference_function": "shoestring-dev-inference",
        "inference_alias": "live",
        "models": {"breast-cancer": "none"},
        "champions": "/shoestring/dev/champions",
        "idle_monthly_usd": "8.17",
        "cost_report_function": "shoestring-dev-cost-report",
        "window_gate": "/shoestring/dev/window-gate",
        "budget": "shoestring-dev-costs",
        "anomaly_monitor": "arn:aws:x:us-east-1:123456789012:shoestring-dev-costs",
        "cost_topic": "arn:aws:x:us-east-1:123456789012:shoestring-dev-costs",
        "region": "us-east-1",
    }


def test_what_the_components_cost(run: Any) -> None:
    world = start(run, "platform")
    figures = {
        each.type: Decimal(world.outputs[urn]["monthly_usd"])
        for each in world.all
        for urn in world.outputs
        if each.type.startswith("shoestring:") and urn.endswith(f"{each.type}::{each.name}")
    }
    assert {kind: figure for kind, figure in figures.items() if figure} == {
        "shoestring:tracking:MlflowServer": 730 * (Decimal("0.0042") + Decimal("0.005")) + 8 * Decimal("0.08"),
        "shoestring:costs:CostGuard": Decimal("0.60"),
        "shoestring:costs:CostReport": 5 * Decimal("0.01") * 730 / 168,
    }
    total = sum(figures.values()).quantize(Decimal("0.01"))
    assert world.exports["idle_monthly_usd"] == str(total) == "8.17"


@pytest.mark.parametrize("name", ["platform", "platform of local"])
def test_an_idle_platform_stays_below_ten_dollars(run: Any, name: str) -> None:
    assert Decimal(start(run, name).exports["idle_monthly_usd"]) < 10


def test_a_database_is_counted(run: Any) -> None:
    world = start(run, "platform of prod with postgres on spot")
    assert Decimal(world.exports["idle_monthly_usd"]) == Decimal("8.17") + Decimal("14.38")


def test_a_region_without_prices_is_a_warning_and_no_failure(run: Any) -> None:
    settings = read("dev", VALUES | {"aws:region": "ap-northeast-3"})
    assert isinstance(settings, PlatformSettings)
    assert "idle_monthly_usd" not in run(lambda: platform_stack.build(settings)).exports


def test_a_jobs_worst_case_is_its_longest_run_on_demand(run: Any) -> None:
    world = start(run, "window")
    (job,) = (each for each in world.all if each.type == "shoestring:training:SpotTrainingJob")
    (outputs,) = (outputs for urn, outputs in world.outputs.items() if urn.endswith(f"::{job.name}"))
    inputs = world.one("TrainingJob").inputs
    hours = Decimal(int(inputs["stoppingCondition"]["maxRuntimeInSeconds"])) / 3600
    book, machine = PriceBook.load(), inputs["resourceConfig"]
    instance = book.price("sagemaker-training", machine["instanceType"]).usd
    stored = book.price("sagemaker", "training-storage").usd * int(machine["volumeSizeInGb"]) / 730
    assert abs(Decimal(outputs["worst_case_usd"]) - hours * (instance + stored)) < Decimal("1e-12")
    assert outputs["monthly_usd"] == "0"


def test_nothing_is_asked_about_a_parameter_that_is_not_there_yet(run: Any) -> None:
    assert "aws:ssm/getParameter:getParameter" not in start(run, "platform", preview=True).calls


def test_a_promoted_version_is_deployed(run: Any) -> None:
    world = start(run, "platform", parameter='{"breast-cancer": "7", "iris": "2"}')
    assert world.named("Function", "shoestring-dev-inference").inputs["environment"]["variables"] == {
        "MODEL_BUCKET": "shoestring-dev-123456789012",
        "MODELS": '{"breast-cancer": "7"}',
    }
    assert world.exports["models"] == {"breast-cancer": "7"}
    assert [each.ignored for each in world.of("Parameter")] == [["value"], ["value"]]


def test_several_models_are_served_side_by_side_and_no_others_are_read(run: Any) -> None:
    build = platform(inference={"model": "iris", "additionalModels": ["churn", "iris"]})
    world = run(build, parameter='{"breast-cancer": "7", "iris": "2"}')
    assert world.exports["models"] == {"iris": "2", "churn": "none"}
    function = world.named("Function", "shoestring-dev-inference").inputs
    assert function["description"] == "Inference with iris, churn"
    (rights,) = (each for each in world.of("RolePolicy") if each.name == "shoestring-dev-inference")
    (models,) = (each for each in json.loads(rights.inputs["policy"])["Statement"] if each["Sid"] == "Models")
    place = "arn:aws:s3:::shoestring-dev-123456789012/models"
    assert models["Resource"] == [f"{place}/iris/*", f"{place}/churn/*"]


def test_a_platform_of_an_earlier_release_keeps_its_champion(run: Any) -> None:
    world = start(run, "platform", earlier={"/shoestring/dev/models/breast-cancer/champion": "3"})
    pointers = world.named("Parameter", "shoestring-dev-champions").inputs
    assert pointers["name"] == "/shoestring/dev/champions"
    assert json.loads(pointers["value"]["value"]) == {"breast-cancer": "3"}


@pytest.mark.parametrize("text", ["none", "[1]", '{"iris": 2}'])
def test_champions_that_are_none_are_said_and_not_served(run: Any, text: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"/shoestring/dev/champions holds (?s:.*)aws ssm put-parameter"):
        start(run, "platform", parameter=text)


def test_nobody_gets_in_from_the_internet(run: Any) -> None:
    world = start(run, "platform of prod with postgres on spot")
    ways = [each.inputs for each in world.of("SecurityGroupIngressRule")]
    assert [(way["fromPort"], way["toPort"]) for way in ways] == [(5432, 5432)]
    assert all("referencedSecurityGroupId" in way and "cidrIpv4" not in way for way in ways)
    assert world.one("FunctionUrl").inputs["authorizationType"] == "AWS_IAM"
    database = next(each.inputs for each in world.all if each.type == "aws:rds/instance:Instance")
    assert (database["publiclyAccessible"], database["storageEncrypted"]) == (False, True)


def test_the_bucket_is_private_encrypted_and_forgets(run: Any) -> None:
    world = start(run, "platform")
    block = world.one("BucketPublicAccessBlock").inputs
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(block[switch] is True for switch in switches)
    (rule,) = world.one("BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    rules = {each["id"]: each for each in world.one("BucketLifecycleConfiguration").inputs["rules"]}
    assert rules["checkpoints"]["expiration"] == {"days": 14}
    assert "abortIncompleteMultipartUpload" in rules["everything"]


def test_what_can_be_destroyed_without_asking(run: Any) -> None:
    dev, prod = start(run, "platform"), start(run, "platform of prod with postgres on spot")
    assert (dev.one("Bucket").inputs["forceDestroy"], dev.one("Bucket").protect) == (True, False)
    assert (prod.one("Bucket").inputs["forceDestroy"], prod.one("Bucket").protect) == (False, True)
    assert prod.one("Bucket").retained


@pytest.mark.parametrize(("name", "spot"), [("platform", False), ("platform of prod with postgres on spot", True)])
def test_the_tracking_servers_machine(run: Any, name: str, spot: bool) -> None:
    template = start(run, name).one("LaunchTemplate").inputs
    assert template["metadataOptions"]["httpTokens"] == "required"
    assert template["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert template["blockDeviceMappings"][0]["ebs"]["encrypted"] == "true"
    assert template["imageId"].startswith("resolve:ssm:/aws/service/") and template["imageId"].endswith("-arm64")
    assert "keyName" not in template
    kinds = {each["resourceType"]: set(each["tags"]) for each in template["tagSpecifications"]}
    expected = {"instance", "volume", "network-interface"} | ({"spot-instances-request"} if spot else set())
    assert set(kinds) == expected and all(tags >= COST_TAGS for tags in kinds.values())
    assert ("instanceMarketOptions" in template) is spot
    if spot:  # without an end of its own, AWS ends the request after 7 days
        until = template["instanceMarketOptions"]["spotOptions"]["validUntil"]
        assert datetime.fromisoformat(until) > datetime.now(UTC) + timedelta(days=3 * 365)
    assert b"MLFLOW_HOST_BUCKET=shoestring-" in base64.b64decode(template["userData"]).replace(b"\\n", b"\n")


def test_a_job_is_the_one_of_its_file(run: Any) -> None:
    world = start(run, "window")
    job = world.one("TrainingJob").inputs
    assert job["enableManagedSpotTraining"] is True
    assert job["stoppingCondition"]["maxWaitTimeInSeconds"] >= job["stoppingCondition"]["maxRuntimeInSeconds"]
    bucket = "s3://shoestring-dev-123456789012"
    assert job["checkpointConfig"]["s3Uri"] == f"{bucket}/checkpoints/{job['trainingJobName']}/"
    assert job["hyperParameters"]["sagemaker_submit_directory"].startswith(f'"{bucket}/code/')
    assert job["hyperParameters"]["sagemaker_program"] == '"breast_cancer.py"'
    channels = {each["channelName"]: each["dataSource"]["s3DataSource"] for each in job["inputDataConfigs"]}
    assert channels["training"]["s3Uri"].startswith(f"{bucket}/data/breast-cancer/")
    assert channels["wheels"]["s3Uri"] == f"{bucket}/wheels/c0de/"
    assert job["environment"]["MLFLOW_TRACKING_URI"] == "http://10.20.0.10:5000"
    assert job["environment"]["AWS_DEFAULT_REGION"] == "us-east-1"
    group, way = world.one("SecurityGroup"), world.one("SecurityGroupIngressRule").inputs
    assert job["vpcConfig"] == {"subnets": ["subnet-0a"], "securityGroupIds": [group.inputs["name"]]}
    assert (group.inputs["name"], group.inputs["vpcId"]) == (job["trainingJobName"], "vpc-0a")
    assert (way["securityGroupId"], way["referencedSecurityGroupId"]) == ("sg-0b", group.inputs["name"])
    assert (way["fromPort"], way["toPort"]) == (5000, 5000)
    assert world.exports["lease"] == FOREVER
    (made,) = world.exports["jobs"]
    assert (made["name"], made["model"]) == (job["trainingJobName"], "breast-cancer")


def test_wheels_are_uploaded_where_jobs_reach_no_index(run: Any) -> None:
    keys = [each.inputs["key"] for each in start(run, "window").of("BucketObjectv2")]
    assert [key for key in keys if key.startswith("wheels/")] == [
        "wheels/c0de/a-1-py3-none-any.whl",
        "wheels/c0de/b-2-py3-none-any.whl",
    ]


def test_a_job_on_the_local_cloud_brings_no_wheels(run: Any) -> None:
    world = start(run, "window of local")
    assert [each["channelName"] for each in world.one("TrainingJob").inputs["inputDataConfigs"]] == ["training"]
    assert not [each for each in world.of("BucketObjectv2") if each.inputs["key"].startswith("wheels/")]


CLOSED = {
    "state": "closed",
    "spent_usd": "15.40",
    "limit_usd": "15.00",
    "period": f"{datetime.now(UTC):%Y-%m}",
    "at": "2026-11-25T10:00:00Z",
    "why": "ACTUAL alarm of shoestring-dev-costs",
}


@pytest.mark.parametrize("name", ["window", "window of local"])
def test_no_window_comes_up_where_the_budget_is_spent(run: Any, name: str) -> None:
    environment = PROGRAMS[name][0].removesuffix("-window")
    with pytest.raises(pulumi.RunError) as refused:
        start(run, name, gate=json.dumps(CLOSED))
    for part in (
        f"{environment} takes no new training window: 15.40 of 15.00 dollars are spent in {CLOSED['period']}",
        "closed at 2026-11-25T10:00:00Z: ACTUAL alarm of shoestring-dev-costs",
        f"shoestring budget reopen -e {environment}",
    ):
        assert part in str(refused.value)


def test_nothing_of_a_refused_window_is_made(run: Any) -> None:
    made: list[str] = []

    def program() -> None:
        PROGRAMS["window"][1]()

    with pytest.raises(pulumi.RunError):
        run(program, stack="dev-window", gate=json.dumps(CLOSED), seen=made)
    assert [kind for kind in made if kind.startswith("aws:")] == []


def test_a_gate_of_another_month_is_open(run: Any) -> None:
    assert start(run, "window", gate=json.dumps({**CLOSED, "period": "2020-01"})).of("TrainingJob")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, r"no parameter /shoestring/dev/window-gate(?s:.*)pulumi up --refresh --stack dev"),
        ("none", r"'none' is not the value of a gate(?s:.*)shoestring budget reopen -e dev"),
    ],
)
def test_a_gate_that_cannot_be_read_is_no_open_one(run: Any, value: str | None, said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        start(run, "window", gate=value)


def test_a_platform_from_before_the_gate_is_named(run: Any) -> None:
    older = {key: value for key, value in PLATFORM.items() if key != "window_gate"}
    with pytest.raises(pulumi.RunError, match=r"older than this program: it has no window_gate(?s:.*)pulumi up"):
        start(run, "window", stacks={"dev": older})


def test_a_window_in_another_region_than_its_platform_is_refused_before_anything_is_made(run: Any) -> None:
    seen: list[str] = []
    elsewhere = {"dev": {**PLATFORM, "region": "eu-west-1"}}
    with pytest.raises(
        pulumi.RunError, match=r"us-east-1, and the platform dev is in eu-west-1(?s:.*)pulumi config set"
    ):
        start(run, "window", stacks=elsewhere, seen=seen)
    assert not [kind for kind in seen if kind.startswith("aws:")]
    assert start(run, "window", stacks={"dev": {**PLATFORM, "region": "us-east-1"}}).exports["region"] == "us-east-1"


def test_alarms_go_to_the_owner_except_on_the_local_cloud(run: Any) -> None:
    heard = [each.inputs for each in start(run, "platform").of("TopicSubscription")]
    assert {each["protocol"]: each["endpoint"] for each in heard}["email"] == "me@example.com"
    assert [each.inputs["protocol"] for each in start(run, "platform of local").of("TopicSubscription")] == ["lambda"]


@pytest.mark.parametrize(("stack", "limit"), [("dev", "15"), ("prod", "60")])
def test_the_budget_counts_what_carries_both_tags(run: Any, stack: str, limit: str) -> None:
    budget = run(platform(stack, project="p"), stack=stack).one("Budget").inputs
    assert (budget["limitAmount"], budget["timeUnit"], budget["budgetType"]) == (limit, "MONTHLY", "COST")
    parts = [each["tags"] for each in budget["filterExpression"]["ands"]]
    assert {each["key"]: each["values"] for each in parts} == {"Project": ["p"], "Environment": [stack]}
    told = [(each["notificationType"], each["threshold"]) for each in budget["notifications"]]
    assert told == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]


def test_a_reason_for_higher_costs_is_a_tag_of_everything(run: Any) -> None:
    world = run(platform(costOverride="40 ann@example.com more users"))
    assert world.one("Bucket").inputs["tags"]["shoestring:cost-override"] == "40 ann@example.com more users"
    assert "shoestring:cost-override" not in start(run, "platform").one("Bucket").inputs["tags"]


def test_the_schedule_may_call_the_report_and_nothing_else(run: Any) -> None:
    world = start(run, "platform")
    schedule = world.one("Schedule").inputs
    assert schedule["scheduleExpression"] == "cron(0 6 ? * MON *)"
    assert schedule["flexibleTimeWindow"] == {"mode": "OFF"}
    (statement,) = json.loads(world.named("RolePolicy", "shoestring-dev-cost-report-schedule").inputs["policy"])[
        "Statement"
    ]
    assert (statement["Action"], statement["Resource"]) == (["lambda:InvokeFunction"], [schedule["target"]["arn"]])


def test_a_window_without_its_platform_says_what_to_do(run: Any) -> None:
    with pytest.raises(pulumi.RunError, match=r"(?s)the platform dev is not up.*pulumi up --stack dev"):
        start(run, "window", stacks={})


def test_a_second_up_keeps_the_lease(run: Any) -> None:
    earlier = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world = run(training(), stack="dev-window", own={"lease": earlier})
    assert world.exports["lease"] == earlier


def test_a_state_that_is_being_written_is_read_again(run: Any) -> None:
    earlier = "2099-01-01T00:00:00Z"
    world = run(training(), stack="dev-window", own={"lease": earlier}, torn_reads=2)
    assert world.torn_reads == 0
    assert world.exports["lease"] == earlier
