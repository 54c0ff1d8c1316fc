"""Arguments of components: frozen, keyword only, and checked when they are constructed, in anybody's program."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import field
from typing import Annotated, Any, TypeAlias, TypeVar, dataclass_transform

import pulumi
from pydantic import ConfigDict, Field, GetPydanticSchema, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import core_schema

from components.bounds import Text, allowed
from shoestring.base.errors import UserError, suggestion

T = TypeVar("T")
# As `pulumi.Input`, which names Output in a text that pydantic cannot resolve.
Input: TypeAlias = T | Awaitable[T] | pulumi.Output[T]


def if_known(plain: Any) -> GetPydanticSchema:
    """Checks an Input by the type `plain` where its value is known; an Output, whose value is not, passes."""
    return GetPydanticSchema(
        lambda _, handler: core_schema.no_info_wrap_validator_function(
            lambda value, check: value if isinstance(value, pulumi.Output | Awaitable) else check(value),
            handler.generate_schema(plain),
        )
    )


def _starts(with_: str) -> Any:
    return if_known(Annotated[str, Field(pattern=f"^{with_}")])


TextInput = Annotated[Input[str], if_known(Text)]
Account = Annotated[Input[str], _starts(r"\d{12}$"), Field(examples=["123456789012"])]
Bucket = Annotated[Input[str], _starts(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), Field(examples=["my-bucket"])]
Topic = Annotated[Input[str], _starts("arn:aws:"), Field(examples=["arn:aws:sns:us-east-1:123456789012:costs"])]
Uri = Annotated[Input[str], _starts("s3://"), Field(examples=["s3://my-bucket/data/churn/"])]
Vpc = Annotated[Input[str], _starts("vpc-"), Field(examples=["vpc-0123456789abcdef0"])]
Subnet = Annotated[Input[str], _starts("subnet-")]
SecurityGroup = Annotated[Input[str], _starts("sg-"), Field(examples=["sg-0123456789abcdef0"])]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def arguments(cls: type[T]) -> type[T]:
    """Makes a class a frozen dataclass that raises UserError with every problem of its fields at once.

    Each problem names the field, its value, what is allowed and an example. What is an Output is not checked.
    """
    checked: Any = dataclass(
        frozen=True, kw_only=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    )(cls)
    construct = checked.__init__

    def __init__(self: Any, **values: Any) -> None:
        try:
            construct(self, **values)
        except ValidationError as error:
            problems = [_problem(checked, problem) for problem in error.errors()]
            raise UserError(f"{len(problems)} problem(s) in {cls.__name__}:\n" + "\n".join(problems)) from None

    checked.__init__ = __init__
    return checked  # type: ignore[no-any-return]


def _problem(kind: Any, error: Any) -> str:
    """One problem of an argument, as a line."""
    path = [str(part) for part in error["loc"]]
    fields = kind.__pydantic_fields__
    if not path:
        return f"  {allowed(error)}"
    if error["type"] == "unexpected_keyword_argument":
        return f"  {path[0]} is unknown; {suggestion(path[0], fields)}"
    examples = fields[path[0]].examples
    example = f", such as {examples[0]!r}" if examples else ""
    if error["type"] in ("missing", "missing_keyword_only_argument"):
        return f"  {path[0]} is not set{example}"
    return f"  {'.'.join(path)} is {error['input']!r}: {allowed(error)}{example}"
