"""Lets a component load the few modules and types of the AWS SDK that it uses.

`from pulumi_aws.ec2.vpc import Vpc` first runs `pulumi_aws/ec2/__init__.py`, which loads the hundreds of modules of
that service: 3.3 s of processor time for the services of the platform, in every preview. With bare packages in their
place the same import loads `vpc.py` and the types that it names. Most of what is left then goes into the hundreds of
classes in `_inputs.py` and `outputs.py`, of which a resource names a handful: these are made when they are named.

Nothing is missing for anybody: a package or a type that is asked for by its name is there, and always the same one.
"""

from __future__ import annotations

import builtins
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypedDict

SERVICES = (
    "budgets", "cloudwatch", "costexplorer", "ec2", "iam", "lambda_", "rds", "s3", "sagemaker", "scheduler", "sns",
    "ssm", "vpc",
)  # fmt: skip
INPUTS, OUTPUTS, ENUMS = "_inputs", "outputs", "_enums"
FOR_CHECKERS = "ArgsDict"  # how the names of typed dictionaries end, which only a type checker asks for
TOKEN = re.compile(r'@pulumi\.type_token\("(.+)"\)\nclass (\w+)\(')


class _Types(ModuleType):
    """A module of types (`_inputs`, `outputs`, `_enums`) that makes each class when it is asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__all__: list[str] = []  # what `import *` takes: a resource's module is given the few that it names
        self.codes: dict[str, CodeType] = {}
        self.tokens: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        code = self.__dict__.get("codes", {}).get(name)
        if code is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        made = self._made(name, FunctionType(code, self.__dict__))
        setattr(self, name, made)
        _give(str(self.__package__), code, self.__dict__)
        return made

    def _made(self, name: str, body: FunctionType) -> type:
        import pulumi

        build, kind = builtins.__build_class__, self.__name__.rpartition(".")[2]
        if kind == ENUMS:
            return pulumi.type_token(self.tokens[name])(build(body, name, str, Enum))  # type: ignore[no-any-return]
        if kind == OUTPUTS:
            return pulumi.output_type(build(body, name, dict))
        return build(body, name, TypedDict) if name.endswith(FOR_CHECKERS) else pulumi.input_type(build(body, name))


def _give(package: str, code: CodeType, namespace: dict[str, Any]) -> None:
    """Puts the inputs and enumerations that a class or a resource's module names into its namespace.

    `outputs` are named as `outputs.X`, and are there when they are asked for.
    """
    named = set(_texts(code))
    for kind in (INPUTS, ENUMS):
        types = sys.modules.get(f"{package}.{kind}")
        if isinstance(types, _Types):
            for name in named & types.codes.keys():
                if name not in namespace and not name.endswith(FOR_CHECKERS):
                    namespace[name] = getattr(types, name)


def _texts(code: CodeType) -> Iterator[str]:
    """The texts in a code object, among them the names of types in its annotations."""
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _texts(constant)


class _TypesLoader(SourceFileLoader):
    """Loads a module of types without making any."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Types(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        assert isinstance(module, _Types)
        source = self.get_data(self.path).decode()
        imports = source.partition("\n__all__ = [")[0]
        exec(compile(imports, self.path, "exec"), module.__dict__)
        code = self.get_code(module.__name__)
        assert code
        module.codes = {each.co_name: each for each in code.co_consts if isinstance(each, CodeType)}
        if module.__name__.endswith(ENUMS):
            module.tokens = {name: token for token, name in TOKEN.findall(source)}


class _ResourceLoader(SourceFileLoader):
    """Loads a resource's module, with the types that it names."""

    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(module.__name__)
        assert code
        exec(code, module.__dict__)
        _give(str(module.__package__), code, module.__dict__)


class _Finder:
    """Finds the modules of `SERVICES`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        parts = name.split(".")
        if len(parts) != 3 or parts[0] != "pulumi_aws" or parts[1] not in SERVICES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            kind = _TypesLoader if parts[2] in (INPUTS, OUTPUTS, ENUMS) else _ResourceLoader
            spec.loader = kind(name, spec.loader.path)
        return spec


def _bare(name: str) -> ModuleType:
    """The package `name` without what its `__init__` would load; that follows when anybody asks for an attribute."""
    spec = importlib.util.find_spec(name)
    assert spec and spec.loader
    package = importlib.util.module_from_spec(spec)
    folder = Path(package.__path__[0])

    def load(attribute: str) -> Any:
        if attribute.startswith("__") or (folder / f"{attribute}.py").exists():
            raise AttributeError(attribute)  # the import system asks for these, and finds modules by itself
        del package.__dict__["__getattr__"]
        for kind in (INPUTS, ENUMS):
            if (folder / f"{kind}.py").exists():
                types = importlib.import_module(f"{name}.{kind}")
                if isinstance(types, _Types):
                    types.__all__ = sorted(types.codes)
        spec.loader.exec_module(package)  # type: ignore[union-attr]
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = load
    return package


def load_modules_singly() -> None:
    """Puts bare packages in the place of `SERVICES`; the modules and classes that are loaded already stay the same."""
    import pulumi_aws

    sys.meta_path.insert(0, _Finder)
    for service in SERVICES:
        package = _bare(f"pulumi_aws.{service}")
        sys.modules[package.__name__] = package
        setattr(pulumi_aws, service, package)
