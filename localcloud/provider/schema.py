"""What properties each type has, taken from the provider's own SDK and kept as `schema.json`.

Reading the SDK takes seconds and the provider starts with every `pulumi` command, so the table is made once:
`python -m localcloud.provider.schema` writes it, and a test says when it is no longer what the SDK says.

A property's specification is a word (`string`, `integer`, `number`, `boolean`, `json`, `asset`, `archive`), or an
object: `{"list": S}`, `{"map": S}`, or `{"object": {name: S}, "required": [names]}`. `json` is text that may also be
given as an object.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

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


def _specification(node: ast.expr, module: Any) -> Any:
    """The specification of one annotation: read from the source, since `pulumi.Input` cannot be evaluated by itself."""
    if isinstance(node, ast.Constant):
        name = str(node.value)
        return _object(getattr(module, name)) if name.endswith("Args") else "string"
    if isinstance(node, ast.Attribute):
        return WORDS[node.attr]
    if not isinstance(node, ast.Subscript):
        raise TypeError(f"no specification for {ast.unparse(node)}")
    outer = ast.unparse(node.value).rpartition(".")[2]
    words = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer == "Union":
        text = ast.unparse(node)
        if "PolicyDocumentArgs" in text:
            return "json"
        return "asset" if "pulumi.Asset" in text else _specification(words[0], module)
    if outer == "Sequence":
        return {"list": _specification(words[0], module)}
    if outer == "Mapping":
        return {"map": _specification(words[1], module)}
    return _specification(words[0], module)  # Input[...] and Optional[...]


def _parameters(args: Any) -> list[tuple[str, ast.expr, bool]]:
    """Of each argument of a class: its name in Python, its annotation, and whether it must be given."""
    function = ast.parse(textwrap.dedent(inspect.getsource(args.__init__))).body[0]
    assert isinstance(function, ast.FunctionDef)
    pairs = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return [(arg.arg, arg.annotation, default is None) for arg, default in pairs if arg.annotation]


def _object(args: Any) -> dict[str, Any]:
    module = sys.modules[args.__module__]
    properties = [(_camel(args, name), annotation, needed) for name, annotation, needed in _parameters(args)]
    return {
        "object": {name: _specification(annotation, module) for name, annotation, _ in properties},
        "required": sorted(name for name, _, needed in properties if needed),
    }


def _camel(args: Any, python: str) -> str:
    getter = inspect.getattr_static(args, python).fget
    return str(getattr(getter, "_pulumi_name", None) or python)


def read_sdk(tokens: Iterable[str]) -> dict[str, Any]:
    """The table for `tokens`, read from the SDK."""
    table = {}
    for token in sorted(tokens):
        module, name = _sdk_module(token), token.split(":")[2]
        own = [item for item in vars(module).values() if getattr(item, "__module__", "") == module.__name__]
        # not by its name: where a nested input has taken that, the arguments' class is called InitArgs
        inputs = _object(next(item for item in own if item.__name__.endswith("Args")))
        state = getattr(module, f"_{name}State")
        outputs = sorted({_camel(state, python) for python, _, _ in _parameters(state)} - set(inputs["object"]))
        table[token] = {"inputs": inputs["object"], "required": inputs["required"], "outputs": outputs}
    return table


def main() -> None:
    TABLE.write_text(json.dumps(read_sdk(CALLS), separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
