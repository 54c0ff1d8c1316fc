"""Between Pulumi's properties and AWS's members: names are matched, not listed.

`inputDataConfigs` and `InputDataConfig` are the same name to it: case and the plural are left out of the comparison.
What matches no member of the request raises, so that nothing that was asked for is silently dropped.
"""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws.row import as_list, as_object, plain

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # Pulumi's mark of a value that a preview cannot know
SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi's mark of a value that is more than JSON
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
PAIR = {"Key", "Value"}  # how AWS writes an entry of a map of tags


def fold(name: str) -> str:
    """A name without case and plural."""
    name = name.lower()
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith("sses"):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


class ProviderError(Exception):
    """What the user is told: no traceback."""


def to_request(shape: Any, value: Any, names: dict[str, str], path: str = "") -> Any:
    """A property's value as a botocore `shape` wants it; `names` maps folded property names to folded members.

    Raises:
        ProviderError: names the path of what has no member.
    """
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {fold(member): member for member in shape.members}
        request = {}
        for key, item in value.items():
            member = members.get(names.get(key, fold(key)))
            if member is None:
                raise ProviderError(f"property {path}{key} is not carried by the local cloud's aws provider")
            request[member] = to_request(shape.members[member], item, names, f"{path}{key}.")
        return request
    if shape.type_name == "list" and isinstance(value, dict) and set(getattr(shape.member, "members", ())) == PAIR:
        return as_list(value)
    if shape.type_name == "list":
        items = value if isinstance(value, list) else [value]
        return [to_request(shape.member, item, names, f"{path}{index}.") for index, item in enumerate(items)]
    if shape.type_name == "map":
        return {key: to_request(shape.value, item, names, f"{path}{key}.") for key, item in value.items()}
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"  # the provider's SDK has text where Terraform told unset from false
    if shape.type_name == "string" and not isinstance(value, str):
        return json.dumps(value)  # a policy document that was given as an object
    return value


def from_answer(specification: Any, value: Any, names: dict[str, str]) -> Any:
    """What AWS answered, as a property of `specification` (see `schema.py`); None where it has nothing of it."""
    if value is None:
        return None
    if isinstance(specification, dict):
        if "object" in specification:
            return properties(specification["object"], value, names)
        if "map" in specification and isinstance(value, list):
            return as_object(value)
        if "map" in specification:
            return {key: from_answer(specification["map"], item, names) for key, item in value.items()}
        items = value if isinstance(value, list) else [value]
        return [from_answer(specification["list"], item, names) for item in items]
    if specification == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if specification in ("string", "json"):
        return value if isinstance(value, str) else json.dumps(value, default=str)
    return value


def properties(specifications: dict[str, Any], item: Any, names: dict[str, str]) -> dict[str, Any]:
    """The properties that an answer's structure carries."""
    if not isinstance(item, dict):
        return {}
    members = {fold(member): value for member, value in item.items()}
    values = {
        name: from_answer(specification, members.get(names.get(name, fold(name))), names)
        for name, specification in specifications.items()
    }
    return {name: value for name, value in values.items() if value is not None}


def settle(given: Any, real: Any) -> Any:
    """What is `given`, where the account holds the same in its own form; otherwise what is `real`.

    The account's form may have more keys (defaults), another order of a list, or JSON text that is written otherwise.
    """
    if isinstance(given, dict) and isinstance(real, dict) and SIGNATURE not in given:
        return {key: settle(value, real.get(key)) for key, value in given.items() if key in real or _empty(value)}
    if isinstance(given, list) and isinstance(real, list) and len(given) == len(real):
        left, settled = list(real), []
        for value in given:
            match = next((item for item in left if settle(value, item) == value), None)
            if match is None:
                return [settle(value, item) for value, item in zip(given, real, strict=True)]
            left.remove(match)
            settled.append(value)
        return settled
    if isinstance(given, str) and isinstance(real, str) and given != real:
        try:
            return given if plain(json.loads(given)) == plain(json.loads(real)) else real
        except ValueError:
            return real
    if isinstance(given, bool) or isinstance(real, bool):
        return given if str(given).lower() == str(real).lower() else real
    if isinstance(given, int | float | str) and isinstance(real, int | float | str) and str(given) == str(real):
        return given
    return given if _empty(given) and _empty(real) else real


def _empty(value: Any) -> bool:
    return value in (None, "", False, 0, [], {})
