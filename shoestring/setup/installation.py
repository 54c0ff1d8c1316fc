"""Second half of the set-up: the engine and its launchers. Repeatable."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from pathlib import Path

from shoestring.base.paths import home, write_atomically
from shoestring.setup.engine import Progress, ensure_engine, path_of_others

AWS_PLUGIN = "resource-aws-v7.51.1"  # the version of `pulumi-aws` in requirements.lock; a test holds them together
RECORDED = ("pulumi", "version", "source", "aws_provider")
LAUNCHERS = {
    "pulumi-language-python": "shoestring.launchers.language_python",
    "pulumi-resource-pulumi-python": "pulumi.dynamic",
}


def _shim(path: Path, module: str) -> None:
    text = f'#!/bin/sh\nexec "{sys.executable}" -u -m shoestring.launchers.watched {module} "$@"\n'
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def _place(source: Path, target: Path) -> None:
    """Puts the CLI beside our launchers: a hard link (a copy across disks), since the engine takes launchers beside its
    own executable as its own and warns of any that it finds elsewhere on PATH."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    part = target.with_name(f".pulumi.{os.getpid()}")
    try:
        os.link(source, part)
    except OSError:
        shutil.copy2(source, part)
    os.replace(part, target)


def bin_folder() -> Path:
    """The folder that `shoestring env` puts first on PATH: `pulumi` and the launchers that are missing."""
    return home() / "bin"


def pulumi_home() -> Path:
    """The local environment's own PULUMI_HOME: nothing of the user's installation is touched."""
    return home() / "pulumi"


def _place_aws_provider() -> str:
    """Puts the `aws` provider into the local environment's own plugins: the official one where the user has it, else
    the local cloud's stand-in. Returns which."""
    theirs = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    if theirs == pulumi_home():  # in a shell of `shoestring env local`
        theirs = Path.home() / ".pulumi"
    official = theirs / "plugins" / AWS_PLUGIN
    own = pulumi_home() / "plugins" / AWS_PLUGIN
    own.parent.mkdir(parents=True, exist_ok=True)
    if own.is_symlink():
        own.unlink()
    if (official / "pulumi-resource-aws").exists():
        shutil.rmtree(own, ignore_errors=True)
        own.symlink_to(official)
        return "official"
    _shim(own / "pulumi-resource-aws", "localcloud.provider")
    return "stand-in"


def installed() -> dict[str, str] | None:
    """What the last set-up put in place, or None where it has not run: pulumi, version, source, aws_provider."""
    record = home() / "setup.json"
    if not record.exists() or not (bin_folder() / "pulumi").exists():
        return None
    try:
        facts = json.loads(record.read_text())
    except ValueError:
        return None  # half a record is no record: the set-up runs again
    return facts if isinstance(facts, dict) and facts.keys() >= set(RECORDED) else None


def set_up(progress: Progress) -> tuple[dict[str, str], bool]:
    """Puts engine and launchers in place; returns what is installed and whether anything changed."""
    before = installed()
    engine = ensure_engine(progress)
    folder = bin_folder()
    folder.mkdir(parents=True, exist_ok=True)
    beside = engine.path.resolve().parent
    _place(engine.path.resolve(), folder / "pulumi")
    for name, module in LAUNCHERS.items():
        if (beside / name).exists() or shutil.which(name, path=path_of_others()):
            (folder / name).unlink(missing_ok=True)
        else:
            _shim(folder / name, module)
    values = str(engine.path), engine.version, engine.source, _place_aws_provider()
    record = dict(zip(RECORDED, values, strict=True))
    if changed := record != before:
        write_atomically(home() / "setup.json", json.dumps(record, indent=2) + "\n")
    return record, changed
