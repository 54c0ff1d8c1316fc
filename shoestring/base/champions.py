"""The promoted version of each model, as one parameter's text: `{"breast-cancer": "3"}`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shoestring.base.errors import UserError

NONE = "none"  # in the place of a version, where none is promoted


def written(versions: Mapping[str, str]) -> str:
    """The parameter's text: the same versions give the same text."""
    return json.dumps(versions, sort_keys=True)


def read(parameter: str, text: str) -> dict[str, str]:
    """The promoted version of each model. Raises UserError where the text is something else."""
    try:
        versions = json.loads(text)
        if not isinstance(versions, dict) or not all(isinstance(version, str) for version in versions.values()):
            raise ValueError("not an object of model and version")
    except ValueError as error:
        raise UserError(
            f"the parameter {parameter} holds {text!r}: {error}",
            'the promoted version of each model, like {"churn": "3"}; its earlier texts: '
            f"aws ssm get-parameter-history --name {parameter}",
            f"aws ssm put-parameter --overwrite --name {parameter} --value '{{}}'    (then promote each model again)",
        ) from error
    return versions
