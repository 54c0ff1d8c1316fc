"""The variables under which plain `pulumi` works on an environment."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud import supervisor
from shoestring.base.errors import UserError
from shoestring.base.names import ENVIRONMENTS, LOCAL, REGION, window
from shoestring.base.paths import home
from shoestring.setup.installation import bin_folder, installed, pulumi_home
from shoestring.updates import make_stack

PASSPHRASE = "local"  # encrypts the secrets of an emulated account; the other environments bring their own


def _path() -> str:
    first = [str(bin_folder()), str(Path(sys.executable).parent)]
    rest = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in first]
    return os.pathsep.join([*first, *rest])


def require_set_up() -> dict[str, str]:
    """What is installed; raises UserError where the set-up has not run."""
    if record := installed():
        return record
    path = home() / "setup.json"
    raise UserError(
        f"the set-up's record {path} is corrupt" if path.exists() else "the set-up of this checkout has not run",
        "Pulumi and its launchers, as the set-up puts them in place",
        "make setup",
    )


def local_environment(cloud: dict[str, Any]) -> dict[str, str]:
    """The variables of `local`: the running local cloud, and the engine with a home and state of its own."""
    state = home() / "state"
    state.mkdir(exist_ok=True)
    bill = cloud.get("cost_explorer_endpoint")
    return {
        "AWS_ENDPOINT_URL": cloud["aws_endpoint"],
        "AWS_ENDPOINT_URL_SAGEMAKER": cloud["sagemaker_endpoint"],
        **({"AWS_ENDPOINT_URL_COST_EXPLORER": bill, "AWS_ENDPOINT_URL_BUDGETS": bill} if bill else {}),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PULUMI_HOME": str(pulumi_home()),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "SHOESTRING_HOME": str(home()),
        "PATH": _path(),
    }


# What a shell may carry from a real account and must not reach the emulated one, or the other way round.
FOREIGN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE_FILE")


def process_environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's environment with `variables` in it and nothing of a real account left."""
    kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    return {**kept, **variables}


def enter(environment: str, progress: Callable[[str], None]) -> dict[str, Any] | None:
    """Makes this process one of the environment's: what `shoestring env` does for a shell.

    Returns:
        The running local cloud for `local`, else None.

    Raises:
        UserError: there is no such environment, or the set-up has not run.
    """
    check_name(environment)
    require_set_up()
    if environment != LOCAL:  # PATH alone: credentials and state backend are the user's own
        os.environ["PATH"] = _path()
        return None
    cloud = supervisor.up(home(), progress=progress)
    variables = process_environment(local_environment(cloud))
    os.environ.clear()
    os.environ.update(variables)
    for stack in (environment, window(environment)):
        make_stack(stack)
    return cloud


def shell_lines(cloud: dict[str, Any] | None) -> str:
    """Lines for `eval` in sh, bash and zsh, of an environment that was entered: `cloud` is what `enter` gave."""
    variables = local_environment(cloud) if cloud else {"PATH": _path()}
    lines = [f"unset {' '.join(FOREIGN)}"] if cloud else []
    return "\n".join([*lines, *(f"export {key}={shlex.quote(value)}" for key, value in variables.items())])


def check_name(name: str) -> str:
    """An environment's name, or a UserError that lists the valid ones."""
    if name not in ENVIRONMENTS:
        raise UserError(f"unknown environment {name!r}", "one of " + ", ".join(ENVIRONMENTS), f"shoestring env {LOCAL}")
    return name
