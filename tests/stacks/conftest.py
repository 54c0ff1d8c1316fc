"""Runs the project's programs on the SDK's own mocks, and keeps what they registered."""

from __future__ import annotations

import asyncio
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
from pulumi.runtime import mocks, rpc, settings

from costs.gate import OPEN_TEXT

ACCOUNT = "123456789012"
OFFERINGS = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
PLATFORM = {
    "bucket": f"shoestring-dev-{ACCOUNT}",
    "mlflow_url": "http://10.20.0.10:5000",
    "subnet_ids": ["subnet-0a"],
    "vpc_id": "vpc-0a",
    "mlflow_security_group_id": "sg-0b",
    "window_gate": "/shoestring/dev/window-gate",
}


class Registered:
    """One resource as the program asked for it."""

    def __init__(self, request: Any) -> None:
        self.type, self.name, self.parent = request.type, request.name, request.parent
        self.inputs: dict[str, Any] = rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.protect, self.retained = request.protect, request.retainOnDelete
        self.ignored = list(request.ignoreChanges)


class Torn(grpc.RpcError):  # type: ignore[misc]
    """What the engine answers where it meets half a state."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return "failed to load checkpoint: EOF"


class Missing(grpc.RpcError):  # type: ignore[misc]
    """What the engine answers where the provider found no such parameter."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return "invocation of aws:ssm/getParameter:getParameter returned an error: ParameterNotFound"


class Refused(grpc.RpcError):  # type: ignore[misc]
    """What the engine answers where AWS refuses a function of the provider."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


class World(mocks.MockMonitor, mocks.Mocks):  # type: ignore[misc]
    """An account in which everything succeeds; with `preview`, one in which nothing exists yet.

    Args:
        stacks: the outputs of other stacks, by name.
        parameter: what Systems Manager answers; `earlier` are the parameters of a platform of an earlier release.
        gate: the same of a gate; None: there is none.
    """

    def __init__(
        self, preview: bool, stacks: dict[str, dict[str, Any]], parameter: str, gate: str | None = OPEN_TEXT
    ) -> None:
        super().__init__(self)
        self.preview, self.stacks, self.parameter, self.gate = preview, stacks, parameter, gate
        self.all: list[Registered] = []
        self.outputs: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.torn_reads = 0
        self.quota: float | None = 1000.0
        self.payer = ""
        self.earlier: dict[str, str] = {}
        self.offered: list[str] | None = ["us-east-1b", "us-east-1a"]

    def RegisterResource(self, request: Any) -> Any:
        self.all.append(Registered(request))
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.outputs[request.urn] = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        return super().RegisterResourceOutputs(request)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """An id and what the provider computes; a preview knows neither."""
        if args.typ == "pulumi:pulumi:StackReference":
            name = args.inputs["name"].rsplit("/", 1)[-1]
            return args.name, {"name": args.inputs["name"], "outputs": self.stacks.get(name, {})}
        if self.preview:
            return "", dict(args.inputs)
        computed = {
            "arn": f"arn:aws:x:us-east-1:{ACCOUNT}:{args.name}",
            "latestVersion": 1,
            "version": "1",
            "functionUrl": "https://x.lambda-url.us-east-1.on.aws/",
            "endpoint": "db.example:5432",
            "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db"}],
        }
        return args.inputs.get("name", f"{args.name}-id"), {**computed, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """The functions of the provider that the programs use, and the engine's own."""
        if args.token == "pulumi:pulumi:readStackOutputs":
            if self.torn_reads:
                self.torn_reads -= 1
                raise Torn
            return {"outputs": self.stacks.get(args.args["name"].rsplit("/", 1)[-1], {})}, []
        self.calls.append(args.token)
        gate = str(args.args.get("name", "")).endswith("window-gate")
        if gate and self.gate is None:
            raise Missing
        if args.token == "aws:organizations/getOrganization:getOrganization" and not self.payer:
            raise Refused("AWSOrganizationsNotInUseException: Your account is not a member of an organization.")
        if args.token == "aws:servicequotas/getServiceQuota:getServiceQuota" and self.quota is None:
            raise Refused("AccessDeniedException: not authorized to perform: servicequotas:GetServiceQuota")
        if args.token == OFFERINGS and self.offered is None:
            raise Refused("UnauthorizedOperation: You are not authorized to perform: ec2:DescribeInstanceTypeOfferings")
        answers = {
            OFFERINGS: {"locations": self.offered},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {
                "names": ["us-east-1c", "us-east-1a", "us-east-1b"]
            },
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:ssm/getParameter:getParameter": {"value": self.gate if gate else self.parameter},
            "aws:servicequotas/getServiceQuota:getServiceQuota": {"value": self.quota},
            "aws:organizations/getOrganization:getOrganization": {"masterAccountId": self.payer},
            "aws:ssm/getParametersByPath:getParametersByPath": {
                "names": list(self.earlier),
                "values": list(self.earlier.values()),
            },
        }
        return answers[args.token], []

    def of(self, kind: str) -> list[Registered]:
        """The resources of a type, by the last part of its token."""
        return [each for each in self.all if each.type.endswith(f":{kind}")]

    def one(self, kind: str) -> Registered:
        """The only resource of a type."""
        (found,) = self.of(kind)
        return found

    def named(self, kind: str, name: str) -> Registered:
        """The resource of a type with a name."""
        (found,) = (each for each in self.of(kind) if each.name == name)
        return found

    @property
    def exports(self) -> dict[str, Any]:
        """The stack's outputs."""
        return next(outputs for urn, outputs in self.outputs.items() if "pulumi:pulumi:Stack" in urn)


# As in Pulumi's own host: a program that failed leaves futures behind, and asyncio would print each one's traceback.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)

Run = Callable[..., World]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a function as the program of a stack."""

    def run(
        build: Callable[[], None],
        *,
        stack: str = "dev",
        preview: bool = False,
        stacks: dict[str, dict[str, Any]] | None = None,
        own: dict[str, Any] | None = None,
        parameter: str = "{}",
        earlier: dict[str, str] | None = None,
        torn_reads: int = 0,
        gate: str | None = OPEN_TEXT,
        quota: float | None = 1000.0,
        payer: str = "",
        offered: Sequence[str] | None = ("us-east-1b", "us-east-1a"),
        seen: list[str] | None = None,
    ) -> World:
        others = {"dev": PLATFORM, "local": PLATFORM} if stacks is None else stacks
        world = World(preview, {**others, **({stack: own} if own else {})}, parameter, gate)
        world.torn_reads, world.earlier = torn_reads, earlier or {}
        world.quota, world.payer = quota, payer
        world.offered = None if offered is None else list(offered)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            pulumi.runtime.set_mocks(
                world, project="shoestring", stack=stack, preview=preview, monitor=world, organization="organization"
            )
            settings.set_root_resource(None)  # type: ignore[arg-type]  # the mocks make a stack of their own
            settings.SETTINGS.rpc_manager.clear()  # what a failed program left
            settings.SETTINGS.outputs.clear()
            pulumi.runtime.set_config("aws:region", "us-east-1")
            loop.run_until_complete(pulumi.runtime.run_in_stack(build))
        finally:
            loop.close()
            if seen is not None:
                seen += [each.type for each in world.all]
        return world

    yield run
    asyncio.set_event_loop(asyncio.new_event_loop())


@pytest.fixture(autouse=True)
def no_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's package and the jobs' wheels take the network: empty ones stand in. Files go elsewhere."""
    from components import tracking_package
    from costs.prepare import package as costs_package
    from serving.prepare import package
    from training.prepare import wheels
    from training.prepare.artifact import Artifact

    zipped = tmp_path / "inference-0123456789abcdef.zip"
    zipped.write_bytes(b"PK")
    monkeypatch.setattr(package, "build", lambda *_, **__: zipped)
    monkeypatch.setattr(tracking_package, "build", lambda *_, **__: zipped)
    watching = tmp_path / "costs-0123456789abcdef.zip"
    with zipfile.ZipFile(watching, "w") as made:
        made.writestr("costs/__init__.py", "")
    monkeypatch.setattr(costs_package, "build", lambda *_, **__: watching)
    folder = tmp_path / "wheels-0123456789abcdef"
    folder.mkdir()
    for name in ("a-1-py3-none-any.whl", "b-2-py3-none-any.whl", "requirements.txt"):
        (folder / name).write_text(name)
    monkeypatch.setattr(wheels, "build", lambda *_, **__: Artifact(folder, "c0de"))
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path))
