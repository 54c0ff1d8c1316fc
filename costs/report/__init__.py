"""What was spent, and what it bought: reads Cost Explorer and the account, for Lambda and for the command line.

Runs in Lambda on the standard library, boto3 and Jinja2 alone.
"""
