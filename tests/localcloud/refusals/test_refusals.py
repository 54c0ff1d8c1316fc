"""What AWS refuses, the local cloud refuses, with AWS's codes and words."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from components.mlflow_server import SPOT_UNTIL
from costs.book.quotas import quotas
from tests.localcloud.refusals.conftest import Door

Refused = Callable[..., str]
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
FIFTY_ONE = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]


def policy(characters: int) -> str:
    """A policy of some size, white space not counted."""
    empty = json.dumps({"Version": "2012-10-17", "Statement": [{**STATEMENT, "Sid": ""}]})
    return empty.replace('"Sid": ""', f'"Sid": "{"x" * (characters - len("".join(empty.split())))}"')


@pytest.fixture(scope="module")
def roles(door: Door) -> dict[str, str]:
    return {name: door.role(f"for-{name}", f"{name}.amazonaws.com") for name in ("lambda", "sagemaker", "ec2")}


def test_a_new_accounts_concurrency_is_ten_and_none_of_it_can_be_reserved(
    door: Door, roles: dict[str, str], refused: Refused
) -> None:
    door.function("reserving", roles["lambda"])
    functions = door.client("lambda")
    assert functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 10
    message = refused(
        "InvalidParameterValueException", functions.put_function_concurrency, FunctionName="reserving",
        ReservedConcurrentExecutions=1,
    )  # fmt: skip
    assert message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [10]."
    )


@pytest.mark.parametrize(("limit", "least", "free"), [(50, 50, 0), (100, 100, 0), (105, 100, 5), (1000, 100, 900)])
def test_a_larger_limit_leaves_a_hundred(
    door: Door, roles: dict[str, str], refused: Refused, limit: int, least: int, free: int
) -> None:
    door.settings(quotas={"Concurrent executions": limit})
    name = f"limit-{limit}"
    door.function(name, roles["lambda"])
    reserve = door.client("lambda").put_function_concurrency
    if free:
        reserve(FunctionName=name, ReservedConcurrentExecutions=free)
    message = refused(
        "InvalidParameterValueException", reserve, FunctionName=name, ReservedConcurrentExecutions=free + 1
    )
    assert f"minimum value of [{least}]" in message
    door.client("lambda").delete_function(FunctionName=name)


def test_what_other_functions_reserve_counts(door: Door, roles: dict[str, str], refused: Refused) -> None:
    door.settings(quotas={"L-B99A9384": 110})
    for name in ("first", "second"):
        door.function(name, roles["lambda"])
    reserve = door.client("lambda").put_function_concurrency
    reserve(FunctionName="first", ReservedConcurrentExecutions=6)
    refused("InvalidParameterValueException", reserve, FunctionName="second", ReservedConcurrentExecutions=5)
    reserve(FunctionName="second", ReservedConcurrentExecutions=4)
    reserve(FunctionName="first", ReservedConcurrentExecutions=5)  # its own does not count twice


def test_a_role_that_lambda_may_not_assume(door: Door, roles: dict[str, str], refused: Refused) -> None:
    for role in (roles["sagemaker"], "arn:aws:iam::000000000000:role/absent"):
        message = refused("InvalidParameterValueException", door.function, "wrong", role)
        assert message == "The role defined for the function cannot be assumed by Lambda."


def test_a_role_that_sagemaker_may_not_assume(door: Door, roles: dict[str, str], refused: Refused) -> None:
    message = refused("ValidationException", door.job, "wrong", roles["lambda"])
    assert message == (
        f"Could not assume role {roles['lambda']}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def test_a_new_role_is_not_known_at_first(door: Door, refused: Refused) -> None:
    door.settings(role_seconds=3600)
    late = door.role("late", "lambda.amazonaws.com", "sagemaker.amazonaws.com")
    refused("InvalidParameterValueException", door.function, "late", late)
    refused("ValidationException", door.job, "late", late)
    door.settings(role_seconds=0)
    door.function("late", late)


def test_a_functions_variables_have_4_kb(door: Door, roles: dict[str, str], refused: Refused) -> None:
    variables = {"Variables": {"LONG": "x" * 4086}}
    message = refused("InvalidParameterValueException", door.function, "long", roles["lambda"], Environment=variables)
    assert message.startswith("Lambda was unable to configure your environment variables because")
    door.function("fits", roles["lambda"], Environment={"Variables": {"LONG": "x" * 4085}})


def test_a_zip_in_a_request_has_50_mb(door: Door, roles: dict[str, str], refused: Refused) -> None:
    code = {"ZipFile": bytes(53 * 1000 * 1000)}
    message = refused("RequestEntityTooLargeException", door.function, "big", roles["lambda"], Code=code)
    assert message == "Request must be smaller than 70167211 bytes for the CreateFunction operation"


def test_policies_have_sizes(door: Door, refused: Refused) -> None:
    iam, role = door.client("iam"), "sizes"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(200))
    message = refused("LimitExceeded", iam.create_policy, PolicyName="managed", PolicyDocument=policy(6145))
    assert message == "Cannot exceed quota for PolicySize: 6144"
    arn = iam.create_policy(PolicyName="managed", PolicyDocument=policy(6144))["Policy"]["Arn"]
    refused("LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=policy(6145))
    iam.put_role_policy(RoleName=role, PolicyName="first", PolicyDocument=policy(9000))
    message = refused(
        "LimitExceeded", iam.put_role_policy, RoleName=role, PolicyName="second", PolicyDocument=policy(1241)
    )
    assert message == "Maximum policy size of 10240 bytes exceeded for role sizes"
    iam.put_role_policy(RoleName=role, PolicyName="second", PolicyDocument=policy(1240))
    iam.put_role_policy(RoleName=role, PolicyName="first", PolicyDocument=policy(9000))  # itself does not count twice
    message = refused("LimitExceeded", iam.create_role, RoleName="trust", AssumeRolePolicyDocument=policy(2049))
    assert message == "Cannot exceed quota for ACLSizePerRole: 2048"


def test_a_role_has_ten_managed_policies(door: Door, refused: Refused) -> None:
    iam = door.client("iam")
    door.role("attached", "lambda.amazonaws.com")
    arns = [
        iam.create_policy(PolicyName=f"attached-{number}", PolicyDocument=policy(200))["Policy"]["Arn"]
        for number in range(11)
    ]
    for arn in [*arns[:10], arns[0]]:
        iam.attach_role_policy(RoleName="attached", PolicyArn=arn)
    message = refused("LimitExceeded", iam.attach_role_policy, RoleName="attached", PolicyArn=arns[10])
    assert message == "Cannot exceed quota for PoliciesPerRole: 10"


def test_a_resource_has_fifty_tags(door: Door, roles: dict[str, str], refused: Refused) -> None:
    trust = policy(200)
    refused(
        "ValidationError", door.client("iam").create_role, RoleName="x", AssumeRolePolicyDocument=trust, Tags=FIFTY_ONE
    )
    refused("ValidationException", door.job, "tagged", roles["sagemaker"], Tags=FIFTY_ONE)
    tags = {tag["Key"]: tag["Value"] for tag in FIFTY_ONE}
    message = refused("InvalidParameterValueException", door.function, "tagged", roles["lambda"], Tags=tags)
    assert message == "Number of tags exceeds resource tag limit."
    specifications = [{"ResourceType": "vpc", "Tags": FIFTY_ONE}]
    ec2 = door.client("ec2")
    refused("TagLimitExceeded", ec2.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=specifications)


def test_user_data_has_16_kb(door: Door, refused: Refused) -> None:
    ec2 = door.client("ec2")
    launch = {"ImageId": "ami-12345678", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
    message = refused("InvalidParameterValue", ec2.run_instances, **launch, UserData="#" * 16385)
    assert message == "User data is limited to 16384 bytes"
    template = ec2.create_launch_template(
        LaunchTemplateName="long", LaunchTemplateData={"UserData": base64.b64encode(b"#" * 16385).decode()}
    )["LaunchTemplate"]["LaunchTemplateId"]
    refused("InvalidParameterValue", ec2.run_instances, **launch, LaunchTemplate={"LaunchTemplateId": template})


def test_vcpus_on_demand_and_spot_have_quotas_of_their_own(door: Door, refused: Refused) -> None:
    door.settings(quotas={"L-1216C47A": 4, "L-34B43A08": 2})
    ec2 = door.client("ec2")
    launch = {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1}
    running = ec2.run_instances(**launch, InstanceType="t3.nano")["Instances"][0]["InstanceId"]
    message = refused("VcpuLimitExceeded", ec2.run_instances, **launch, InstanceType="m5.xlarge")
    assert message.startswith("You have requested more vCPU capacity than your current vCPU limit of 4 allows")
    refused("VcpuLimitExceeded", ec2.run_instances, **launch, InstanceType="g4dn.xlarge")  # of another quota: 0
    spot = {"MarketType": "spot"}
    message = refused(
        "MaxSpotInstanceCountExceeded", ec2.run_instances, **launch, InstanceType="m5.xlarge",
        InstanceMarketOptions=spot,
    )  # fmt: skip
    assert message == "Max spot instance count exceeded"
    tags = [{"ResourceType": "spot-instances-request", "Tags": [{"Key": "Team", "Value": "ml"}]}]
    data = {"InstanceType": "t3.nano", "InstanceMarketOptions": spot, "TagSpecifications": tags}
    template = ec2.create_launch_template(LaunchTemplateName="spot", LaunchTemplateData=data)["LaunchTemplate"]
    named = {"LaunchTemplate": {"LaunchTemplateId": template["LaunchTemplateId"]}}
    tagged = [{"ResourceType": "instance", "Tags": [
        {"Key": "aws:ec2launchtemplate:id", "Value": template["LaunchTemplateId"]},
        {"Key": "aws:ec2launchtemplate:version", "Value": "1"},
    ]}]  # fmt: skip
    ec2.run_instances(**launch, **named, TagSpecifications=tagged)
    refused("MaxSpotInstanceCountExceeded", ec2.run_instances, **launch, **named)
    ec2.terminate_instances(InstanceIds=[running])
    ec2.run_instances(**launch, InstanceType="m5.xlarge")


def test_zone_may_lack_an_instance_type(door: Door, refused: Refused) -> None:
    door.settings(lacking_types={"us-east-1a": ["t3.nano"]})
    ec2 = door.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.70.0.0/16")["Vpc"]["VpcId"]
    here, there = (
        ec2.create_subnet(VpcId=network, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for block, zone in (("10.70.0.0/24", "us-east-1a"), ("10.70.1.0/24", "us-east-1b"))
    )
    launch = {"ImageId": "ami-12345678", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
    message = refused("Unsupported", ec2.run_instances, **launch, SubnetId=here)
    assert "(t3.nano) is not supported in your requested Availability Zone (us-east-1a)" in message
    assert message.endswith("or choosing us-east-1b, us-east-1c.")
    running = ec2.run_instances(**launch, SubnetId=there)["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[running])
    for subnet in (here, there):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=network)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"SpotInstanceType": "persistent"}, "AWS would end it after 7 days"),
        ({"SpotInstanceType": "persistent", "ValidUntil": "2020-01-01T00:00:00Z"}, "not in the future"),
        (
            {"SpotInstanceType": "one-time", "ValidUntil": "2037-01-01T00:00:00Z"},
            "The parameter validUntil cannot be specified when the SpotRequestType is set to 'one-time'.",
        ),
        ({"SpotInstanceType": "persistent", "ValidUntil": SPOT_UNTIL}, ""),
        ({"SpotInstanceType": "one-time"}, ""),
        ({}, ""),
    ],
)
def test_spot_request_that_stays_names_its_end(
    door: Door, refused: Refused, options: dict[str, str], says: str
) -> None:
    ec2, market = door.client("ec2"), {"MarketType": "spot", "SpotOptions": options}
    data = {"InstanceType": "t3.nano", "InstanceMarketOptions": market}
    words = {"LaunchTemplateName": f"until-{len(str(options))}", "LaunchTemplateData": data}
    if says:
        code = "InvalidParameterValue" if "future" in says else "InvalidParameterCombination"
        assert says in refused(code, ec2.create_launch_template, **words)
    else:
        ec2.create_launch_template(**words)


def test_networks_and_addresses_are_counted(door: Door, refused: Refused) -> None:
    ec2 = door.client("ec2")
    made = len(ec2.describe_vpcs()["Vpcs"])
    networks = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(5 - made)]
    assert "maximum number of VPCs" in refused("VpcLimitExceeded", ec2.create_vpc, CidrBlock="10.9.0.0/16")
    addresses = [ec2.allocate_address()["AllocationId"] for _ in range(5)]
    message = refused("AddressLimitExceeded", ec2.allocate_address)
    for network in networks:
        ec2.delete_vpc(VpcId=network)
    for address in addresses:
        ec2.release_address(AllocationId=address)
    assert message == "The maximum number of addresses has been reached."


@pytest.mark.parametrize("spot", [False, True])
def test_training_instances_have_a_quota_by_type(
    door: Door, roles: dict[str, str], refused: Refused, spot: bool
) -> None:
    kind = f"ml.g4dn.xlarge for {'spot ' if spot else ''}training job usage"
    message = refused("ResourceLimitExceeded", door.job, f"gpu-{spot}", roles["sagemaker"], "ml.g4dn.xlarge", spot)
    assert message == (
        f"The account-level service limit '{kind}' is 0 Instances, with current utilization of 0 Instances and a "
        "request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS "
        "Service Quotas is not available, contact AWS support to request an increase for this quota."
    )
    asking = door.client("service-quotas")
    code = next(quota.code for quota in quotas().values() if quota.name == kind)
    asking.request_service_quota_increase(ServiceCode="sagemaker", QuotaCode=code, DesiredValue=1)
    door.job(f"gpu-{spot}", roles["sagemaker"], "ml.g4dn.xlarge", spot)


def test_a_tag_cannot_be_watched_in_a_member_account(door: Door, refused: Refused) -> None:
    watch = door.client("ce").create_anomaly_monitor
    tag = {"Tags": {"Key": "Environment", "Values": ["dev"]}}
    custom = {"MonitorName": "m", "MonitorType": "CUSTOM", "MonitorSpecification": tag}
    door.settings(payer="999999999999")
    refused("ValidationException", watch, AnomalyMonitor=custom)
    watch(AnomalyMonitor={"MonitorName": "s", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"})
    door.settings()
    watch(AnomalyMonitor=custom)


def test_a_parameter_has_4_kb(door: Door, refused: Refused) -> None:
    put = door.client("ssm").put_parameter
    refused("ValidationException", put, Name="/x", Type="String", Value="x" * 4097)
    put(Name="/x", Type="String", Value="x" * 4096)


def test_names_that_exist_are_refused_by_the_emulators_themselves(
    door: Door, roles: dict[str, str], refused: Refused
) -> None:
    door.function("twice", roles["lambda"])
    refused("ResourceConflictException", door.function, "twice", roles["lambda"])
    logs = door.client("logs")
    logs.create_log_group(logGroupName="/twice")
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName="/twice")
    door.role("twice", "lambda.amazonaws.com")
    refused("EntityAlreadyExists", door.role, "twice", "lambda.amazonaws.com")
    parameters: dict[str, Any] = {"Name": "/twice", "Type": "String", "Value": "x"}
    door.client("ssm").put_parameter(**parameters)
    refused("ParameterAlreadyExists", door.client("ssm").put_parameter, **parameters)


def test_the_unzipped_size_is_the_emulators(door: Door, roles: dict[str, str], refused: Refused) -> None:
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("big", bytes(262144001))
    code = {"ZipFile": packed.getvalue()}
    message = refused("InvalidParameterValueException", door.function, "unzipped", roles["lambda"], Code=code)
    assert "Unzipped size must be smaller than 262144000 bytes" in message


def test_a_member_account_knows_who_pays(door: Door, refused: Refused) -> None:
    organization = door.client("organizations")
    message = refused("AWSOrganizationsNotInUseException", organization.describe_organization)
    assert message == "Your account is not a member of an organization."
    door.settings(payer="999999999999")
    assert organization.describe_organization()["Organization"]["MasterAccountId"] == "999999999999"


def test_what_an_interface_is_in_stays(door: Door, refused: Refused) -> None:
    ec2 = door.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="used", Description="x", VpcId=vpc)["GroupId"]
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    attached = ec2.attach_network_interface(NetworkInterfaceId=made, InstanceId="i-1", DeviceIndex=1)["AttachmentId"]
    assert group in refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
    assert subnet in refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    refused("InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=made)
    ec2.detach_network_interface(AttachmentId=attached)
    ec2.delete_network_interface(NetworkInterfaceId=made)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
