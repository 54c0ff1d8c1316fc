"""Component resources: one in each module; none knows the name of an environment."""

import pulumi_aws

# The SDK puts its services in place without running them. A service that first runs because one of its modules is
# imported finds that module half there, and lacks its classes ever after: `aws.ec2.Instance`, where a program also uses
# MlflowServer. So what components import modules of runs here, before.
SERVICES = (
    "budgets", "cloudwatch", "costexplorer", "ec2", "iam", "lambda_", "rds", "s3", "sagemaker", "scheduler", "sns",
    "ssm", "vpc",
)  # fmt: skip
for service in SERVICES:
    hasattr(getattr(pulumi_aws, service), "outputs")
