"""Which version of each model serves: one small parameter that promotion moves and `pulumi up` follows."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar

import pulumi
from pulumi_aws.ssm.get_parameter import get_parameter_output
from pulumi_aws.ssm.parameter import Parameter

from components.arguments import Input, arguments, if_known
from components.base import Component
from components.bounds import ParameterName
from shoestring.base import champions
from shoestring.base.errors import UserError

Versions = Annotated[Input[dict[str, str]], if_known(dict[str, str])]


@arguments
class ChampionsArgs:
    """What Champions is made of."""

    parameter: ParameterName
    """Name of the parameter, like /shoestring/dev/champions."""
    versions: Versions = field(default_factory=dict)
    """What it begins with: the promoted version of each model, by name. Later ones are promotion's."""


class Champions(Component[ChampionsArgs]):
    """A Systems Manager parameter with the promoted version of every model, served or not: `{"churn": "3"}`.

    Pulumi makes it and then leaves its value alone; `versions` is what it holds now. All models share one, so that what
    is promoted does not hang on what is served, and goes with the platform.

    Nothing of it is billed: standard parameters are free. They hold 4 KB, which is some 100 models.
    """

    token = "shoestring:registry:Champions"
    children: ClassVar = {"parameter": "aws:ssm/parameter:Parameter"}

    parameter: pulumi.Output[str]
    """Name of the parameter."""
    versions: pulumi.Output[dict[str, str]]
    """The promoted version of each model, by name."""

    def build(self, name: str, args: ChampionsArgs) -> None:
        pointers = Parameter(
            name,
            name=args.parameter,
            type="String",
            value=pulumi.Output.from_input(args.versions).apply(champions.written),
            description="Promoted version of each model; moved by promotion",
            opts=self.child("parameter", ignore_changes=["value"]),
        )
        self.parameter = pointers.name
        # By id, which a preview does not know before the parameter exists: only then is it asked for.
        current = get_parameter_output(name=pointers.id, with_decryption=False, opts=pulumi.InvokeOptions(parent=self))
        # The provider takes every parameter's value for a secret.
        self.versions = pulumi.Output.unsecret(current.value.apply(lambda text: _read(args.parameter, text)))


def _read(parameter: str, text: str) -> dict[str, str]:
    try:
        return champions.read(parameter, text)
    except UserError as error:
        raise pulumi.RunError(str(error)) from None
