"""`python3 install.py PACKAGES.zip FOLDER`: makes FOLDER a Python environment with the packages, whole or not at all.

It asks no package index, and neither resolves nor builds anything. All that the server imports is imported once: a
package that is missing shows here, and what the server runs is compiled, which it may not do itself.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

IMPORTS = (
    "alembic, boto3, mlflow.cli, mlflow.server.fastapi_app, mlflow.store.artifact.s3_artifact_repo, psycopg2, "
    "mlflow.store.db_migrations, mlflow.store.model_registry.sqlalchemy_store, "
    "mlflow.store.tracking.sqlalchemy_store, sqlalchemy.dialects.postgresql, sqlalchemy.dialects.sqlite, "
    "uvicorn.loops.auto, uvicorn.protocols.http.auto"
)


def main(packages: Path, folder: Path) -> None:
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    venv.create(part, symlinks=True)
    site = sysconfig.get_path("purelib", "venv", {"base": str(part), "platbase": str(part)})
    with zipfile.ZipFile(packages) as archive:
        archive.extractall(site)
    subprocess.run([part / "bin/python", "-I", "-W", "ignore", "-c", f"import {IMPORTS}"], check=True)
    part.rename(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
