"""The SDK's types, made when they are named, are those that the SDK itself makes."""

from __future__ import annotations

import json
from collections.abc import Callable

from localcloud.aws.types import CALLS

# What the SDK's runtime asks of types: of those of every type of resource that the programs make, as far as they reach.
DESCRIBED = """
import enum, importlib, json, re, sys, typing
import pulumi
from pulumi import _types

found = {}

def inner(hint):
    if typing.get_args(hint):
        return [each for arg in typing.get_args(hint) for each in inner(arg)]
    return [hint] if isinstance(hint, type) and hint.__module__.startswith("pulumi_aws") else []

def describe(cls):
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name in found:
        return
    found[name] = {"bases": [base.__name__ for base in cls.__mro__]}
    if issubclass(cls, enum.Enum):
        found[name] |= {"members": {one.name: one.value for one in cls}, "token": cls.pulumi_type}
        return
    types = _types.resource_types(cls) if issubclass(cls, pulumi.Resource) else _types._types_from_py_properties(cls)
    names = sorted((python, pulumi_name) for python, pulumi_name, _ in _types._py_properties(cls))
    found[name] |= {"types": {key: str(hint) for key, hint in sorted(types.items())}, "names": names}
    found[name]["marks"] = [_types.is_input_type(cls), _types.is_output_type(cls)]
    for hint in types.values():
        for each in inner(hint):
            describe(each)

for token in TOKENS:
    _, service, module, name = token.replace("/", ":").split(":")
    folder = "lambda_" if service == "lambda" else service
    snake = re.sub("([A-Z])", r"_\\1", module).lower()
    found_module = importlib.import_module(f"pulumi_aws.{folder}.{snake}")
    describe(getattr(found_module, name))
    for each in vars(found_module).values():
        if isinstance(each, type) and each.__module__ == found_module.__name__ and each.__name__.endswith("Args"):
            describe(each)
print(json.dumps(found, sort_keys=True))
"""


def test_types_are_the_same_as_without_us(run_python: Callable[[str], str]) -> None:
    program = DESCRIBED.replace("TOKENS", repr(sorted(CALLS)))
    ours, theirs = (json.loads(run_python(head + program)) for head in ("import components\n", ""))
    assert len(theirs) > 500
    assert ours.keys() == theirs.keys()
    for name, described in theirs.items():
        assert ours[name] == described


def test_few_are_made_and_everything_is_there(run_python: Callable[[str], str]) -> None:
    printed = run_python(
        "import components, sys\n"
        "from pulumi_aws.ec2.vpc import Vpc\n"
        "from pulumi_aws.ec2 import _inputs, _enums\n"
        "print(len([each for each in vars(_inputs).values() if isinstance(each, type)]) < 20)\n"
        "from pulumi_aws.ec2 import InstanceEbsBlockDeviceArgs as one\n"
        "from pulumi_aws.ec2._inputs import InstanceEbsBlockDeviceArgs as same\n"
        "from pulumi_aws.ec2._inputs import InstanceEbsBlockDeviceArgsDict as typed\n"
        "import pulumi_aws as aws\n"
        "print(one is same is aws.ec2.InstanceEbsBlockDeviceArgs, aws.ec2.Vpc is Vpc, typed.__required_keys__)\n"
        "print(aws.ec2.InstanceType is _enums.InstanceType, aws.ec2.InstanceType.T4G_NANO.value)\n"
        "print(one(device_name='x').device_name, hasattr(_inputs, 'Nothing'))\n"
    )
    assert printed.split() == [
        "True", "True", "True", "frozenset({'device_name'})", "True", "t4g.nano", "x", "False",
    ]  # fmt: skip
