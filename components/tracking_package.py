"""The tracking server's packages as one zip: on the machine nothing is resolved, built, or asked of a package index."""

from __future__ import annotations

from shoestring.base.function_package import FunctionPackage
from shoestring.base.paths import ROOT

PYTHON = "3.11"  # of Amazon Linux 2023, whose own 3.9 is too old for MLflow
TRACKING = FunctionPackage(
    "mlflow",
    "components/vm/packages",
    unused=(
        "numpy/_pyinstaller", "numpy/distutils", "numpy/f2py", "databricks/labs", "*.map",
    ),
    constraints=ROOT / "requirements.lock",
    level=1,  # four times as fast as 6, for a tenth more
    download="75 MB",
)  # fmt: skip
build = TRACKING.build
