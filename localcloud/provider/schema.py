"""What properties each type has, taken from the provider's own SDK and kept as `schema.json`.

Reading the SDK takes seconds and the provider starts with every `pulumi` command, so the table is made once:
`python -m localcloud.provider.schema` writes it, and a test says when it is no longer what the SDK says.

A property's specification is a word (`string`, `integer`, `number`, `boolean`, `json`, `asset`, `archive`), or an
object: `{"list": S}`, `{"map": S}`, or `{"object": {name: S}, "required": [names]}`. `json` is text that may also be
given as an object.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ForwardRef, get_args, get_origin

from localcloud.aws.types import CALLS

TABLE = Path(__file__).with_name("schema.json")
WORDS = {"str": "string", "bool": "boolean", "int": "integer", "float": "number", "Archive": "archive"}


@cache
def load() -> dict[str, Any]:
    """`{token: {"inputs": {property: specification}, "required": [properties], "outputs": [properties]}}`."""
    return dict(json.loads(TABLE.read_text()))


def _sdk_module(token: str) -> Any:
    """The SDK's module of a type: `aws:ec2/vpc:Vpc` → `pulumi_aws.ec2.vpc`."""
    folder, name = token.split(":")[1].split("/")
    folder = {"lambda": "lambda_"}.get(folder, folder)
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return importlib.import_module(f"pulumi_aws.{folder}.{snake}")


def _specification(hint: Any, module: Any) -> Any:
    """The specification of an annotation: of what it allows, the first that is a value."""
    inner = get_args(hint)
    if isinstance(hint, ForwardRef):
        name = hint.__forward_arg__
        return _object(getattr(module, name)) if name.endswith("Args") else "string"
    if not inner:
        return WORDS[hint.__name__]
    if get_origin(hint) is Sequence:
        return {"list": _specification(inner[0], module)}
    if get_origin(hint) is Mapping:
        return {"map": _specification(inner[1], module)}
    names = {getattr(item, "__forward_arg__", getattr(item, "__name__", "")) for item in inner}
    if any(name.endswith("PolicyDocumentArgs") for name in names):
        return "json"
    return "asset" if "Asset" in names else _specification(inner[0], module)


def _parameters(args: Any) -> dict[str, inspect.Parameter]:
    """The arguments of a class, by their names in the provider."""
    parameters = list(inspect.signature(args.__init__).parameters.values())[1:]
    getters = {parameter.name: inspect.getattr_static(args, parameter.name).fget for parameter in parameters}
    return {getattr(getters[item.name], "_pulumi_name", None) or item.name: item for item in parameters}


def _object(args: Any) -> dict[str, Any]:
    module, parameters = sys.modules[args.__module__], _parameters(args)
    return {
        "object": {name: _specification(parameter.annotation, module) for name, parameter in parameters.items()},
        "required": sorted(name for name, parameter in parameters.items() if parameter.default is parameter.empty),
    }


def read_sdk(tokens: Iterable[str]) -> dict[str, Any]:
    """The table for `tokens`, read from the SDK."""
    table = {}
    for token in sorted(tokens):
        module, name = _sdk_module(token), token.split(":")[2]
        own = [item for item in vars(module).values() if getattr(item, "__module__", "") == module.__name__]
        # not by its name: where a nested input has taken that, the arguments' class is called InitArgs
        inputs = _object(next(item for item in own if item.__name__.endswith("Args")))
        outputs = sorted(_parameters(getattr(module, f"_{name}State")).keys() - inputs["object"].keys())
        table[token] = {"inputs": inputs["object"], "required": inputs["required"], "outputs": outputs}
    return table


def main() -> None:
    TABLE.write_text(json.dumps(read_sdk(CALLS), separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
