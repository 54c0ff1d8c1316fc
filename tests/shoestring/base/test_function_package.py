"""A function's zip is refused when Lambda could not import what its code imports."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from costs.prepare.package import COSTS
from shoestring.base.errors import UserError
from shoestring.base.function_package import FunctionPackage, host


def function(root: Path, text: str, unused: tuple[str, ...] = ()) -> FunctionPackage:
    """A function of the module `app.function.main`, with Jinja2 and MarkupSafe."""
    folder = root / "app" / "function"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.py").write_text(text)
    (folder / "requirements.txt").write_bytes(COSTS.requirements.read_bytes())
    return FunctionPackage("sample", "app/function", unused, root=root)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("import jinja2\nimport yaml", r"yaml \(app/function/main\.py:2\)"),
        ("def handler(event, context):\n    import jinja2.sandbx", r"jinja2\.sandbx \(app/function/main\.py:2\)"),
        ("from jinja2.sandbox import SandboxedEnvironment", r"jinja2\.sandbox \("),
        ("import app.function.helpers", r"app/function/main\.py:1 needs app\.function\.helpers"),
    ],
)
def test_an_import_that_would_fail_in_lambda_fails_the_build(tmp_path: Path, text: str, missing: str) -> None:
    with pytest.raises(UserError, match=missing):
        function(tmp_path, text, ("sandbox.py",)).build(*host(), tmp_path / "zips", lambda line: None)
    assert list((tmp_path / "zips").glob("*.zip")) == []


def test_what_lambda_has_and_what_may_be_missing_is_no_hindrance(tmp_path: Path) -> None:
    text = "import boto3, botocore.exceptions, json\nfrom jinja2.sandbox import SandboxedEnvironment\n"
    text += "from markupsafe import _speedups\ntry:\n    import yaml\nexcept ImportError:\n    yaml = None\n"
    package = function(tmp_path, text)
    names = zipfile.ZipFile(package.build(*host(), tmp_path / "zips", lambda line: None)).namelist()
    assert {"app/function/main.py", "jinja2/sandbox.py"} <= set(names) and "app/function/requirements.txt" not in names


def test_the_zip_changes_with_sources_and_with_what_is_left_out(tmp_path: Path) -> None:
    packages = [function(tmp_path, "x = 1"), function(tmp_path, "x = 1", ("sandbox.py",))]
    zips = [package.build(*host(), tmp_path / "zips", lambda line: None) for package in packages]
    zips.append(function(tmp_path, "x = 2").build(*host(), tmp_path / "zips", lambda line: None))
    assert len({path.name for path in zips}) == len({path.read_bytes() for path in zips}) == 3
