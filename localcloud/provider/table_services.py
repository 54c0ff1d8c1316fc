"""IAM, SSM, logs, Lambda, SageMaker and RDS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from localcloud.provider.kinds import Call, Kind, Read, Tags, words

ROLE = {"RoleName": "=id"}
PROFILE = {"InstanceProfileName": "=id"}
FUNCTION = {"FunctionName": "=id"}
JOB = {"TrainingJobName": "=id"}
ALIAS = {"FunctionName": "=functionName", "Name": "=name"}
URL = {"FunctionName": "=functionName", "Qualifier": "=qualifier"}
GROUP = {"logGroupName": "=id"}
CONFIGURATION = words(
    "role handler description timeout memorySize environment runtime layers vpcConfig loggingConfig ephemeralStorage "
    "tracingConfig"
)
CODE = {"S3Bucket": "=s3Bucket", "S3Key": "=s3Key", "S3ObjectVersion": "=s3ObjectVersion", "ZipFile": "=zipFile"}
CODE_WORDS = words("s3Bucket s3Key s3ObjectVersion sourceCodeHash code architectures")
TRAINING = words(
    "trainingJobName roleArn algorithmSpecification checkpointConfig enableInterContainerTrafficEncryption "
    "enableManagedSpotTraining enableNetworkIsolation environment hyperParameters inputDataConfigs outputDataConfig "
    "resourceConfig retryStrategy stoppingCondition vpcConfig"
)
DATABASE = words(
    "allocatedStorage autoMinorVersionUpgrade backupRetentionPeriod copyTagsToSnapshot dbName dbSubnetGroupName "
    "deletionProtection engine engineVersion instanceClass manageMasterUserPassword maxAllocatedStorage multiAz "
    "port publiclyAccessible storageEncrypted storageType username vpcSecurityGroupIds"
)
DATABASE_NAMES = {
    "identifier": "dbinstanceidentifier",
    "instanceClass": "dbinstanceclass",
    "username": "masterusername",
    "multiAz": "multiaz",
}
DATABASE_CHANGES = words(
    "allocatedStorage instanceClass backupRetentionPeriod deletionProtection vpcSecurityGroupIds engineVersion "
    "maxAllocatedStorage publiclyAccessible"
)


def _detach_policies(client: Any, context: dict[str, Any]) -> None:
    """A role can go only without policies; those that Pulumi made are gone by now, others go with `forceDetach`."""
    if not context.get("forceDetachPolicies"):
        return
    for name in client.list_role_policies(RoleName=context["id"])["PolicyNames"]:
        client.delete_role_policy(RoleName=context["id"], PolicyName=name)
    for policy in client.list_attached_role_policies(RoleName=context["id"])["AttachedPolicies"]:
        client.detach_role_policy(RoleName=context["id"], PolicyArn=policy["PolicyArn"])


def _remove_role(client: Any, context: dict[str, Any]) -> None:
    if context.get("role"):
        client.remove_role_from_instance_profile(InstanceProfileName=context["id"], RoleName=context["role"])


def _stop_job(client: Any, context: dict[str, Any]) -> None:
    """Ends a job that runs and waits until it has ended, so that nothing bills after a destroy."""
    status = client.describe_training_job(TrainingJobName=context["id"])["TrainingJobStatus"]
    if status == "InProgress":
        client.stop_training_job(TrainingJobName=context["id"])
    while client.describe_training_job(TrainingJobName=context["id"])["TrainingJobStatus"] in (
        "InProgress",
        "Stopping",
    ):
        time.sleep(0.3)


def _zip(context: dict[str, Any]) -> dict[str, Any]:
    """The bytes of a function's zip that is on this machine, and goes with the request."""
    path = (context.get("code") or {}).get("path", "")
    return {"zipFile": Path(path).read_bytes() if path and Path(path).exists() else None}


def _arn_tags(member: str, tags: str, arn: str = "=arn") -> dict[str, Any]:
    return {member: arn, "Tags": tags}


SERVICES = {
    "aws:iam/role:Role": Kind(
        "iam",
        "answer.Role.RoleName",
        (
            Call(
                "create_role",
                {"RoleName": "=name", "AssumeRolePolicyDocument": "=assumeRolePolicy", "Tags": "=tagList"},
                words("path description maxSessionDuration permissionsBoundary"),
            ),
        ),
        (Read("get_role", ROLE, "Role"),),
        (Call("delete_role", ROLE),),
        (
            Call("update_assume_role_policy", {**ROLE, "PolicyDocument": "=assumeRolePolicy"},
                 on=words("assumeRolePolicy")),
            Call("update_role", {**ROLE, "Description": "=description", "MaxSessionDuration": "=maxSessionDuration"},
                 on=words("description maxSessionDuration")),
        ),
        Tags(Call("tag_role", {**ROLE, "Tags": "=tagList"}), Call("untag_role", {**ROLE, "TagKeys": "=removed"}),
             listing=Read("list_role_tags", ROLE)),
        name="name",
        ours=words("forceDetachPolicies"),
        names={"name": "rolename", "assumeRolePolicy": "assumerolepolicydocument", "uniqueId": "roleid"},
        before_delete=_detach_policies,
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        "iam",
        "join(':', [role, name])",
        (Call("put_role_policy", {"RoleName": "=role", "PolicyName": "=name", "PolicyDocument": "=policy"}),),
        (Read("get_role_policy", {"RoleName": "=role", "PolicyName": "=name"}),),
        (Call("delete_role_policy", {"RoleName": "=role", "PolicyName": "=name"}),),
        (
            Call("put_role_policy", {"RoleName": "=role", "PolicyName": "=name", "PolicyDocument": "=policy"},
                 on=words("policy")),
        ),
        name="name",
        parts=r"(?P<role>[^:]+):(?P<name>.+)",
        names={"role": "rolename", "name": "policyname", "policy": "policydocument"},
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        "iam",
        "join('/', [role, policyArn])",
        (Call("attach_role_policy", {"RoleName": "=role", "PolicyArn": "=policyArn"}),),
        (
            Read("list_attached_role_policies", {"RoleName": "=role"},
                 "AttachedPolicies[?PolicyArn=='{policyArn}'] | [0]"),
        ),
        (Call("detach_role_policy", {"RoleName": "=role", "PolicyArn": "=policyArn"}),),
        parts=r"(?P<role>[^/]+)/(?P<policyArn>.+)",
        computed={"role": "role"},
    ),
    "aws:iam/instanceProfile:InstanceProfile": Kind(
        "iam",
        "answer.InstanceProfile.InstanceProfileName",
        (
            Call("create_instance_profile",
                 {"InstanceProfileName": "=name", "Path": "=path", "Tags": "=tagList"}),
            Call("add_role_to_instance_profile", {**PROFILE, "RoleName": "=role"}, on=words("role")),
        ),
        (Read("get_instance_profile", PROFILE, "InstanceProfile"),),
        (Call("delete_instance_profile", PROFILE),),
        tags=Tags(Call("tag_instance_profile", {**PROFILE, "Tags": "=tagList"}),
                  Call("untag_instance_profile", {**PROFILE, "TagKeys": "=removed"})),
        name="name",
        names={"name": "instanceprofilename", "uniqueId": "instanceprofileid"},
        computed={"role": "item.Roles[0].RoleName"},
        before_delete=_remove_role,
    ),
    "aws:ssm/parameter:Parameter": Kind(
        "ssm",
        "name",
        (
            Call("put_parameter", {"Tags": "=tagList"}, words("name type value description tier dataType")),
        ),
        (
            Read("get_parameter", {"Name": "=id", "WithDecryption": True}, "Parameter"),
            Read("describe_parameters", {"ParameterFilters": [{"Key": "Name", "Values": ["=id"]}]},
                 "Parameters[0].{Description: Description, Tier: Tier}"),
        ),
        (Call("delete_parameter", {"Name": "=id"}),),
        (
            Call("put_parameter", {"Overwrite": True}, words("name type value description tier dataType"),
                 on=words("value description tier")),
        ),
        Tags(
            Call("add_tags_to_resource", {"ResourceType": "Parameter", "ResourceId": "=id", "Tags": "=tagList"}),
            Call("remove_tags_from_resource",
                 {"ResourceType": "Parameter", "ResourceId": "=id", "TagKeys": "=removed"}),
            listing=Read("list_tags_for_resource", {"ResourceType": "Parameter", "ResourceId": "=id"}),
            member="TagList",
        ),
        parts=r"(?P<name>.+)",
        name="name",
        moving=words("version"),
        computed={"arn": "item.ARN"},
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        "logs",
        "name",
        (
            Call("create_log_group", {"logGroupName": "=name", "tags": "=tags"}),
            Call("put_retention_policy", {"logGroupName": "=name", "retentionInDays": "=retentionInDays"},
                 on=words("retentionInDays")),
        ),
        (
            Read("describe_log_groups", {"logGroupNamePrefix": "=id"},
                 "logGroups[?logGroupName=='{id}'] | [0]"),
        ),
        (Call("delete_log_group", GROUP),),
        (
            Call("put_retention_policy", {**GROUP, "retentionInDays": "=retentionInDays"},
                 on=words("retentionInDays")),
        ),
        Tags(Call("tag_log_group", {**GROUP, "tags": "=tags"}),
             Call("untag_log_group", {**GROUP, "tags": "=removed"}), "map",
             Read("list_tags_log_group", GROUP), "tags"),
        parts=r"(?P<name>.+)",
        name="name",
        ours=words("skipDestroy"),
        names={"name": "loggroupname"},
        computed={"arn": "join('', ['arn:aws:logs:', region, ':', account, ':log-group:', id])",
                  "retentionInDays": "item.retentionInDays"},
    ),
    "aws:lambda/function:Function": Kind(
        "lambda",
        "answer.FunctionName",
        (
            Call("create_function",
                 {"FunctionName": "=name", "Code": CODE, "Tags": "=tags", "PackageType": "=packageType"},
                 CONFIGURATION | words("architectures publish")),
            Call("wait:function_active_v2", FUNCTION),
            Call("put_function_concurrency",
                 {**FUNCTION, "ReservedConcurrentExecutions": "=reservedConcurrentExecutions"},
                 on=words("reservedConcurrentExecutions")),
        ),
        (
            Read("get_function", FUNCTION, "Configuration"),
            Read("get_function_concurrency", FUNCTION, optional=True),
            Read("list_versions_by_function", FUNCTION,
                 "{Version: max_by(Versions[?Version!='$LATEST'], &to_number(Version)).Version || '$LATEST'}"),
        ),
        (Call("delete_function", FUNCTION),),
        (
            Call("update_function_code", {**FUNCTION, **CODE, "Architectures": "=architectures"},
                 on=CODE_WORDS),
            Call("wait:function_updated_v2", FUNCTION, on=CODE_WORDS),
            Call("update_function_configuration", FUNCTION, CONFIGURATION, on=CONFIGURATION),
            Call("wait:function_updated_v2", FUNCTION, on=CONFIGURATION),
            Call("publish_version", FUNCTION, on=CONFIGURATION | CODE_WORDS | words("publish"), given="publish"),
            Call("put_function_concurrency",
                 {**FUNCTION, "ReservedConcurrentExecutions": "=reservedConcurrentExecutions"},
                 on=words("reservedConcurrentExecutions")),
        ),
        Tags(Call("tag_resource", {"Resource": "=arn", "Tags": "=tags"}),
             Call("untag_resource", {"Resource": "=arn", "TagKeys": "=removed"}), "map",
             Read("list_tags", {"Resource": "=arn"})),
        name="name",
        names={"name": "functionname", "arn": "functionarn"},
        ours=words("skipDestroy"),
        prepare=_zip,
        prepared=words("sourceCodeHash code"),
        defaults={"packageType": "Zip"},
        computed={
            "arn": "join('', ['arn:aws:lambda:', region, ':', account, ':function:', id])",
            "qualifiedArn":
                "join('', ['arn:aws:lambda:', region, ':', account, ':function:', id, ':', item.Version])",
            "invokeArn": "join('', ['arn:aws:apigateway:', region, ':lambda:path/2015-03-31/functions/arn:aws:lambda:',"
                         " region, ':', account, ':function:', id, '/invocations'])",
        },
        moving=words("version qualifiedArn lastModified"),
    ),
    "aws:lambda/alias:Alias": Kind(
        "lambda",
        "join(':', [functionName, name])",
        (Call("create_alias", {}, words("functionName name functionVersion description")),),
        (Read("get_alias", ALIAS),),
        (Call("delete_alias", ALIAS),),
        (
            Call("update_alias", {}, words("functionName name functionVersion description"),
                 on=words("functionVersion description")),
        ),
        parts=r"(?P<functionName>.+):(?P<name>[^:]+)",
        name="name",
        computed={"arn": "item.AliasArn"},
    ),
    "aws:lambda/functionUrl:FunctionUrl": Kind(
        "lambda",
        "join('/', [functionName, qualifier || ''])",
        (Call("create_function_url_config", {"AuthType": "=authorizationType"},
              words("functionName qualifier cors invokeMode")),),
        (Read("get_function_url_config", URL),),
        (Call("delete_function_url_config", URL),),
        (
            Call("update_function_url_config", {"AuthType": "=authorizationType"},
                 words("functionName qualifier cors invokeMode"), on=words("authorizationType cors invokeMode")),
        ),
        parts=r"(?P<functionName>[^/]+)/(?P<qualifier>.*)",
        names={"authorizationType": "authtype"},
        computed={"functionUrl": "item.FunctionUrl"},
    ),
    "aws:sagemaker/trainingJob:TrainingJob": Kind(
        "sagemaker",
        "trainingJobName",
        (Call("create_training_job", {"Tags": "=tagList"}, TRAINING),),
        (Read("describe_training_job", JOB),),
        (Call("delete_training_job", JOB),),
        tags=Tags(
            Call("add_tags", _arn_tags("ResourceArn", "=tagList")),
            Call("delete_tags", {"ResourceArn": "=arn", "TagKeys": "=removed"}),
            listing=Read("list_tags", {"ResourceArn": "=arn"}),
        ),
        parts=r"(?P<trainingJobName>.+)",
        name="trainingJobName",
        ours=words("deleteVpcEnisOnDestroy deleteModelPackagesOnDestroy timeouts"),
        names={"volumeSizeInGb": "volumesizeingb"},
        computed={"arn": "item.TrainingJobArn"},
        before_delete=_stop_job,
    ),
    "aws:rds/subnetGroup:SubnetGroup": Kind(
        "rds",
        "name",
        (
            Call("create_db_subnet_group",
                 {"DBSubnetGroupName": "=name", "DBSubnetGroupDescription": "=description",
                  "SubnetIds": "=subnetIds", "Tags": "=tagList"}),
        ),
        (Read("describe_db_subnet_groups", {"DBSubnetGroupName": "=id"}, "DBSubnetGroups[0]"),),
        (Call("delete_db_subnet_group", {"DBSubnetGroupName": "=id"}),),
        (
            Call("modify_db_subnet_group",
                 {"DBSubnetGroupName": "=id", "DBSubnetGroupDescription": "=description", "SubnetIds": "=subnetIds"},
                 on=words("description subnetIds")),
        ),
        Tags(Call("add_tags_to_resource", _arn_tags("ResourceName", "=tagList")),
             Call("remove_tags_from_resource", {"ResourceName": "=arn", "TagKeys": "=removed"}),
             listing=Read("list_tags_for_resource", {"ResourceName": "=arn"}), member="TagList"),
        parts=r"(?P<name>.+)",
        name="name",
        names={"name": "dbsubnetgroupname", "description": "dbsubnetgroupdescription"},
        defaults={"description": "Managed by Pulumi"},
        computed={"arn": "item.DBSubnetGroupArn", "subnetIds": "item.Subnets[].SubnetIdentifier"},
    ),
    "aws:rds/instance:Instance": Kind(
        "rds",
        "answer.DBInstance.DBInstanceIdentifier",
        (
            Call("create_db_instance", {"DBInstanceIdentifier": "=identifier", "Tags": "=tagList"}, DATABASE),
            Call("wait:db_instance_available", {"DBInstanceIdentifier": "=id"}),
        ),
        (Read("describe_db_instances", {"DBInstanceIdentifier": "=id"}, "DBInstances[0]"),),
        (
            Call("delete_db_instance",
                 {"DBInstanceIdentifier": "=id", "SkipFinalSnapshot": "=skipFinalSnapshot",
                  "FinalDBSnapshotIdentifier": "=finalSnapshotIdentifier"}),
            Call("wait:db_instance_deleted", {"DBInstanceIdentifier": "=id"}),
        ),
        (
            Call("modify_db_instance", {"DBInstanceIdentifier": "=id", "ApplyImmediately": True}, DATABASE_CHANGES,
                 on=DATABASE_CHANGES),
        ),
        Tags(Call("add_tags_to_resource", _arn_tags("ResourceName", "=tagList")),
             Call("remove_tags_from_resource", {"ResourceName": "=arn", "TagKeys": "=removed"}),
             listing=Read("list_tags_for_resource", {"ResourceName": "=arn"}), member="TagList"),
        parts=r"(?P<identifier>.+)",
        name="identifier",
        ours=words("skipFinalSnapshot finalSnapshotIdentifier applyImmediately"),
        names=DATABASE_NAMES,
        computed={
            "arn": "item.DBInstanceArn", "address": "item.Endpoint.Address", "port": "item.Endpoint.Port",
            "endpoint": "join(':', [item.Endpoint.Address, to_string(item.Endpoint.Port)])",
            "dbSubnetGroupName": "item.DBSubnetGroup.DBSubnetGroupName",
            "vpcSecurityGroupIds": "item.VpcSecurityGroups[].VpcSecurityGroupId",
            "masterUserSecrets":
                "item.MasterUserSecret && [{secretArn: item.MasterUserSecret.SecretArn, "
                "secretStatus: item.MasterUserSecret.SecretStatus}]",
        },
    ),
}  # fmt: skip
