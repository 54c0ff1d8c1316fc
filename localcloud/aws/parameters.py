"""Parameters, secrets and keys."""

from __future__ import annotations

from localcloud.aws.row import Call, Calls, Charge, Listing, Metering, Read, ResourceType, Tags

PARAMETER = "type value description tier dataType"
# AWS bills the keys that a customer made and has not marked for deletion.
CUSTOMERS = "(KeyManager || 'CUSTOMER') == 'CUSTOMER' && KeyState != 'PendingDeletion'"

TYPES = (
    ResourceType(
        "ssm", "parameter", Listing("describe_parameters", "Parameters", "Name"),
        Calls(
            "{name}",
            {"Name": "=name", "ResourceType": "Parameter", "ResourceId": "=name"},
            create=(Call("put_parameter", {"Tags": "=tagList"}, PARAMETER),),
            read=(
                Read("get_parameter", "Parameter", {"WithDecryption": True}),
                Read("describe_parameters", "Parameters[0].{Description: Description, Tier: Tier}",
                     {"ParameterFilters": [{"Key": "Name", "Values": ["=name"]}]}),
            ),
            update=(Call("put_parameter", {"Overwrite": True}, PARAMETER, on="value description tier"),),
            tags=Tags("add_tags_to_resource", "remove_tags_from_resource", "list_tags_for_resource", "TagList"),
            volatile="version",
        ),
        unmetered="standard parameters are free",
    ),
    ResourceType(
        "secretsmanager", "secret", Listing("list_secrets", "SecretList", "Name"),
        metering=Metering(
            (Charge("AWS Secrets Manager", "USE1-AWSSecretsManager-Secrets", "", ("secretsmanager", "secret")),),
            begin="CreatedDate", begins=("CreateSecret",), ends=("DeleteSecret",), active="DeletedDate == `null`",
            id="ARN",
        ),
    ),
    ResourceType(
        "kms", "key", Listing("list_keys", "Keys", "KeyId", CUSTOMERS, detail=("describe_key", "KeyId", "KeyMetadata")),
        metering=Metering(
            (Charge("AWS Key Management Service", "us-east-1-KMS-Keys", "", ("kms", "key"), when="customer"),),
            {"customer": CUSTOMERS},
            begins=("CreateKey",), ends=("ScheduleKeyDeletion",),
            tagged=("list_resource_tags", "KeyId", "KeyId", "Tags[].{Key: TagKey, Value: TagValue}"),
        ),
    ),
)  # fmt: skip
