"""What costs nothing: whole services, other providers, components, and settings that no other module has."""

from __future__ import annotations

from costs.rules.base import Rule, free

SERVICES = {  # every type of these is free
    "accessanalyzer": "access analysis of external access is free",
    "account": "a setting of the account",
    "autoscalingplans": "what it scales is billed",
    "computeoptimizer": "a setting of the account",
    "costoptimizationhub": "a setting of the account",
    "iam": "IAM is free",
    "identitystore": "IAM Identity Center is free",
    "oam": "cross-account observability is free",
    "organizations": "Organizations is free",
    "ram": "sharing is free",
    "rbin": "a setting: what it keeps is billed where it lies",
    "resourceexplorer": "Resource Explorer is free",
    "resourcegroups": "a group of resources",
    "rolesanywhere": "IAM is free",
    "servicequotas": "a request for a limit",
    "ssoadmin": "IAM Identity Center is free",
}
PROVIDERS = {  # every type of these is free
    "archive": "makes no cloud resource",
    "command": "runs on this machine",
    "docker-build": "runs on this machine",
    "external": "makes no cloud resource",
    "local": "runs on this machine",
    "null": "makes no cloud resource",
    "pulumi": "the engine's own",
    "random": "makes no cloud resource",
    "synced-folder": "its objects are listed themselves",
    "time": "makes no cloud resource",
    "tls": "makes no cloud resource",
}
DYNAMIC = ("pulumi-nodejs", "pulumi-python")
COMPONENT = "a component: what it is made of is listed itself"
READ = "only read here: it is billed where it is managed"
KUBERNETES = "runs on nodes that are billed themselves"
AUTOSCALING = (
    "attachment:Attachment lifecycleHook:LifecycleHook notification:Notification policy:Policy schedule:Schedule "
    "tag:Tag trafficSourceAttachment:TrafficSourceAttachment"
).split()
EC2 = (
    "ami:Ami amiCopy:AmiCopy amiFromInstance:AmiFromInstance amiLaunchPermission:AmiLaunchPermission "
    "availabilityZoneGroup:AvailabilityZoneGroup defaultCreditSpecification:DefaultCreditSpecification "
    "imageBlockPublicAccess:ImageBlockPublicAccess instanceMetadataDefaults:InstanceMetadataDefaults "
    "instanceState:InstanceState keyPair:KeyPair serialConsoleAccess:SerialConsoleAccess tag:Tag "
    "snapshotCreateVolumePermission:SnapshotCreateVolumePermission spotDatafeedSubscription:SpotDatafeedSubscription"
).split()
SSM = (
    "activation:Activation association:Association defaultPatchBaseline:DefaultPatchBaseline document:Document "
    "maintenanceWindow:MaintenanceWindow maintenanceWindowTarget:MaintenanceWindowTarget "
    "maintenanceWindowTask:MaintenanceWindowTask patchBaseline:PatchBaseline patchGroup:PatchGroup "
    "resourceDataSync:ResourceDataSync serviceSetting:ServiceSetting parametersExclusive:ParametersExclusive"
).split()
COGNITO = (
    "identityPool:IdentityPool identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag "
    "identityPoolRoleAttachment:IdentityPoolRoleAttachment identityProvider:IdentityProvider "
    "resourceServer:ResourceServer userGroup:UserGroup userInGroup:UserInGroup userPoolClient:UserPoolClient "
    "userPoolDomain:UserPoolDomain managedUserPoolClient:ManagedUserPoolClient"
).split()
SES = (
    "activeReceiptRuleSet:ActiveReceiptRuleSet configurationSet:ConfigurationSet domainDkim:DomainDkim "
    "domainIdentity:DomainIdentity domainIdentityVerification:DomainIdentityVerification emailIdentity:EmailIdentity "
    "eventDestination:EventDestination identityNotificationTopic:IdentityNotificationTopic "
    "identityPolicy:IdentityPolicy mailFrom:MailFrom receiptFilter:ReceiptFilter receiptRule:ReceiptRule "
    "receiptRuleSet:ReceiptRuleSet template:Template"
).split()
CODE = (
    "aws:codebuild/reportGroup:ReportGroup aws:codebuild/resourcePolicy:ResourcePolicy "
    "aws:codebuild/sourceCredential:SourceCredential aws:codebuild/webhook:Webhook aws:codedeploy/application:Application "
    "aws:codedeploy/deploymentConfig:DeploymentConfig aws:codedeploy/deploymentGroup:DeploymentGroup "
    "aws:codestarconnections/connection:Connection aws:codestarconnections/host:Host "
    "aws:codeconnections/connection:Connection aws:codeconnections/host:Host"
).split()
SETTING = "a setting, or a part of what is billed"
TABLE: dict[str, Rule] = {
    **{f"aws:autoscaling/{name}": free("its group is billed") for name in AUTOSCALING},
    **{f"aws:ec2/{name}": free(SETTING) for name in EC2},
    **{f"aws:ssm/{name}": free(SETTING) for name in SSM},
    **{f"aws:cognito/{name}": free("its active users are billed") for name in COGNITO},
    **{f"aws:ses/{name}": free("mails are billed as they are sent") for name in SES},
    **{name: free(SETTING) for name in CODE},
}
for _name in ("ami:Ami", "amiCopy:AmiCopy", "amiFromInstance:AmiFromInstance"):
    TABLE[f"aws:ec2/{_name}"] = free("its snapshots are billed, in this plan only where they are resources of it")
