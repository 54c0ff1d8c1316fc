"""Which version of a model serves: one small parameter that promotion moves and `pulumi up` follows."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws.ssm.get_parameter import get_parameter_output
from pulumi_aws.ssm.parameter import Parameter

from components.money import PricedComponent

NONE = "none"


@dataclass(frozen=True)
class ModelPointerArgs:
    """What a ModelPointer is made of."""

    parameter: str
    """Name of the parameter, like /shoestring/dev/models/breast-cancer/champion."""


class ModelPointer(PricedComponent):
    """A Systems Manager parameter that holds the version of the model that serves; `none` before the first promotion.

    Pulumi makes it and then leaves its value alone; `version` is what it holds now.

    Nothing of it is billed: standard parameters are free.
    """

    parameter: pulumi.Output[str]
    """Name of the parameter."""
    version: pulumi.Output[str]
    """The promoted version, or `none`."""

    def __init__(self, name: str, args: ModelPointerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:registry:ModelPointer", name, opts)
        pointer = Parameter(
            name,
            name=args.parameter,
            type="String",
            value=NONE,
            description="Version of the model that serves; moved by promotion",
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["value"]),
        )
        self.parameter = pointer.name
        # By id, which a preview does not know before the parameter exists: only then is it asked for.
        found = get_parameter_output(name=pointer.id, with_decryption=False, opts=pulumi.InvokeOptions(parent=self))
        self.version = found.value
        self.register_outputs({"parameter": self.parameter, "version": self.version})
