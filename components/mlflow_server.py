"""Experiment tracking: one small MLflow server."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pulumi
from pulumi_aws.ec2.instance import Instance
from pulumi_aws.ec2.launch_template import LaunchTemplate
from pulumi_aws.ec2.security_group import SecurityGroup
from pulumi_aws.iam.instance_profile import InstanceProfile
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.iam.role_policy_attachment import RolePolicyAttachment
from pulumi_aws.s3.bucket_objectv2 import BucketObjectv2
from pulumi_aws.vpc.security_group_egress_rule import SecurityGroupEgressRule
from pulumi_aws.vpc.security_group_ingress_rule import SecurityGroupIngressRule
from pydantic import Field, model_validator

from components import iam
from components.arguments import Bucket, Subnet, Vpc, arguments
from components.base import Component
from components.bounds import Address, Database, DiskGb, InstanceType, PythonVersion, Region
from components.tracking_package import PYTHON
from shoestring.base import names
from shoestring.base.errors import UserError
from shoestring.base.names import MLFLOW_PORT

# A persistent spot request that names no end has one after 7 days (LaunchTemplateSpotMarketOptionsRequest), and the
# next interruption is then the last. One fixed moment, for another would be another machine; before 32-bit seconds end.
SPOT_UNTIL = "2037-12-31T23:59:59Z"
DATABASE_GB = 20
AMI = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"
ARM = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")  # families of machines with AWS's own processors
VM = Path(__file__).with_name("vm")
PLACES = {".py": "/opt/shoestring", ".sh": "/opt/shoestring", ".service": "/etc/systemd/system"}  # of `VM`'s files


@arguments
class MlflowServerArgs:
    """What an MlflowServer is made of."""

    vpc_id: Vpc
    """The network it lives in."""
    subnet_ids: Annotated[Sequence[Subnet], Field(min_length=1)]
    """Public subnets; the server lives in the first. Postgres needs two, in different zones."""
    private_ip: Address
    """Its fixed address in the first subnet."""
    bucket: Bucket
    """Where artifacts and backups go."""
    region: Region
    """AWS region."""
    package: Path
    """Zip of its packages, as `components.tracking_package.build` makes it for the machine's processor."""
    python: PythonVersion = PYTHON
    """Version of Python that the package was built for."""
    instance_type: InstanceType = "t4g.nano"
    """Size of the machine, billed for each hour; `shoestring prices show t4g.micro` says what one costs."""
    volume_gb: DiskGb = 8
    """Size of its gp3 disk, billed for each GB."""
    spot: bool = False
    """Spare capacity for less; AWS may stop it for a while, and starts it again when there is capacity, until 2037."""
    database: Database = "sqlite"
    """`postgres` adds a db.t4g.micro with 20 GB of gp3 and a secret, which together cost more than all the rest."""
    keep: bool = False
    """Whether a Postgres database is protected from deletion and leaves a final snapshot."""

    @model_validator(mode="after")
    def _lies_in_two_zones(self) -> MlflowServerArgs:
        if self.database == "postgres" and len(self.subnet_ids) < 2:
            raise ValueError(f"subnet_ids holds {len(self.subnet_ids)}: postgres needs two, in different zones")
        return self


def _burstable(args: MlflowServerArgs) -> bool:
    return args.instance_type.startswith("t")


def host_files(variables: dict[str, str]) -> list[dict[str, str]]:
    """The files that make the machine a tracking server."""
    contents = {"/etc/shoestring/mlflow.env": "".join(f"{key}={value}\n" for key, value in variables.items())}
    for file in sorted(file for file in VM.iterdir() if file.is_file() and file.name != "__init__.py"):
        if file.suffix not in PLACES:
            raise UserError(f"{file} has no place on the machine", ", ".join(PLACES), f"edit PLACES in {__file__}")
        contents[f"{PLACES[file.suffix]}/{file.name}"] = file.read_text()
    return [{"path": path, "content": content, "permissions": "0644"} for path, content in contents.items()]


def architecture(instance_type: str) -> Literal["arm64", "x86_64"]:
    """The processor of a type of machine."""
    return "arm64" if ARM.match(instance_type) else "x86_64"


def user_data(variables: dict[str, str], burstable: bool = True) -> str:
    """The machine's first boot as a base64 `#cloud-config` document (which, being YAML, may be JSON)."""
    services = "shoestring-credits shoestring-mlflow" if burstable else "shoestring-mlflow"
    document = {
        # Made before anything else: without it, dnf alone is more than 512 MB can take (amazon-linux-2023 issue 404).
        "swap": {"filename": "/swapfile", "size": 1024**3, "maxsize": 1024**3},
        "write_files": host_files(variables),
        "runcmd": [
            "useradd --system --no-create-home --home-dir /var/lib/mlflow mlflow",
            "systemctl daemon-reload",
            f"systemctl enable --now --no-block {services}",
        ],
    }
    return base64.b64encode(f"#cloud-config\n{json.dumps(document)}\n".encode()).decode()


class MlflowServer(Component[MlflowServerArgs]):
    """MLflow on one machine that nobody can reach from the internet, with its database copied to S3 each minute.

    The machine has a public address for Session Manager, reaches nothing but HTTPS, and lets nobody in but its clients
    on port 5000; people reach it through Session Manager's port forwarding. There is no SSH, and IMDSv2 is required.
    systemd starts a dead process again, EC2's automatic recovery a dead host, and a new machine restores the last
    backup.

    Produces a launch template, an instance, a security group, a role with its profile, and its packages in the bucket;
    with `postgres` also the database and its subnet and security groups.

    Its packages are unpacked from the bucket: nothing is resolved, built, or fetched from a package index. The time and
    the cost of its first start stand in `docs/real-account.md`.

    The smallest machine carries it: measured with MLflow 3.17.2 as one process, 255 MB after the start, 299 MB in use
    (15 runs, 1200 metrics, three artifacts of 30 MB), and 56 MB for the backup. That leaves little of a t4g.nano's
    512 MB, so it gets 1 GB of swap, and systemd holds the service to 80 % of the memory. Where several people work at
    once, take a t4g.micro; on demand it would lift the idle platform above ten dollars a month, so it is no default.
    Bursts above the machine's baseline are paid for while it starts, 20 minutes at most, and not afterwards (`standard`
    credits): a busy server becomes slow, not costly.

    Billed while it stands: the machine and its public address by the hour, its disk and its packages by GB; with
    `postgres` also the database's hours, storage and secret. Idle, it stays below ten dollars a month.
    """

    token = "shoestring:tracking:MlflowServer"
    children: ClassVar = {
        "instance": "aws:ec2/instance:Instance",
        "launch_template": "aws:ec2/launchTemplate:LaunchTemplate",
        "security_group": "aws:ec2/securityGroup:SecurityGroup",
        "egress": "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "profile": "aws:iam/instanceProfile:InstanceProfile",
        "role": "aws:iam/role:Role",
        "rights": "aws:iam/rolePolicy:RolePolicy",
        "session_rights": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "package": "aws:s3/bucketObjectv2:BucketObjectv2",
        "database": "aws:rds/instance:Instance",
        "database_subnets": "aws:rds/subnetGroup:SubnetGroup",
        "database_security_group": "aws:ec2/securityGroup:SecurityGroup",
        "database_ingress": "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "database_egress": "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    }

    url: pulumi.Output[str]
    """Where clients inside the network reach it."""
    instance_id: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    """Lets nobody in by itself; each client brings a rule that opens its port to it."""

    def build(self, name: str, args: MlflowServerArgs) -> None:
        group = SecurityGroup(
            name, name=name, vpc_id=args.vpc_id, description="The MLflow server", opts=self.child("security_group")
        )
        SecurityGroupEgressRule(
            name,
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4="0.0.0.0/0",
            description="S3, Systems Manager, EC2, the distribution's packages (which lie in S3)",
            opts=self.child("egress"),
        )
        uri, secret = self._database(name, args, group) if args.database == "postgres" else ("sqlite", "")
        package = BucketObjectv2(
            name,
            bucket=args.bucket,
            key=f"{names.PACKAGES}{args.package.name}",
            source=pulumi.FileAsset(str(args.package)),
            opts=self.child("package"),
        )
        profile, rights = self._profile(name, args, secret, package.key)
        variables = {
            "MLFLOW_HOST_BUCKET": args.bucket,
            "MLFLOW_HOST_PORT": str(MLFLOW_PORT),
            "MLFLOW_HOST_ALLOWED": f"{args.private_ip}:*,localhost:*,127.0.0.1:*",
            "MLFLOW_HOST_DATABASE": uri,
            "MLFLOW_HOST_DATABASE_SECRET": secret,
            "MLFLOW_HOST_PACKAGES": pulumi.Output.concat("s3://", package.bucket, "/", package.key),
            "MLFLOW_HOST_PYTHON": args.python,
            "AWS_DEFAULT_REGION": args.region,
        }
        boot = pulumi.Output.all(**variables).apply(lambda values: user_data(values, _burstable(args)))
        template = self._template(name, args, group, profile, boot)
        instance = Instance(
            name,
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            subnet_id=args.subnet_ids[0],
            private_ip=args.private_ip,
            # The address is fixed, so the old machine goes first; what it leaves in S3, the new one takes up.
            opts=self.child("instance", delete_before_replace=True, depends_on=rights),
        )
        self.instance_id, self.security_group_id = instance.id, group.id
        self.url = instance.private_ip.apply(lambda ip: f"http://{ip}:{MLFLOW_PORT}")

    def _profile(
        self, name: str, args: MlflowServerArgs, secret: pulumi.Input[str], package: pulumi.Input[str]
    ) -> tuple[InstanceProfile, list[pulumi.Resource]]:
        """The machine's profile, and the rights of its role."""
        role = Role(name, name=name, assume_role_policy=iam.trust("ec2.amazonaws.com"), opts=self.child("role"))
        session = RolePolicyAttachment(
            name,
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
            opts=self.child("session_rights"),
        )
        profile = InstanceProfile(name, name=name, role=role.name, opts=self.child("profile"))
        parts = pulumi.Output.all(args.bucket, package, profile.arn, secret)
        document = parts.apply(lambda known: iam.tracking(*known))
        rights = RolePolicy(name, name="tracking", role=role.name, policy=document, opts=self.child("rights"))
        return profile, [session, rights]

    def _template(
        self,
        name: str,
        args: MlflowServerArgs,
        group: SecurityGroup,
        profile: InstanceProfile,
        boot: pulumi.Output[str],
    ) -> LaunchTemplate:
        return LaunchTemplate(
            name,
            name=name,
            image_id=AMI + architecture(args.instance_type),
            instance_type=args.instance_type,
            user_data=boot,
            iam_instance_profile={"arn": profile.arn},
            vpc_security_group_ids=[group.id],
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "volume_size": args.volume_gb,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            credit_specification={"cpu_credits": "standard"} if _burstable(args) else None,
            instance_market_options={
                "market_type": "spot",
                "spot_options": {
                    "spot_instance_type": "persistent",
                    "instance_interruption_behavior": "stop",
                    "valid_until": SPOT_UNTIL,
                },
            }
            if args.spot
            else None,
            opts=self.child("launch_template"),
        )

    def _database(
        self, server: str, args: MlflowServerArgs, clients: SecurityGroup
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """A private Postgres; the URI without a user, and the ARN of the secret with user and password."""
        # Heavy modules of the SDK, which take every preview a tenth of a second; by default there is no database.
        from pulumi_aws.rds.instance import Instance as DatabaseInstance
        from pulumi_aws.rds.subnet_group import SubnetGroup

        name = f"{server}-database"
        group = SecurityGroup(
            name,
            name=name,
            vpc_id=args.vpc_id,
            description="The MLflow server's database",
            opts=self.child("database_security_group"),
        )
        SecurityGroupIngressRule(
            name,
            security_group_id=group.id,
            referenced_security_group_id=clients.id,
            ip_protocol="tcp",
            from_port=5432,
            to_port=5432,
            description="The MLflow server",
            opts=self.child("database_ingress"),
        )
        SecurityGroupEgressRule(
            name,
            security_group_id=clients.id,
            referenced_security_group_id=group.id,
            ip_protocol="tcp",
            from_port=5432,
            to_port=5432,
            description="The database",
            opts=self.child("database_egress"),
        )
        subnets = SubnetGroup(name, name=name, subnet_ids=list(args.subnet_ids), opts=self.child("database_subnets"))
        database = DatabaseInstance(
            name,
            identifier=name,
            engine="postgres",
            engine_version="17",
            instance_class="db.t4g.micro",
            allocated_storage=DATABASE_GB,
            storage_type="gp3",
            storage_encrypted=True,
            db_name="mlflow",
            username="mlflow",
            manage_master_user_password=True,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group.id],
            publicly_accessible=False,
            backup_retention_period=7,
            copy_tags_to_snapshot=True,
            deletion_protection=args.keep,
            skip_final_snapshot=not args.keep,
            final_snapshot_identifier=f"{name}-final" if args.keep else None,
            opts=self.child("database", protect=args.keep),
        )
        uri = database.endpoint.apply(lambda endpoint: f"postgresql://{endpoint}/mlflow?sslmode=require")
        secret = database.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
        return uri, secret
