"""The configuration of a stack: read and checked as a whole, before any resource exists."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from shoestring.base.errors import UserError
from shoestring.base.names import ENVIRONMENTS, MONTHLY_USD, NAMESPACE, OVERRIDE_TAG, environment_of, is_window, window


def _whole(cidr: str) -> str:
    network = IPv4Network(cidr)
    if not network.is_private or not 16 <= network.prefixlen <= 20:
        raise ValueError("expected a private network of /16 to /20")
    return cidr


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


Word = Annotated[str, Field(pattern=r"^[\w.:/=+@-][\w .:/=+@-]*$", max_length=128)]  # what AWS takes in a tag's value
Email = Annotated[str, Field(pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", max_length=128)]
# Up to how many dollars a month, who agreed, and why: as the policy `cost-increase` reads it, in a tag's characters.
Override = Annotated[
    str, Field(pattern=r"^\d+(\.\d{1,2})? +[\w.+-]+@[\w-]+(\.[\w-]+)+( [\w .:/=+@-]+)?$", max_length=128)
]
Job = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
NoText = BeforeValidator(lambda value: None if value == "" else value)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Mlflow(_Section):
    """The tracking server."""

    instance_type: str = Field(default="t4g.nano", pattern=r"^[a-z][a-z0-9]*\.[a-z0-9]+$", examples=["t4g.micro"])
    spot: bool = Field(default=False, examples=["true"])
    volume_gb: int = Field(default=8, ge=8, le=1000, examples=["8"])
    database: Literal["sqlite", "postgres"] = Field(default="sqlite", examples=["sqlite"])


class Inference(_Section):
    """The inference function."""

    model: str = Field(
        default="breast-cancer", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=50, examples=["churn"]
    )
    architecture: Literal["arm64", "x86_64"] | None = Field(
        default=None, examples=["arm64"]
    )  # None: arm64; local: the host's
    memory_mb: int = Field(default=512, ge=128, le=10240, examples=["512"])
    timeout_seconds: int = Field(default=15, ge=1, le=900, examples=["15"])
    reserved_concurrency: int = Field(default=5, ge=-1, le=1000, examples=["5"])
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365] = Field(default=14, examples=["14"])


class State(_Section):
    """The bucket."""

    checkpoint_days: int = Field(default=14, ge=1, le=3650, examples=["14"])
    force_destroy: bool | None = Field(default=None, examples=["true"])  # None: everywhere but in prod


class Network(_Section):
    """The network."""

    cidr: Annotated[str, AfterValidator(_whole)] = Field(default="10.20.0.0/16", examples=["10.20.0.0/16"])


def _money(value: object) -> object:
    """A number as it was written: through a float, 0.1 would be something else."""
    if isinstance(value, bool):
        raise ValueError("expected dollars, such as 15 or 12.50")
    return str(value) if isinstance(value, int | float) else value


Dollars = Annotated[Decimal, BeforeValidator(_money), Field(gt=0, le=1_000_000, decimal_places=2, allow_inf_nan=False)]


class Budget(_Section):
    """What the environment may cost."""

    monthly_usd: Dollars | None = Field(default=None, examples=["15"])  # None: the environment's own of MONTHLY_USD
    window_usd: Dollars = Field(default=Decimal(10), examples=["10"])
    email: bool | None = Field(default=None, examples=["true"])  # None: everywhere but on the local cloud


class _Settings(_Section):
    environment: Literal["local", "dev", "staging", "prod"] = Field(alias="pulumi:stack")
    region: str = Field(alias="aws:region", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", examples=["us-east-1"])
    team: Word = Field(default="ml", examples=["ml"])
    owner: Email = Field(examples=["you@example.com"])
    cost_center: Word = Field(default="ml-experiments", examples=["ml-experiments"])
    project: Word = Field(default="shoestring", examples=["shoestring"])
    budget: Budget = Budget()
    cost_override: Annotated[Override | None, NoText] = Field(default=None, examples=["40 you@example.com why"])

    @property
    def monthly_usd(self) -> Decimal:
        """What the environment may cost in a month."""
        chosen = self.budget.monthly_usd
        return Decimal(MONTHLY_USD[self.environment]) if chosen is None else chosen

    @property
    def alarms_by_mail(self) -> bool:
        """Whether the owner gets the budget's alarms by e-mail."""
        return self.environment != "local" if self.budget.email is None else self.budget.email

    def tags(self) -> dict[str, str]:
        """The cost tags of every resource, and the reason why it may cost more, where one is configured."""
        override = {OVERRIDE_TAG: self.cost_override} if self.cost_override else {}
        return {
            **override,
            "Project": self.project,
            "Environment": self.environment,
            "Team": self.team,
            "Owner": self.owner,
            "CostCenter": self.cost_center,
            "ManagedBy": "pulumi",
        }


class PlatformSettings(_Settings):
    """Settings of the stack `<environment>`."""

    mlflow: Mlflow = Mlflow()
    inference: Inference = Inference()
    state: State = State()
    network: Network = Network()
    job_logs: bool = Field(default=False, examples=["true"])

    @property
    def force_destroy(self) -> bool:
        """Whether a destroy may delete the bucket's objects: everywhere but in prod, unless it is set."""
        chosen = self.state.force_destroy
        return self.environment != "prod" if chosen is None else chosen


class WindowSettings(_Settings):
    """Settings of the stack `<environment>-window`."""

    jobs: tuple[Job, ...] = Field(
        default=("breast_cancer",), min_length=1, max_length=20, examples=['["breast_cancer"]']
    )
    lease_hours: int = Field(default=4, ge=1, le=168, examples=["4"])
    lease_until: Annotated[Annotated[AwareDatetime, AfterValidator(_utc)] | None, NoText] = Field(
        default=None, examples=["2030-01-31T18:00:00Z"]
    )


Settings = PlatformSettings | WindowSettings


def read(stack: str, values: Mapping[str, object]) -> Settings:
    """The settings of a stack from its configuration, by full key (`shoestring:team`); objects may be JSON text.

    Raises:
        UserError: lists every problem at once, each with what is allowed and a command that sets an example.
    """
    environment = environment_of(stack)
    if environment not in ENVIRONMENTS:
        names = ", ".join(f"{name} and {window(name)}" for name in ENVIRONMENTS)
        raise UserError(f"there is no stack {stack!r} in this project", names, "pulumi stack select local")
    kind: type[_Settings]
    kind, other = PlatformSettings, WindowSettings
    if is_window(stack):
        kind, other = other, kind
    found = {key.removeprefix(NAMESPACE): _decoded(v) for key, v in values.items() if key.startswith(NAMESPACE)}
    if found.get("owner") == "":
        del found["owner"]  # Pulumi.yaml must give some default
    strays = [key for key in _fields(other) if key in found and key not in _fields(kind)]
    # Pulumi hands the defaults of Pulumi.yaml to both stacks: what was set is what differs from them.
    problems = [_stray(stack, key) for key in strays if _chosen(other, key, found[key])]
    mine = {key: value for key, value in found.items() if key not in strays}
    mine |= {"pulumi:stack": environment, **{key: values[key] for key in ("aws:region",) if key in values}}
    try:
        settings = kind.model_validate(mine)
    except ValidationError as error:
        first: dict[tuple[str, ...], str] = {}  # what is wrong with an item makes its list wrong too
        for problem in error.errors():
            path = tuple(part for part in problem["loc"] if isinstance(part, str))
            first.setdefault(path, _problem(stack, kind, path, dict(problem)))
        problems += first.values()
    if problems:
        raise UserError(f"{len(problems)} problem(s) in the configuration of {stack}:\n" + "\n".join(problems))
    return settings  # type: ignore[return-value]


def _fields(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    return {str(field.alias): field for field in kind.model_fields.values()}


def _chosen(kind: type[_Settings], key: str, value: object) -> bool:
    """Whether a value says anything other than the default."""
    least = {"pulumi:stack": "local", "aws:region": "us-east-1", "owner": "you@example.com"}
    try:
        return kind.model_validate({**least, key: value}) != kind.model_validate(least)
    except ValidationError:
        return True


def _stray(stack: str, key: str) -> str:
    owner = environment_of(stack) if is_window(stack) else window(stack)
    command = f"pulumi config rm {NAMESPACE}{key} --stack {stack}"
    return f"  {NAMESPACE}{key} means nothing here; it belongs to {owner}\n      {command}"


def _decoded(value: object) -> object:
    """Objects and lists come from the engine as JSON."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value  # the field says what it expects
    return value


def _problem(stack: str, kind: type[BaseModel], path: tuple[str, ...], error: dict[str, Any]) -> str:
    """One problem of the configuration: key, value, what is allowed, and a command."""
    key = path[0] if ":" in path[0] else NAMESPACE + ".".join(path)
    deep = " --path" if len(path) > 1 else ""
    section = _fields(kind).get(path[0]) if len(path) > 1 else None
    known = _fields(section.annotation) if section else _fields(kind)  # type: ignore[arg-type]
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], known, 1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(name for name in known if ":" not in name)
        return f"  {key} is unknown; {hint}\n      pulumi config rm{deep} {key} --stack {stack}"
    example = (known[path[-1]].examples or ["{}"])[0]
    what = "is not set" if error["type"] == "missing" else f"is {error['input']!r}: {_allowed(error)}"
    return f"  {key} {what}\n      pulumi config set{deep} {key} {shlex.quote(example)} --stack {stack}"


ALLOWED = {
    "tuple_type": "should be a list",
    "model_type": "should be an object",
    "int_parsing": "should be an integer",
    "bool_parsing": "should be true or false",
    "datetime_from_date_parsing": "should be an ISO time with zone",
}


def _allowed(error: dict[str, Any]) -> str:
    words = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return ALLOWED.get(error["type"]) or str(words[:1].lower() + words[1:])
