"""The configuration of a stack: read and checked as a whole, before any resource exists."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from components.bounds import (
    Anomalies,
    Architecture,
    CheckpointDays,
    Cidr,
    Concurrency,
    Database,
    DiskGb,
    Dollars,
    Email,
    FunctionSeconds,
    InstanceType,
    LogDays,
    MemoryMb,
    Model,
    Models,
    Region,
    Zones,
    allowed,
)
from shoestring.base import names
from shoestring.base.errors import UserError, suggestion
from shoestring.base.names import ENVIRONMENTS, NAMESPACE, environment_of, is_window, window

Word = Annotated[str, Field(pattern=r"^[\w.:/=+@-][\w .:/=+@-]*$", max_length=128)]  # what AWS takes in a tag's value
# Up to how many dollars a month, who agreed, and why: as the policy `cost-increase` reads it, in a tag's characters.
Override = Annotated[
    str, Field(pattern=r"^\d+(\.\d{1,2})? +[\w.+-]+@[\w-]+(\.[\w-]+)+( [\w .:/=+@-]+)?$", max_length=128)
]
Job = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC).replace(microsecond=0))]
NoText = BeforeValidator(lambda value: None if value == "" else value)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Mlflow(_Section):
    """The tracking server."""

    instance_type: InstanceType = "t4g.nano"
    spot: bool = Field(default=False, examples=[True])
    volume_gb: DiskGb = 8
    database: Database = "sqlite"


class Inference(_Section):
    """The inference function."""

    model: Model = "breast-cancer"
    additional_models: Models = ()
    architecture: Architecture | None = Field(default=None, examples=["arm64"])  # None: arm64; local: the host's
    memory_mb: MemoryMb = 512
    timeout_seconds: FunctionSeconds = 15
    reserved_concurrency: Concurrency | None = Field(default=None, examples=[5])  # None: nothing is reserved
    log_retention_days: LogDays = 14


class State(_Section):
    """The bucket."""

    checkpoint_days: CheckpointDays = 14
    force_destroy: bool | None = Field(default=None, examples=[True])  # None: everywhere but in prod


class Network(_Section):
    """The network."""

    cidr: Cidr = "10.20.0.0/16"
    zones: Zones | None = None  # None: the first that offer what runs there; kept for as long as the network is up


class Budget(_Section):
    """What the environment may cost."""

    monthly_usd: Dollars | None = Field(default=None, examples=[15])  # None: the environment's own
    window_usd: Dollars = Decimal(10)
    email: bool | None = Field(default=None, examples=[True])  # None: everywhere but on the local cloud
    anomalies: Anomalies = "tag"


class _Settings(_Section):
    environment: Literal["local", "dev", "staging", "prod"] = Field(alias="pulumi:stack")
    region: Region = Field(alias="aws:region")
    team: Word = Field(default="ml", examples=["ml"])
    owner: Email
    cost_center: Word = Field(default="ml-experiments", examples=["ml-experiments"])
    project: Word = Field(default="shoestring", examples=["shoestring"])
    budget: Budget = Budget()
    cost_override: Annotated[Override | None, NoText] = Field(default=None, examples=["40 you@example.com why"])

    @field_validator("region")
    @classmethod
    def _is_played(cls, region: str, info: ValidationInfo) -> str:
        if info.data.get("environment") == names.LOCAL and region != names.REGION:
            raise ValueError(f"expected {names.REGION}, the one region of the local cloud")
        return region

    @property
    def monthly_usd(self) -> Decimal:
        """What the environment may cost in a month."""
        chosen = self.budget.monthly_usd
        return Decimal(names.MONTHLY_USD[self.environment]) if chosen is None else chosen

    @property
    def alarms_by_mail(self) -> bool:
        """Whether the owner gets the budget's alarms by e-mail."""
        return self.environment != "local" if self.budget.email is None else self.budget.email

    def tags(self) -> dict[str, str]:
        """The cost tags of every resource, and the reason why it may cost more, where one is configured."""
        override = {names.OVERRIDE_TAG: self.cost_override} if self.cost_override else {}
        return {
            **override,
            names.PROJECT_TAG: self.project,
            names.ENVIRONMENT_TAG: self.environment,
            names.TEAM_TAG: self.team,
            names.OWNER_TAG: self.owner,
            names.COST_CENTER_TAG: self.cost_center,
            names.MANAGED_BY_TAG: "pulumi",
        }


class PlatformSettings(_Settings):
    """Settings of the stack `<environment>`."""

    mlflow: Mlflow = Mlflow()
    inference: Inference = Inference()
    state: State = State()
    network: Network = Network()
    job_logs: bool = Field(default=False, examples=[True])

    @property
    def has_database(self) -> bool:
        """Whether the tracking server has a database of its own, which lies in two zones."""
        return self.mlflow.database == "postgres"

    @property
    def force_destroy(self) -> bool:
        """Whether a destroy may delete the bucket's objects: everywhere but in prod, unless it is set."""
        chosen = self.state.force_destroy
        return self.environment != "prod" if chosen is None else chosen


class WindowSettings(_Settings):
    """Settings of the stack `<environment>-window`."""

    jobs: tuple[Job, ...] = Field(default=("breast_cancer",), min_length=1, max_length=20, examples=[["breast_cancer"]])
    lease_hours: int = Field(default=4, ge=1, le=168, examples=[4])
    lease_until: Annotated[Moment | None, NoText] = Field(default=None, examples=["2030-01-31T18:00:00Z"])


Settings = PlatformSettings | WindowSettings


def read(stack: str, values: Mapping[str, object]) -> Settings:
    """The settings of a stack from its configuration, by full key (`shoestring:team`); objects may be JSON text.

    Raises:
        UserError: lists every problem at once, each with what is allowed and a command that sets an example.
    """
    environment = environment_of(stack)
    if environment not in ENVIRONMENTS:
        stacks = ", ".join(f"{name} and {window(name)}" for name in ENVIRONMENTS)
        raise UserError(f"there is no stack {stack!r} in this project", stacks, "pulumi stack select local")
    kind, other = (WindowSettings, PlatformSettings) if is_window(stack) else (PlatformSettings, WindowSettings)
    configured = {key.removeprefix(NAMESPACE): _decoded(v) for key, v in values.items() if key.startswith(NAMESPACE)}
    if configured.get("owner") == "":
        del configured["owner"]  # Pulumi.yaml must give some default
    strays = [key for key in _fields(other) if key in configured and key not in _fields(kind)]
    # Pulumi hands the defaults of Pulumi.yaml to both stacks: what was set is what differs from them.
    problems = [_stray(stack, key) for key in strays if _chosen(other, key, configured[key])]
    own = {key: value for key, value in configured.items() if key not in strays}
    own |= {"pulumi:stack": environment, **{key: values[key] for key in ("aws:region",) if key in values}}
    try:
        settings = kind.model_validate(own)
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
        hint = suggestion(path[-1], (name for name in known if ":" not in name))
        return f"  {key} is unknown; {hint}\n      pulumi config rm{deep} {key} --stack {stack}"
    example = (known[path[-1]].examples or [{}])[0]
    text = example if isinstance(example, str) else json.dumps(example)
    value = "is not set" if error["type"] == "missing" else f"is {error['input']!r}: {allowed(error)}"
    return f"  {key} {value}\n      pulumi config set{deep} {key} {shlex.quote(text)} --stack {stack}"
