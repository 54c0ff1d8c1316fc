"""Makes one of every type that the stand-in provider knows; `step` changes what can be changed in place."""

import json

import pulumi
import pulumi_aws as aws

STEP = pulumi.Config().get("step") or "1"
me = aws.get_caller_identity_output()
T = {"Project": "p", "Step": STEP}
bucket = aws.s3.Bucket("state", bucket=me.account_id.apply(lambda a: f"sample-{a}"), force_destroy=True, tags=T)
aws.s3.BucketVersioning("v", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
aws.s3.BucketServerSideEncryptionConfiguration(
    "e",
    bucket=bucket.id,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}, "bucket_key_enabled": True}],
)
aws.s3.BucketPublicAccessBlock(
    "b",
    bucket=bucket.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)
aws.s3.BucketPolicy(
    "p",
    bucket=bucket.id,
    policy=bucket.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Tls",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [arn, arn + "/*"],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            }
        )
    ),
)
aws.s3.BucketLifecycleConfiguration(
    "l",
    bucket=bucket.id,
    rules=[
        {
            "id": "checkpoints",
            "status": "Enabled",
            "filter": {"prefix": "checkpoints/"},
            "expiration": {"days": 14},
            "noncurrent_version_expiration": {"noncurrent_days": 7},
        },
        {
            "id": "uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 3},
        },
    ],
)
obj = aws.s3.BucketObjectv2("o", bucket=bucket.id, key="data/a.txt", content="hello " + STEP, tags=T)
vpc = aws.ec2.Vpc("vpc", cidr_block="10.20.0.0/16", enable_dns_hostnames=True, enable_dns_support=True, tags=T)
igw = aws.ec2.InternetGateway("igw", vpc_id=vpc.id, tags=T)
sub = aws.ec2.Subnet(
    "sub",
    vpc_id=vpc.id,
    cidr_block="10.20.0.0/24",
    map_public_ip_on_launch=True,
    availability_zone="us-east-1a",
    tags=T,
)
rt = aws.ec2.RouteTable("rt", vpc_id=vpc.id, tags=T)
aws.ec2.Route("r", route_table_id=rt.id, destination_cidr_block="0.0.0.0/0", gateway_id=igw.id)
aws.ec2.RouteTableAssociation("ra", route_table_id=rt.id, subnet_id=sub.id)
aws.ec2.VpcEndpoint(
    "s3",
    vpc_id=vpc.id,
    service_name="com.amazonaws.us-east-1.s3",
    vpc_endpoint_type="Gateway",
    route_table_ids=[rt.id],
    tags=T,
)
jobs = aws.ec2.SecurityGroup("jobs", vpc_id=vpc.id, description="jobs", tags=T)
sg = aws.ec2.SecurityGroup("sg", vpc_id=vpc.id, tags=T)
aws.vpc.SecurityGroupIngressRule(
    "in",
    security_group_id=sg.id,
    ip_protocol="tcp",
    from_port=5000,
    to_port=5000,
    referenced_security_group_id=jobs.id,
    tags=T,
)
aws.vpc.SecurityGroupEgressRule("out", security_group_id=sg.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0", tags=T)


def trust(s):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": s}, "Action": "sts:AssumeRole"}],
        }
    )


SERVICES = ["lambda.amazonaws.com", "sagemaker.amazonaws.com", "scheduler.amazonaws.com"]
role = aws.iam.Role("role", assume_role_policy=trust(SERVICES), description="d" + STEP, tags=T)
rights = aws.iam.RolePolicy(
    "rp",
    role=role.name,
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/y"},
                {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::sample-*"},
            ],
        }
    ),
)
aws.iam.RolePolicyAttachment("rpa", role=role.name, policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
prof = aws.iam.InstanceProfile("prof", role=role.name, tags=T)
lt = aws.ec2.LaunchTemplate(
    "lt",
    image_id="resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
    instance_type="t4g.nano",
    update_default_version=True,
    metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1, "http_endpoint": "enabled"},
    block_device_mappings=[
        {
            "device_name": "/dev/xvda",
            "ebs": {"volume_size": 8, "volume_type": "gp3", "encrypted": "true", "delete_on_termination": "true"},
        }
    ],
    iam_instance_profile={"arn": prof.arn},
    vpc_security_group_ids=[sg.id],
    user_data="I2Nsb3VkLWNvbmZpZwo=",
    tag_specifications=[{"resource_type": "instance", "tags": T}, {"resource_type": "volume", "tags": T}],
    tags=T,
)
inst = aws.ec2.Instance(
    "vm",
    launch_template={"id": lt.id, "version": lt.latest_version.apply(str)},
    subnet_id=sub.id,
    private_ip="10.20.0.10",
    tags=T,
)
aws.ebs.Volume("disk", availability_zone="us-east-1a", size=1, type="gp3", encrypted=True, tags=T)
aws.ec2.NetworkInterface("card", subnet_id=sub.id, security_groups=[sg.id], description="alone", tags=T)
par = aws.ssm.Parameter("par", name="/shoestring/x/champion", type="String", value="none", tags=T)
read = aws.ssm.get_parameter_output(name=par.name)
lg = aws.cloudwatch.LogGroup("lg", name="/aws/lambda/sample", retention_in_days=14, tags=T)
code = aws.s3.BucketObjectv2("code", bucket=bucket.id, key="packages/f.zip", source=pulumi.FileAsset("f.zip"))
source = aws.s3.BucketObjectv2(
    "source", bucket=bucket.id, key="code/source.tar.gz", source=pulumi.FileAsset("source.tar.gz")
)
source_uri = pulumi.Output.all(bucket.bucket, source.key).apply(lambda a: json.dumps(f"s3://{a[0]}/{a[1]}"))
data_uri = pulumi.Output.all(bucket.bucket, obj.key).apply(lambda a: f"s3://{a[0]}/{a[1]}")
fn = aws.lambda_.Function(
    "fn",
    name="sample",
    role=role.arn,
    runtime="python3.11",
    handler="f.handler",
    s3_bucket=bucket.id,
    s3_key=code.key,
    memory_size=256,
    timeout=10,
    publish=True,
    reserved_concurrent_executions=3,
    architectures=["x86_64"],
    environment={"variables": {"V": read.value, "S": STEP}},
    logging_config={"log_format": "JSON", "log_group": lg.name},
    tags=T,
)
al = aws.lambda_.Alias("live", name="live", function_name=fn.name, function_version=fn.version)
url = aws.lambda_.FunctionUrl("url", function_name=fn.name, qualifier=al.name, authorization_type="AWS_IAM")
packed = aws.lambda_.Function(
    "packed",
    name="packed",
    role=role.arn,
    runtime="python3.11",
    handler="f.handler",
    code=pulumi.FileArchive(f"f{STEP}.zip"),
    tags=T,
)
topic = aws.sns.Topic("topic", name="sample", display_name="d" + STEP, tags=T)
aws.sns.TopicPolicy(
    "tp",
    arn=topic.arn,
    policy=pulumi.Output.all(topic.arn, me.account_id).apply(
        lambda a: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Alarms" + STEP,
                        "Effect": "Allow",
                        "Principal": {"Service": "budgets.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": a[0],
                        "Condition": {"StringEquals": {"aws:SourceAccount": a[1]}},
                    }
                ],
            }
        )
    ),
)
aws.lambda_.Permission(
    "may",
    statement_id="alarms",
    action="lambda:InvokeFunction",
    function=packed.name,
    principal="sns.amazonaws.com",
    source_arn=topic.arn,
)
aws.sns.TopicSubscription(
    "heard",
    topic=topic.arn,
    protocol="lambda",
    endpoint=packed.arn,
    filter_policy=json.dumps({"kind": ["k" + STEP]}),
)
aws.scheduler.Schedule(
    "weekly",
    name="sample",
    description="d" + STEP,
    schedule_expression="cron(0 6 ? * MON *)",
    schedule_expression_timezone="UTC",
    flexible_time_window={"mode": "OFF"},
    target={"arn": packed.arn, "role_arn": role.arn, "retry_policy": {"maximum_retry_attempts": int(STEP)}},
)
budget = aws.budgets.Budget(
    "budget",
    name="sample",
    budget_type="COST",
    time_unit="MONTHLY",
    limit_amount=f"{STEP}5.50",
    limit_unit="USD",
    filter_expression={
        "ands": [
            {"tags": {"key": key, "values": [value], "match_options": ["EQUALS"]}}
            for key, value in (("Project", "p"), ("Environment", "dev"))
        ]
    },
    metrics="UnblendedCost",
    notifications=[
        {
            "notification_type": kind,
            "comparison_operator": "GREATER_THAN",
            "threshold": share,
            "threshold_type": "PERCENTAGE",
            "subscriber_sns_topic_arns": [topic.arn],
            "subscriber_email_addresses": ["me@example.com"],
        }
        for kind, share in (("ACTUAL", 50), ("ACTUAL", 90 + int(STEP)), ("FORECASTED", 100))
    ],
    tags=T,
)
monitor = aws.costexplorer.AnomalyMonitor(
    "monitor",
    name="sample" + STEP,
    monitor_type="CUSTOM",
    monitor_specification=json.dumps(
        {"And": None, "Tags": {"Key": "Environment", "MatchOptions": None, "Values": ["dev"]}}
    ),
    tags=T,
)
aws.costexplorer.AnomalySubscription(
    "anomalies",
    name="sample",
    frequency="IMMEDIATE",
    monitor_arn_lists=[monitor.arn],
    subscribers=[{"type": "SNS", "address": topic.arn}],
    threshold_expression={
        "dimension": {
            "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
            "match_options": ["GREATER_THAN_OR_EQUAL"],
            "values": [STEP],
        }
    },
    tags=T,
)
db = aws.rds.SubnetGroup("sng", subnet_ids=[sub.id], tags=T)
rds = aws.rds.Instance(
    "db",
    identifier="sample-db",
    engine="postgres",
    engine_version="16",
    instance_class="db.t4g.micro",
    allocated_storage=20,
    storage_encrypted=True,
    username="mlflow",
    manage_master_user_password=True,
    db_subnet_group_name=db.name,
    skip_final_snapshot=True,
    db_name="mlflow",
    tags=T,
)
logs = aws.cloudwatch.LogGroup("logs", name="/aws/sagemaker/TrainingJobs", tags=T)
job = aws.sagemaker.TrainingJob(
    "job",
    opts=pulumi.ResourceOptions(depends_on=[logs, rights]),
    training_job_name="sample-job",
    role_arn=role.arn,
    enable_managed_spot_training=True,
    algorithm_specification={
        "training_image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/image:1",
        "training_input_mode": "File",
        "metric_definitions": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
    },
    hyper_parameters={"sagemaker_program": '"job.py"', "sagemaker_submit_directory": source_uri},
    checkpoint_config={"s3_uri": bucket.bucket.apply(lambda b: f"s3://{b}/checkpoints/job")},
    input_data_configs=[
        {
            "channel_name": "training",
            "data_source": {
                "s3_data_source": {
                    "s3_data_type": "S3Prefix",
                    "s3_uri": data_uri,
                    "s3_data_distribution_type": "FullyReplicated",
                }
            },
        }
    ],
    output_data_config={"s3_output_path": bucket.bucket.apply(lambda b: f"s3://{b}/jobs")},
    resource_config={"instance_count": 1, "instance_type": "ml.m5.large", "volume_size_in_gb": 10},
    stopping_condition={"max_runtime_in_seconds": 600, "max_wait_time_in_seconds": 900},
    vpc_config={"security_group_ids": [jobs.id], "subnets": [sub.id]},
    environment={"A": "b"},
    tags=T,
)
pulumi.export("bucket", bucket.bucket)
pulumi.export("role", role.name)
pulumi.export("lt", lt.name)
pulumi.export("url", url.function_url)
pulumi.export("version", fn.version)
pulumi.export("vm", inst.id)
pulumi.export("arns", [bucket.arn, role.arn, fn.arn, al.arn, lt.arn, prof.arn, sg.arn])
pulumi.export("ltv", lt.latest_version)
