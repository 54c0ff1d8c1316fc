"""Job files: one YAML file says what a training run is made of. Read on the user's machine, never inside a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from costs.book.prices import PriceBook
from shoestring.base.errors import UserError, did_you_mean, suggestion
from shoestring.base.paths import ROOT

JOBS = ROOT / "training/jobs"
FRAMEWORKS = {"pytorch-2.5-cpu-py311": "pytorch-training:2.5.1-cpu-py311"}
# Who keeps AWS's Deep Learning Containers, region by region; source: sagemaker-core 2.27, pytorch.json (2.5.1).
IMAGE_ACCOUNT = "763104351884"
IMAGE_ACCOUNTS = {
    "af-south-1": "626614931356", "ap-east-1": "871362719292", "ap-east-2": "975050140332",
    "ap-northeast-3": "364406365360", "ap-south-2": "772153158452", "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322", "ap-southeast-5": "550225433462", "ap-southeast-6": "633930458069",
    "ap-southeast-7": "590183813437", "ca-west-1": "204538143572", "eu-central-2": "380420809688",
    "eu-south-1": "692866216735", "eu-south-2": "503227376785", "il-central-1": "780543022126",
    "me-central-1": "914824155844", "me-south-1": "217643126080", "mx-central-1": "637423239942",
}  # fmt: skip
NUMBER = r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)"
METRICS = {name: rf"\b{name}={NUMBER}" for name in ("train_loss", "valid_auc", "test_auc", "test_accuracy")}
DURATION = re.compile(r"(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds(value: object) -> object:
    """Seconds of `20m`, `1h30m`, `90s` or a number; what is no text is left for pydantic to judge."""
    if isinstance(value, str) and (match := DURATION.fullmatch(value.strip())):
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + rest
    if isinstance(value, str):
        raise ValueError(f"expected a time above 0 like 20m, 1h30m or 1200 (seconds), found {value!r}")
    return value


LONGEST = 28 * 86400  # seconds: SageMaker's own limit
Seconds = Annotated[
    int,
    Field(gt=0, le=LONGEST),
    BeforeValidator(seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0, "maximum": LONGEST},
                {"type": "string", "pattern": r"^(?=.)(\d+h)?(\d+m)?(\d+s)?$", "examples": ["20m", "1h30m"]},
            ]
        }
    ),
]
Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=256)]


LONGEST_NAME = 46  # characters: SageMaker takes 63 for a job's, which also has a hash (13) and the run's number (4)


def _short(name: object) -> object:
    if isinstance(name, str) and len(name) > LONGEST_NAME:
        raise ValueError(
            f"{len(name)} characters, expected at most {LONGEST_NAME}: SageMaker takes 63 for a job's name, which also "
            "ends in a hash and the number of the run"
        )
    return name


def _own(name: str) -> str:
    if name.startswith("sagemaker_"):
        raise ValueError(f"{name}: names that begin with sagemaker_ are SageMaker's own")
    return name


def _instance_type(name: str) -> str:
    """One that has a price, or that AWS has at least: what such a job costs is told as unknown."""
    if PriceBook.current().find("sagemaker-training", name) is None:
        import botocore.session  # heavy, and for such types alone

        model = botocore.session.get_session().get_service_model("sagemaker")
        known = model.shape_for("TrainingInstanceType").enum
        if name not in known:
            near = ", ".join(get_close_matches(str(name), known, 3)) or f"{len(known)} types, such as ml.m5.large"
            raise ValueError(f"{name} is no instance type that SageMaker trains on; known: {near}")
    return name


def _regex(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"expected one group that holds the number, found {groups}")
    return text


def _in_folder(name: str, info: ValidationInfo) -> str:
    """A file beside the job file, whose folder is the context."""
    folder = Path(info.context or "")
    if not (folder / name).is_file():
        hint = did_you_mean(name, (path.name for path in folder.glob(f"*{Path(name).suffix}")))
        raise ValueError(f"there is no {name} in {folder}{hint and f'; {hint}'}")
    return name


def _module(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*\.py", Path(name).name) or Path(name).name == "training.py":
        raise ValueError(f"expected a .py file named like a module, other than training.py: {name}")
    return name


Neighbour = Annotated[str, Field(min_length=1), AfterValidator(_in_folder)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Data(_Strict):
    """Where the rows come from: `builtin` or `csv`, one of the two."""

    builtin: Literal["breast_cancer"] | None = Field(None, description="A data set that comes with scikit-learn")
    csv: Neighbour | None = Field(None, description="A CSV file with a header; relative to the job file")
    target: str = Field("target", min_length=1, description="The column that holds the class to predict")

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        if (self.builtin is None) == (self.csv is None):
            raise ValueError("expected one of builtin and csv")
        return self


class JobFile(_Strict):
    """One training job; `load` reads it. Times are in seconds once read."""

    name: Annotated[str, BeforeValidator(_short)] = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        max_length=LONGEST_NAME,
        description="Kebab case; also the model's name",
    )
    entry_point: Annotated[Neighbour, AfterValidator(_module)] = Field(
        description="The Python script; relative to the job file"
    )
    data: Data
    framework: Literal[tuple(FRAMEWORKS)] = Field(  # type: ignore[valid-type]
        "pytorch-2.5-cpu-py311", description="AWS Deep Learning Container that the script runs in"
    )
    image: str | None = Field(None, min_length=1, description="A container image of your own; takes framework's place")
    instance_type: Annotated[str, BeforeValidator(_instance_type)] = Field(
        "ml.m5.large",
        description="As SageMaker has them (ml.m5.large: 0.115 US dollars an hour on demand)",
    )
    volume_gb: int = Field(10, ge=1, le=16384, description="GB of disk, paid while the job runs")
    hyperparameters: dict[Annotated[Word, AfterValidator(_own)], bool | int | float | str] = Field(
        default_factory=dict, max_length=90, description="Handed to the script as --key value"
    )
    spot: bool = Field(
        True, description="Spare capacity, for less (AWS advertises up to 90 %); may be interrupted, then resumes"
    )
    max_run: Seconds = Field(3600, description="Longest training time; the job is stopped then")
    max_wait: Seconds | None = Field(
        None,
        validate_default=True,
        description="Longest time from creation to end, waiting for capacity included; spot only; default 2 max_run",
    )
    checkpoint_every: Seconds = Field(30, description="Most work that an interruption may cost")
    metrics: dict[Word, Annotated[str, BeforeValidator(_regex), Field(max_length=500)]] = Field(
        default_factory=lambda: dict(METRICS), max_length=40, description="Name → regular expression on the log's lines"
    )
    _path: Path = PrivateAttr(default=Path())

    @field_validator("max_wait")
    @classmethod
    def _waits_long_enough(cls, wait: int | None, info: ValidationInfo) -> int | None:
        spot, run = info.data.get("spot"), info.data.get("max_run")  # None where they are refused themselves
        if wait is None:
            return min(2 * run, LONGEST) if spot and run else None
        if spot is False:
            raise ValueError("only a spot job waits; remove it or set spot: true")
        if run and wait < run:
            raise ValueError(f"{wait} s is below max_run ({run} s); it includes the run")
        return wait

    @property
    def path(self) -> Path:
        """The file that this was read from."""
        return self._path

    @property
    def entry_path(self) -> Path:
        """The script, absolute."""
        return (self._path.parent / self.entry_point).resolve()

    @property
    def csv_path(self) -> Path | None:
        """The user's own CSV file, absolute; None for a builtin data set."""
        return (self._path.parent / self.data.csv).resolve() if self.data.csv else None

    def image_uri(self, region: str) -> str:
        """The container image in `region`."""
        if self.image:
            return self.image
        account = IMAGE_ACCOUNTS.get(region, IMAGE_ACCOUNT)
        return f"{account}.dkr.ecr.{region}.amazonaws.com/{FRAMEWORKS[self.framework]}"


def schema() -> dict[str, Any]:
    """JSON schema for editors; `training/jobs/schema.json` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **JobFile.model_json_schema()}


def _lines(node: yaml.Node | None, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each key of a YAML document with its line."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*at, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _lines(value, below)


def _problem(error: Any) -> str:
    at, kind, given = error["loc"], error["type"], error["input"]
    where = ".".join(str(part) for part in at if part not in ("bool", "int", "float", "str", "[key]"))
    if kind == "extra_forbidden":
        model: type[BaseModel] = Data if len(at) > 1 else JobFile
        return f"{where}: unknown key; {suggestion(str(at[-1]), model.model_fields)}"
    if kind == "missing":
        return f"{where}: missing"
    text = str(error["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return f"{where}: {text}" if where else text
    return f"{where}: {text[:1].lower()}{text[1:]}, found {given!r}"


def load(path: Path) -> JobFile:
    """Reads and checks a job file, its entry point and the presence of its data.

    Raises:
        UserError: lists every problem of the file at once, each with its line.
    """
    path = Path(path).resolve()
    try:
        text = path.read_text(encoding="utf-8")
        values, lines = yaml.safe_load(text), dict(_lines(yaml.compose(text, yaml.SafeLoader)))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "a job file", "ls training/jobs") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path.name} is not YAML: {_place(error)}", "keys as in training/jobs/breast_cancer.yaml", f"edit {path}"
        ) from error
    if not isinstance(values, dict):
        raise UserError(
            f"{path.name} holds no keys",
            "name, entry_point, data, …: see training/jobs/breast_cancer.yaml",
            f"edit {path}",
        )

    try:
        job = JobFile.model_validate(values, context=path.parent)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            at = tuple(str(part) for part in problem["loc"])
            line = next((lines[at[:size]] for size in range(len(at), 0, -1) if at[:size] in lines), 0)
            problems.append((line, _problem(problem)))
        unique = dict.fromkeys(f"{path.name}:{line or 1}: {text}" for line, text in sorted(problems))
        raise UserError("\n".join(unique), mend=f"edit {path}") from None
    job._path = path
    return job


def _place(error: Exception) -> str:
    """What is wrong with a YAML text, and in which line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error)


def files() -> dict[str, Path]:
    """The job files in `training/jobs/`, by name."""
    return {path.stem.replace("_", "-"): path for path in sorted(JOBS.glob("*.yaml"))}


def find(name: str) -> Path:
    """The job file of a name; dashes and underscores are alike. Raises UserError with the known ones."""
    wanted = name.removesuffix(".yaml").replace("_", "-")
    known = files()
    if wanted in known:
        return known[wanted]
    hint = did_you_mean(wanted, known)
    problem = f"there is no job file {name!r}{hint and f'; {hint}'}"
    raise UserError(problem, f"one of: {', '.join(known)}", "ls training/jobs")
