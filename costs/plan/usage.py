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
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from costs.amounts import decimal
from costs.plan.charges import ResourceCost
from costs.plan.traffic import KINDS, Usage
from shoestring.base.errors import UserError

KEYS = sorted({key for keys in KINDS.values() for key in keys})


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
    problems: list[str] = []
    file = _section(document, "", ["defaults", "resources"], problems)
    kinds = _section(file.get("defaults"), "defaults", list(KINDS), problems)
    defaults = {
        kind: _figures(_section(keys, f"defaults.{kind}", list(KINDS[kind]), problems), f"defaults.{kind}", problems)
        for kind, keys in kinds.items()
    }
    resources: dict[str, dict[str, Decimal]] = {}
    assume: dict[str, dict[str, Any]] = {}
    for name, keys in _section(file.get("resources"), "resources", (), problems).items():
        where = f"resources.{name}"
        given = _section(keys, where, [*KEYS, "assume"], problems)
        properties = _section(given.pop("assume", None), f"{where}.assume", (), problems)
        resources[name] = _figures(given, where, problems)
        assume |= {name: properties} if properties else {}
    if problems:
        listed = "\n".join(problems)
        raise UserError(f"problem(s) in {path}:\n{listed}", "what docs/cost-plan.md lists", f"edit {path}")
    return Usage(defaults, resources, assume, source=str(path))


def _section(value: Any, where: str, known: Sequence[str], problems: list[str]) -> dict[str, Any]:
    """The keys of a section that are known, with their values where they have one; every key where none is named."""
    if value is not None and not isinstance(value, dict):
        problems.append(f"  {where or 'the file'} is {value!r}: should be keys with values")
    section = {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
    for key in section:
        if known and key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            problems.append(f"  {f'{where}.{key}'.lstrip('.')} is unknown; {hint}")
    return {key: item for key, item in section.items() if item is not None and (not known or key in known)}


def _figures(section: Mapping[str, Any], where: str, problems: list[str]) -> dict[str, Decimal]:
    """The figures of a section as they are written: a float's binary form has no place in money."""
    figures = {}
    for key, value in section.items():
        try:
            figures[key] = decimal("" if isinstance(value, bool) else value)
        except (ArithmeticError, TypeError, ValueError):
            problems.append(f"  {where}.{key} is {value!r}: expected a number")
        else:
            if figures[key] < 0:
                problems.append(f"  {where}.{key} is {value!r}: should be greater than or equal to 0")
    return figures


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
