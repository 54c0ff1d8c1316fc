"""The usage file: what traffic a plan's resources have, in YAML.

    defaults:
      lambda: {requests: 1000000, mean_ms: 20}
    resources:
      shoestring-dev-inference: {requests: 500000}
      web: {assume: {instanceType: m5.large}}

`defaults` are for all resources of a kind, `resources` for one of them, by name or URN; `assume` gives a property that
the preview does not know. `costs/plan/usage.csv` has the kinds with their keys, defaults and units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from costs.plan.charges import ResourceCost
from costs.plan.traffic import KINDS, Usage
from shoestring.base.errors import UserError


def _number(value: Any) -> Any:
    """A number as it is written; a float's binary form has no place in money."""
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return str(value) if isinstance(value, float) else value


Amount = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)]
KEYS = {key for keys in KINDS.values() for key in keys}
STRICT = ConfigDict(extra="forbid", frozen=True)


def _section(name: str, keys: Mapping[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {key: (Amount | None, None) for key in keys}
    return create_model(name, __config__=STRICT, **fields)


_KINDS: dict[str, Any] = {kind: (_section(kind, keys) | None, None) for kind, keys in KINDS.items()}
Defaults: type[BaseModel] = create_model("Defaults", __config__=STRICT, **_KINDS)
_FIGURES: dict[str, Any] = {key: (Amount | None, None) for key in sorted(KEYS)}
Figures: type[BaseModel] = create_model("Figures", __config__=STRICT, **_FIGURES, assume=(dict[str, Any], {}))


class File(BaseModel):
    """The whole file."""

    model_config = STRICT
    defaults: Defaults = Field(default_factory=Defaults)  # type: ignore[valid-type]
    resources: dict[str, Figures] = Field(default_factory=dict)  # type: ignore[valid-type]


def load(path: Path) -> Usage:
    """Reads a usage file.

    Raises:
        UserError: it cannot be read, or is no YAML; or every unknown key and wrong value, each with what is near.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "a usage file", f"ls -l {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        raise UserError(
            f"{path}{at}: {getattr(error, 'problem', None) or 'is no text'}", "YAML", f"edit {path}"
        ) from None
    try:
        file = File.model_validate(document or {})
    except ValidationError as error:
        problems = "\n".join(dict.fromkeys(_problem(dict(detail)) for detail in error.errors()))
        raise UserError(f"problem(s) in {path}:\n{problems}", "what docs/cost-plan.md lists", f"edit {path}") from None
    given = file.model_dump(exclude_none=True, exclude_unset=True)
    resources = given.get("resources", {})
    return Usage(
        defaults=given.get("defaults", {}),
        resources={name: {k: v for k, v in keys.items() if k != "assume"} for name, keys in resources.items()},
        assume={name: keys["assume"] for name, keys in resources.items() if keys.get("assume")},
        source=str(path),
    )


def _problem(error: dict[str, Any]) -> str:
    path = [str(part) for part in error["loc"] if not str(part).startswith(("function-", "nullable"))]
    where = ".".join(path)
    if error["type"] == "extra_forbidden":
        known = _known(path[:-1])
        near = get_close_matches(path[-1], known, 1)
        return f"  {where} is unknown; " + (
            f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
        )
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"  {where} is {error['input']!r}: {message[:1].lower()}{message[1:]}"


def _known(path: list[str]) -> list[str]:
    if not path:
        return ["defaults", "resources"]
    if path == ["defaults"]:
        return list(KINDS)
    return list(KINDS.get(path[-1], [])) if path[0] == "defaults" else [*sorted(KEYS), "assume"]


def check_usage(usage: Usage, costs: Iterable[ResourceCost]) -> None:
    """Raises UserError where a usage file names resources that a plan does not have, figures that they do not use, or
    properties that their rules do not read."""
    used, read, reasons = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set), {}
    for cost in costs:
        for name in (cost.name, cost.urn):
            used[name] |= {assumption.key for assumption in cost.assumptions}
            read[name] |= cost.assumed
            reasons[name] = f"{cost.type} is {cost.status}: {cost.reason}"
    problems = []
    for name in dict.fromkeys([*usage.resources, *usage.assume]):
        if name not in used:
            near = get_close_matches(name, [known for known in used if "::" not in known], 1)
            problems.append(f"  {name}: no such resource in the plan" + (f"; did you mean {near[0]}?" if near else ""))
            continue
        known = f"it uses {', '.join(sorted(used[name]))}" if used[name] else f"it uses none, {reasons[name]}"
        useless = [key for key in usage.resources.get(name, {}) if key not in used[name]]
        problems += [f"  {name}.{key}: this resource does not use it; {known}" for key in useless]
        unread = [path for path in usage.assume.get(name, {}) if path not in read[name]]
        problems += [f"  {name}.assume.{path}: the price of this resource does not depend on it" for path in unread]
    if problems:
        source = usage.source or "the usage"
        raise UserError(
            f"{len(problems)} problem(s) in {source}:\n" + "\n".join(problems),
            "names or URNs of resources in the plan, with figures that they use",
            f"edit {source}",
        )
