"""Experiment tracking: one small MLflow server."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pulumi
from pulumi_aws.ec2.instance import Instance
from pulumi_aws.ec2.launch_template import LaunchTemplate
from pulumi_aws.ec2.security_group import SecurityGroup
from pulumi_aws.iam.instance_profile import InstanceProfile
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.iam.role_policy_attachment import RolePolicyAttachment
from pulumi_aws.vpc.security_group_egress_rule import SecurityGroupEgressRule
from pulumi_aws.vpc.security_group_ingress_rule import SecurityGroupIngressRule

from components import policies
from components.money import PricedComponent

PORT = 5000
DATABASE_GB = 20
MLFLOW_VERSION = "3.17.2"  # what the jobs and the command line use
AMI = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"
HOST_PROGRAM = Path(__file__).with_name("mlflow_host.py")
ARM_FAMILIES = ("t4g.", "m7g.", "c7g.")

UNIT = """\
[Unit]
Description=MLflow tracking server with its backup
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
User=mlflow
StateDirectory=mlflow
EnvironmentFile=/etc/shoestring/mlflow.env
ExecStart=/opt/shoestring/venv/bin/python /opt/shoestring/mlflow_host.py
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=60
MemoryMax=80%
OOMPolicy=stop
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class MlflowServerArgs:
    """What an MlflowServer is made of."""

    vpc_id: pulumi.Input[str]
    """The network it lives in."""
    subnet_ids: list[pulumi.Output[str]]
    """Public subnets; the server lives in the first. Postgres needs two, in different zones."""
    private_ip: str
    """Its fixed address in the first subnet."""
    clients_security_group_id: pulumi.Input[str]
    """The only ones that may connect."""
    bucket: pulumi.Input[str]
    """Where artifacts and backups go."""
    region: str
    """AWS region."""
    instance_type: str = "t4g.nano"
    """Size of the machine, billed for each hour; `shoestring prices show t4g.micro` says what one costs."""
    volume_gb: int = 8
    """Size of its gp3 disk, billed for each GB."""
    spot: bool = False
    """Spare capacity for less; AWS may stop it for a while, and starts it again when there is capacity."""
    database: Literal["sqlite", "postgres"] = "sqlite"
    """`postgres` adds a db.t4g.micro with 20 GB of gp3 and a secret, which together cost more than all the rest."""
    keep: bool = False
    """Whether a Postgres database is protected from deletion and leaves a final snapshot."""


def host_files(env: dict[str, str]) -> list[dict[str, str]]:
    """The files that make the machine a tracking server."""
    lines = "".join(f"{key}={value}\n" for key, value in env.items())
    return [
        {"path": "/etc/shoestring/mlflow.env", "content": lines, "permissions": "0644"},
        {"path": "/opt/shoestring/mlflow_host.py", "content": HOST_PROGRAM.read_text(), "permissions": "0644"},
        {"path": "/etc/systemd/system/shoestring-mlflow.service", "content": UNIT, "permissions": "0644"},
    ]


def _until_done(command: str) -> str:
    """A shell line that repeats `command` until it succeeds: the machine is alone when a mirror does not answer."""
    return f"until {command}; do sleep 30; done"


def user_data(env: dict[str, str]) -> str:
    """The machine's first boot as a base64 `#cloud-config` document (which, being YAML, may be JSON)."""
    packages = f"mlflow=={MLFLOW_VERSION} boto3 psycopg2-binary"
    document = {
        # Made before anything else: without it, dnf alone is more than 512 MB can take (amazon-linux-2023 issue 404).
        "swap": {"filename": "/swapfile", "size": 1024**3, "maxsize": 1024**3},
        "write_files": host_files(env),
        "runcmd": [
            _until_done("dnf install --assumeyes python3.11 python3.11-pip"),
            "useradd --system --no-create-home --home-dir /var/lib/mlflow mlflow",
            "python3.11 -m venv /opt/shoestring/venv",
            # /tmp lies in memory, which is what this machine has least of
            _until_done(
                f"TMPDIR=/var/tmp /opt/shoestring/venv/bin/pip install --no-cache-dir --only-binary :all: {packages}"
            ),
            "systemctl daemon-reload",
            "systemctl enable --now shoestring-mlflow",
        ],
    }
    return base64.b64encode(f"#cloud-config\n{json.dumps(document)}\n".encode()).decode()


class MlflowServer(PricedComponent):
    """MLflow on one machine that nobody can reach from the internet, with its database copied to S3 each minute.

    The machine has a public address for its packages and Session Manager, and lets nobody in but its clients on port
    5000; people reach it through Session Manager's port forwarding. There is no SSH, and IMDSv2 is required. systemd
    starts a dead process again, EC2's automatic recovery a dead host, and a new machine restores the last backup.

    Produces a launch template, an instance, a security group, and a role with its profile; with `postgres` also the
    database and its subnet and security groups.

    The smallest machine carries it: measured with MLflow 3.17.2 as one process, 255 MB after the start, 299 MB in use
    (15 runs, 1200 metrics, three artifacts of 30 MB), and 56 MB for the backup. That leaves little of a t4g.nano's
    512 MB, so it gets 1 GB of swap, and systemd holds the service to 80 % of the memory. Where several people work at
    once, take a t4g.micro; on demand it would lift the idle platform above ten dollars a month, so it is no default.
    Bursts above the machine's baseline are not paid for (`standard` credits): a busy server becomes slow, not costly.

    Billed while it stands: the machine and its public address by the hour, its disk by GB; with `postgres` also the
    database's hours, storage and secret.
    """

    url: pulumi.Output[str]
    """Where clients inside the network reach it."""
    instance_id: pulumi.Output[str]

    def __init__(self, name: str, args: MlflowServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:tracking:MlflowServer", name, opts, args.region)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        group = self._security_group(name, "The MLflow server", args.clients_security_group_id, PORT)
        SecurityGroupEgressRule(
            name,
            security_group_id=group.id,
            ip_protocol="-1",
            cidr_ipv4="0.0.0.0/0",
            description="Packages, S3, Systems Manager",
            opts=self.child,
        )
        uri, secret = self._database(group) if args.database == "postgres" else ("sqlite", "")
        profile = self._profile(secret)
        env = {
            "MLFLOW_HOST_BUCKET": args.bucket,
            "MLFLOW_HOST_PORT": str(PORT),
            "MLFLOW_HOST_ALLOWED": f"{args.private_ip}:*,localhost:*,127.0.0.1:*",
            "MLFLOW_HOST_DATABASE": uri,
            "MLFLOW_HOST_DATABASE_SECRET": secret,
            "AWS_DEFAULT_REGION": args.region,
        }
        template = self._template(group, profile, pulumi.Output.all(**env).apply(user_data))
        instance = Instance(
            name,
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            subnet_id=args.subnet_ids[0],
            private_ip=args.private_ip,
            # The address is fixed, so the old machine goes first; what it leaves in S3, the new one takes up.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=self.rights),
        )
        self.instance_id = instance.id
        self.url = instance.private_ip.apply(lambda ip: f"http://{ip}:{PORT}")
        self.register_outputs({"url": self.url, "instance_id": self.instance_id})

    def _security_group(self, name: str, what: str, clients: pulumi.Input[str], port: int) -> SecurityGroup:
        group = SecurityGroup(name, name=name, vpc_id=self.args.vpc_id, description=what, opts=self.child)
        SecurityGroupIngressRule(
            name,
            security_group_id=group.id,
            referenced_security_group_id=clients,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="Clients inside the network",
            opts=self.child,
        )
        return group

    def _profile(self, secret: pulumi.Input[str]) -> InstanceProfile:
        role = Role(self.name, name=self.name, assume_role_policy=policies.trust("ec2.amazonaws.com"), opts=self.child)
        managed = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
        document = pulumi.Output.all(self.args.bucket, secret).apply(lambda parts: policies.tracking(*parts))
        self.rights: list[pulumi.Resource] = [
            RolePolicyAttachment(self.name, role=role.name, policy_arn=managed, opts=self.child),
            RolePolicy(self.name, name="tracking", role=role.name, policy=document, opts=self.child),
        ]
        return InstanceProfile(self.name, name=self.name, role=role.name, opts=self.child)

    def _template(self, group: SecurityGroup, profile: InstanceProfile, boot: pulumi.Output[str]) -> LaunchTemplate:
        kind = self.args.instance_type
        optional: dict[str, Any] = {}
        if kind.startswith("t"):
            optional["credit_specification"] = {"cpu_credits": "standard"}
        if self.args.spot:
            optional["instance_market_options"] = {
                "market_type": "spot",
                "spot_options": {"spot_instance_type": "persistent", "instance_interruption_behavior": "stop"},
            }
        return LaunchTemplate(
            self.name,
            name=self.name,
            image_id=AMI + ("arm64" if kind.startswith(ARM_FAMILIES) else "x86_64"),
            instance_type=kind,
            user_data=boot,
            iam_instance_profile={"arn": profile.arn},
            vpc_security_group_ids=[group.id],
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "volume_size": self.args.volume_gb,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            opts=self.child,
            **optional,
        )

    def _database(self, server: SecurityGroup) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """A private Postgres; the URI without a user, and the ARN of the secret with user and password."""
        # here, because the default has no database, and these take every preview a tenth of a second
        from pulumi_aws.rds.instance import Instance as Database
        from pulumi_aws.rds.subnet_group import SubnetGroup

        name = f"{self.name}-database"
        group = self._security_group(name, "The MLflow server's database", server.id, 5432)
        subnets = SubnetGroup(name, name=name, subnet_ids=self.args.subnet_ids, opts=self.child)
        database = Database(
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
            deletion_protection=self.args.keep,
            skip_final_snapshot=not self.args.keep,
            final_snapshot_identifier=f"{name}-final" if self.args.keep else None,
            opts=pulumi.ResourceOptions(parent=self, protect=self.args.keep),
        )
        uri = database.endpoint.apply(lambda endpoint: f"postgresql://{endpoint}/mlflow?sslmode=require")
        secret = database.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
        return uri, secret
