"""IAM: roles, their policies, instance profiles."""

from __future__ import annotations

from localcloud.aws.row import Call, Calls, Listing, Read, ResourceType, Tags

FREE = "IAM is free"

TYPES = (
    ResourceType(
        "iam", "role", Listing("list_roles", "Roles", "RoleName", "!contains(Path, '/aws-service-role/')"),
        Calls(
            "{name}", {"RoleName": "=name"},
            create=(Call("create_role", {"AssumeRolePolicyDocument": "=assumeRolePolicy", "Tags": "=tagList"},
                         "path description maxSessionDuration permissionsBoundary"),),
            read=(Read("get_role", "Role"),),
            update=(
                Call("update_assume_role_policy", {"PolicyDocument": "=assumeRolePolicy"}, on="assumeRolePolicy"),
                Call("update_role", walk="description maxSessionDuration"),
            ),
            tags=Tags("tag_role", "untag_role", "list_role_tags"),
            names={"name": "rolename", "assumeRolePolicy": "assumerolepolicydocument", "uniqueId": "roleid"},
        ),
        unmetered=FREE,
    ),
    ResourceType(
        "iam", "role-policy", parent="iam/role",
        calls=Calls(
            "{role}:{name}", {"RoleName": "=role", "PolicyName": "=name"},
            put=(Call("put_role_policy", {"PolicyDocument": "=policy"}, on="policy"),),
            names={"role": "rolename", "name": "policyname", "policy": "policydocument"},
        ),
    ),
    ResourceType(
        "iam", "role-policy-attachment", parent="iam/role",
        calls=Calls(
            "{role}/{policyArn}", {"RoleName": "=role", "PolicyArn": "=policyArn"},
            create=(Call("attach_role_policy"),),
            read=(Read("list_attached_role_policies", "AttachedPolicies[?PolicyArn=='{policyArn}'] | [0]"),),
            delete=(Call("detach_role_policy"),),
            computed={"role": "=role"},
        ),
    ),
    ResourceType(
        "iam", "instance-profile", Listing("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
        Calls(
            "{name}", {"InstanceProfileName": "=name"},
            create=(Call("create_instance_profile", {"Path": "=path", "Tags": "=tagList"}),
                    Call("add_role_to_instance_profile", {"RoleName": "=role"}, on="role")),
            read=(Read("get_instance_profile", "InstanceProfile"),),
            tags=Tags("tag_instance_profile", "untag_instance_profile"),
            names={"name": "instanceprofilename", "uniqueId": "instanceprofileid"},
            computed={"role": "=item.Roles[0].RoleName"},
            delete=(Call("remove_role_from_instance_profile", {"RoleName": "=role"}, given="role"),
                    Call("delete_instance_profile")),
        ),
        unmetered=FREE,
    ),
    ResourceType("iam", "policy", Listing("list_policies", "Policies", "Arn", arguments={"Scope": "Local"}),
                 unmetered=FREE),
    ResourceType("iam", "user", Listing("list_users", "Users", "UserName"), unmetered=FREE),
    ResourceType("iam", "group", Listing("list_groups", "Groups", "GroupName"), unmetered=FREE),
    ResourceType("iam", "identity-provider", Listing("list_open_id_connect_providers",
                 "OpenIDConnectProviderList", "Arn"), unmetered=FREE),
)  # fmt: skip
