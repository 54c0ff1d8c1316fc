"""Which version of a model serves: one small parameter that promotion moves and `pulumi up` follows."""

from __future__ import annotations

from typing import ClassVar

import pulumi
from pulumi_aws.ssm.get_parameter import get_parameter_output
from pulumi_aws.ssm.parameter import Parameter

from components.arguments import arguments
from components.base import Component
from components.bounds import ParameterName

NONE = "none"


@arguments
class ModelPointerArgs:
    """What a ModelPointer is made of."""

    parameter: ParameterName
    """Name of the parameter, like /shoestring/dev/models/breast-cancer/champion."""


class ModelPointer(Component[ModelPointerArgs]):
    """A Systems Manager parameter that holds the version of the model that serves; `none` before the first promotion.

    Pulumi makes it and then leaves its value alone; `version` is what it holds now.

    Nothing of it is billed: standard parameters are free.
    """

    token = "shoestring:registry:ModelPointer"
    children: ClassVar = {"parameter": "aws:ssm/parameter:Parameter"}

    parameter: pulumi.Output[str]
    """Name of the parameter."""
    version: pulumi.Output[str]
    """The promoted version, or `none`."""

    def build(self, name: str, args: ModelPointerArgs) -> None:
        pointer = Parameter(
            name,
            name=args.parameter,
            type="String",
            value=NONE,
            description="Version of the model that serves; moved by promotion",
            opts=self.child("parameter", ignore_changes=["value"]),
        )
        self.parameter = pointer.name
        # By id, which a preview does not know before the parameter exists: only then is it asked for.
        current = get_parameter_output(name=pointer.id, with_decryption=False, opts=pulumi.InvokeOptions(parent=self))
        self.version = current.value
