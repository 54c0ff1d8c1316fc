"""The emulated AWS account on this machine, started and stopped by the command line."""

ACCOUNT, REGION = "000000000000", "us-east-1"  # of the one account that there is
