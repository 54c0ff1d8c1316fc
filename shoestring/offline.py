"""A stack's preview without an account: its program runs on the SDK's own mocks, as if nothing of it were there yet.

No engine, no provider and no state take part, so that nobody has to be logged in, and nothing of the user's is touched.
What only AWS or another stack could say is unknown, and priced as such.
"""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
from dataclasses import replace
from typing import Any

from costs.plan.preview import Preview, read
from shoestring import updates
from shoestring.base import names
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT
from shoestring.environment import program_configuration

ANSWERS: dict[str, dict[str, Any]] = {  # what a new account says to the functions that the programs call
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "0" * 12},
    "aws:ssm/getParameter:getParameter": {"value": "none"},
    "aws:ssm/getParametersByPath:getParametersByPath": {"names": [], "values": [], "types": [], "arns": []},
    "pulumi:pulumi:readStackOutputs": {"outputs": {}},
}


def why(stack: str) -> str:
    """Why the engine cannot preview a stack here: no login, no such stack, or no credentials; nothing where it can."""
    try:
        updates.pulumi("stack", "output", "--stack", stack)
    except UserError as error:
        return error.found.splitlines()[0]
    import boto3  # heavy, and there for such stacks alone

    return "" if boto3.session.Session().get_credentials() else "no AWS credentials"


def _zones(region: str) -> dict[str, dict[str, Any]]:
    """Two zones that offer everything: which ones they are changes no price."""
    zones = [f"{region}{letter}" for letter in "ab"]
    return {
        "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": zones},
        "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": {"locations": zones},
    }


def _program() -> None:
    runpy.run_path(str(ROOT / "stacks" / "__main__.py"), run_name="__main__")


def preview(stack: str, reason: str) -> Preview:
    """The preview of a stack that is not there yet; `reason` says why nobody else is asked.

    Raises:
        UserError: the program refuses, or asks AWS for something that a new account does not answer.
    """
    import grpc
    import pulumi  # heavy, and there for such previews alone
    from google.protobuf.json_format import MessageToDict
    from pulumi.runtime import mocks, settings

    steps: list[dict[str, Any]] = []

    class Unanswered(grpc.RpcError):  # type: ignore[misc]
        """What the engine answers where a function of the provider fails."""

        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNKNOWN

        def details(self) -> str:
            return str(self)

    class NewAccount(mocks.MockMonitor, mocks.Mocks):  # type: ignore[misc]
        """Notes what the program declares; nobody knows what would come of it."""

        def __init__(self) -> None:
            super().__init__(self)

        def RegisterResource(self, request: Any) -> Any:
            response = super().RegisterResource(request)
            dependencies = {key: list(named.urns) for key, named in request.propertyDependencies.items()}
            state = {"custom": request.custom, "inputs": MessageToDict(request.object), "type": request.type}
            state |= {"urn": response.urn, "propertyDependencies": dependencies}
            steps.append({"op": "create", "urn": response.urn, "newState": state})
            return response

        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
            return "", dict(args.inputs)

        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
            answers = {**ANSWERS, **_zones(values.get("aws:region", names.REGION))}
            if args.token not in answers:
                raise Unanswered(f"{args.token}: there is no account to ask")
            return answers[args.token], []

    monitor = NewAccount()
    values, loop = program_configuration(stack), asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a program that failed leaves futures behind
    try:
        pulumi.runtime.set_mocks(
            monitor, project="shoestring", stack=stack, preview=True, monitor=monitor, organization="organization"
        )
        settings.set_root_resource(None)  # type: ignore[arg-type]  # the mocks make a stack of their own
        settings.SETTINGS.outputs.clear()
        pulumi.runtime.set_all_config(values)
        loop.run_until_complete(pulumi.runtime.run_in_stack(_program))
    except pulumi.RunError as error:
        raise UserError(str(error)) from None
    except Exception as error:  # whatever a program may meet that does not expect to go without an answer
        raise UserError(f"without an account ({reason}) the program of {stack} fails: {error}") from error
    finally:
        loop.close()
    document = {"config": values, "steps": steps, "changeSummary": {"create": len(steps)}}
    shown = read(json.dumps(document), f"the preview of {stack}")
    note = f"no account was asked ({reason}): priced as a new {stack}, and unknown is what only AWS could say"
    return replace(shown, warnings=(*shown.warnings, note))
