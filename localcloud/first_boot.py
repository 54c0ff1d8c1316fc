"""`python -m localcloud.first_boot ROOT`: what `install.sh` does on a machine, for one whose `/` is the folder ROOT.

The packages really come from the bucket, by the machine's own variables, and its own `install.py` makes an environment
of them: a package that is missing fails here as it would on AWS. What is made lies in the user's cache, so that it is
made once; ROOT has a link to it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shoestring.base.once import cache, make_once

ENVIRONMENT = "opt/shoestring/venv"


def main(root: Path) -> None:
    """Raises SystemExit with the reason when it fails."""
    place, python = urlsplit(os.environ["MLFLOW_HOST_PACKAGES"]), f"python{os.environ['MLFLOW_HOST_PYTHON']}"
    bucket, key = place.netloc, place.path.lstrip("/")
    s3 = boto3.client("s3")
    try:
        tag = s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"s3://{bucket}/{key} cannot be read: {error}") from None
    installer = root / "opt/shoestring/install.py"

    def make(part: Path) -> Path:
        packages = part / "packages.zip"
        s3.download_file(bucket, key, str(packages))
        command = [str(Path(sys.executable).with_name(python)), str(installer), str(packages), str(part / "venv")]
        if subprocess.run(command).returncode:
            raise SystemExit(f"the packages of s3://{bucket}/{key} cannot be installed")
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"packages installed in {spent.ru_utime + spent.ru_stime:.1f} s of processor time", flush=True)
        return part / "venv"

    made = make_once(cache() / "machines" / f"mlflow-{python}-{tag}", make)
    (root / ENVIRONMENT).symlink_to(made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
