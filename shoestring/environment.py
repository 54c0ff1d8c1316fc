"""The variables under which plain `pulumi` works on an environment."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from localcloud import supervisor
from shoestring.base import aws
from shoestring.base.errors import UserError
from shoestring.base.names import ENVIRONMENTS, LOCAL, NAMESPACE, window
from shoestring.base.paths import ROOT, home
from shoestring.setup.installation import bin_folder, installed, pulumi_home
from shoestring.updates import make_stack

OWNER = f"{NAMESPACE}owner"
PASSPHRASE = "local"  # encrypts the secrets of an emulated account; the other environments bring their own


def _path() -> str:
    first = [str(bin_folder()), str(Path(sys.executable).parent)]
    rest = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in first]
    return os.pathsep.join([*first, *rest])


def configuration(stack: str, defaults: bool = False) -> dict[str, Any]:
    """What `Pulumi.<stack>.yaml` sets, by full key, and beneath it what the project sets for every stack.

    Args:
        defaults: also what the project declares as the default of a key.

    Raises:
        UserError: one of the files holds something else.
    """
    values: dict[str, Any] = {}
    for path in (ROOT / "Pulumi.yaml", ROOT / f"Pulumi.{stack}.yaml"):
        try:
            configured = dict((yaml.safe_load(path.read_text()) or {}).get("config") or {})
        except FileNotFoundError:
            continue
        except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
            raise UserError(f"{path.name}: {error}", "the stack's configuration", f"git diff {path.name}") from error
        if path.stem == "Pulumi":
            configured = dict(_declared(configured, ("value", "default") if defaults else ("value",)))
        values |= configured
    return values


def _declared(fields: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Full keys and values of the project's own configuration, whose keys stand there without their namespace."""
    for key, field in fields.items():
        for kind in kinds:
            if kind in field:
                yield key if ":" in key else NAMESPACE + key, field[kind]
                break


def program_configuration(stack: str) -> dict[str, str]:
    """What the engine would hand to the program of a stack, also of one that nobody has made.

    Encrypted values are left out. An owner, whom each environment must name, stands in where none is set: neither a
    price nor a quota depends on it.
    """
    values = configuration(stack, defaults=True)
    values = {key: value for key, value in values.items() if not (isinstance(value, dict) and "secure" in value)}
    values[OWNER] = values.get(OWNER) or "nobody@example.com"
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


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


def backend_url() -> str:
    """The state backend of `local`: a folder, without the files beside files that a killed engine leaves torn."""
    state = home() / "state"
    state.mkdir(exist_ok=True)
    return f"file://{state}?metadata=skip"


def local_environment(cloud: dict[str, Any]) -> dict[str, str]:
    """The variables of `local`: the running local cloud, and the engine with a home and state of its own."""
    return {
        **cloud["variables"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "PULUMI_HOME": str(pulumi_home()),
        "PULUMI_BACKEND_URL": backend_url(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "SHOESTRING_HOME": str(home()),
        "PATH": _path(),
    }


# What a shell may carry from a real account and must not reach the emulated one: `env local` unsets it.
FOREIGN = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
)  # fmt: skip
# Names what `env local` exported, so that the next `env` in the same shell unsets exactly that.
EXPORTED = "SHOESTRING_EXPORTED"
KEPT = ("PATH", "SHOESTRING_HOME")  # the same in every environment of this checkout


def _foreign(variables: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """The names of a real account's variables, and of endpoints that lead past the local cloud's."""
    endpoints = sorted(name for name in before if name.startswith("AWS_ENDPOINT_URL"))
    return [name for name in (*FOREIGN, *endpoints) if name not in variables]


def _exported(before: Mapping[str, str]) -> list[str]:
    """What an earlier `env local` has exported into a shell, its own record included."""
    if EXPORTED not in before:
        return []
    return [EXPORTED, *(name for name in before[EXPORTED].split() if name.isidentifier() and name not in KEPT)]


def process_environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's environment with `variables` in it and nothing of a real account left."""
    foreign = _foreign(variables, os.environ)
    kept = {key: value for key, value in os.environ.items() if key not in foreign}
    return {**kept, **variables}


def enter(environment: str, progress: Callable[[str], None]) -> dict[str, Any] | None:
    """Makes this process one of the environment's: what `shoestring env` does for a shell, and its region.

    Returns:
        The running local cloud for `local`, else None.

    Raises:
        UserError: there is no such environment, or the set-up has not run.
    """
    check_name(environment)
    require_set_up()
    if region := configuration(environment).get("aws:region"):
        aws.use_region(str(region))
    if environment != LOCAL:  # credentials and state backend are the user's own
        for name in _exported(os.environ):
            os.environ.pop(name, None)
        os.environ["PATH"] = _path()
        return None
    cloud = supervisor.up(home(), progress=progress)
    variables = process_environment(local_environment(cloud))
    os.environ.clear()
    os.environ.update(variables)
    for stack in (environment, window(environment)):
        make_stack(stack)
    return cloud


def shell_lines(cloud: dict[str, Any] | None, before: Mapping[str, str] = os.environ) -> str:
    """Lines for `eval` in sh, bash and zsh, of an environment that was entered; each unsets what another has set.

    Nothing comes back that was unset: what a real account needs is the user's own.

    Args:
        cloud: what `enter` gave.
        before: the shell's variables, before this process entered the environment.
    """
    if cloud:
        variables = local_environment(cloud)
        unset = _foreign(variables, before)
        variables[EXPORTED] = " ".join(variables)
    else:
        variables, unset = {"PATH": _path()}, _exported(before)
    lines = [f"unset {' '.join(unset)}"] if unset else []
    return "\n".join([*lines, *(f"export {key}={shlex.quote(value)}" for key, value in variables.items())])


def put_aside(before: Mapping[str, str], cloud: dict[str, Any]) -> list[str]:
    """The names of a shell's own variables that `env local` unsets or replaces."""
    variables = local_environment(cloud)
    names = [*_foreign(variables, before), *(name for name in variables if name not in KEPT)]
    own = set(before) - set(_exported(before))
    return [name for name in dict.fromkeys(names) if name in own and before[name] != variables.get(name)]


def check_name(name: str) -> str:
    """An environment's name, or a UserError that lists the valid ones."""
    if name not in ENVIRONMENTS:
        raise UserError(f"unknown environment {name!r}", "one of " + ", ".join(ENVIRONMENTS), f"shoestring env {LOCAL}")
    return name
