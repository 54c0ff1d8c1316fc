"""The rule `cost-tags`: whatever costs money says whose it is, also where a service creates it later.

Only the input `tags` counts. `tagsAll` is the provider's output of it and of its own default tags, and those never
reach what launch templates, auto scaling groups and Batch create.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policies.taggable import taggable

LEASE = "shoestring:lease"
WINDOW = "-window"  # how the names of the stacks end whose resources carry a lease
UNKNOWN = object()  # a value that a preview cannot know; the update checks it
LAUNCHED = ("instance", "volume", "network-interface")  # what a launch template's instances are billed for

STRINGS = {"type": "array", "items": {"type": "string"}}
SCHEMA: dict[str, dict[str, Any]] = {
    "required": {
        **STRINGS,
        "description": "The keys that every taggable resource carries.",
        "default": ["Project", "Environment", "Team", "Owner", "CostCenter", "ManagedBy"],
    },
    "allowed": {
        "type": "object",
        "additionalProperties": STRINGS,
        "description": "Keys whose values are chosen from a list.",
        "default": {"Environment": ["local", "dev", "staging", "prod"], "ManagedBy": ["pulumi"]},
    },
    "forms": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Keys whose values match a regular expression as a whole.",
        "default": {
            "Owner": r"[^@\s]+@[^@\s]+\.[^@\s]+",
            LEASE: r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)",
        },
    },
}
SETTINGS = {  # where a tag's value comes from in a stack's configuration; the program itself sets the others
    "Project": "shoestring:project",
    "Team": "shoestring:team",
    "Owner": "shoestring:owner",
    "CostCenter": "shoestring:costCenter",
    LEASE: "shoestring:leaseUntil",
}
EXAMPLES = {"Owner": "an e-mail address", LEASE: "a UTC time such as 2026-01-31T18:00:00Z"}


def _get(props: Mapping[str, Any], key: str) -> Any:
    try:
        return props.get(key)
    except UnknownValueError:
        return UNKNOWN


def _items(values: Any) -> list[Any]:
    """The known items of a list that may be absent or unknown."""
    found = []
    for index in range(len(values) if values and values is not UNKNOWN else 0):
        try:
            found.append(values[index])
        except UnknownValueError:
            found.append(UNKNOWN)
    return found


def _propagated(tags: Any) -> Any:
    """An auto scaling group's tags that reach its instances, as a mapping; UNKNOWN where one of them is."""
    if tags is UNKNOWN:
        return UNKNOWN
    found = {}
    for tag in _items(tags):
        if tag is UNKNOWN or UNKNOWN in (key := _get(tag, "key"), reaches := _get(tag, "propagateAtLaunch")):
            return UNKNOWN
        if reaches:
            found[key] = _get(tag, "value")
    return found


def _specified(specifications: Any, kind: str) -> Any:
    """The tags that a launch template gives to one kind of what it launches."""
    items = _items(specifications)
    if specifications is UNKNOWN or UNKNOWN in items:
        return UNKNOWN
    return next((_get(item, "tags") for item in items if _get(item, "resourceType") == kind), None)


def _places(token: str, props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where the tags of a resource and of what it creates later are set: the argument's name, and the tags."""
    tags = _get(props, "tags")
    if token == "aws:autoscaling/group:Group":
        yield "tags with propagate_at_launch", _propagated(tags)
        return
    yield "tags", tags
    if token == "aws:ec2/launchTemplate:LaunchTemplate":
        for kind in LAUNCHED:
            yield f"tag_specifications for {kind}", _specified(_get(props, "tagSpecifications"), kind)
    if token == "aws:ec2/instance:Instance" and not _get(props, "launchTemplate"):
        disk = _get(props, "rootBlockDevice") or {}
        of_disk = UNKNOWN if disk is UNKNOWN else _get(disk, "tags")
        yield "volume_tags", _get(props, "volumeTags") or of_disk
    if token == "aws:batch/computeEnvironment:ComputeEnvironment":
        resources = _get(props, "computeResources")
        if resources and resources is not UNKNOWN and _get(resources, "type") in ("EC2", "SPOT"):
            yield "compute_resources.tags", _get(resources, "tags")


def _problems(tags: Any, required: list[str], rules: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The keys that are wrong, and what is wrong with them in words."""
    if tags is UNKNOWN:
        return [], []
    values = {key: _get(tags or {}, key) for key in required}
    missing = [key for key, value in values.items() if value is None or value == ""]
    wrong = {}
    for key, value in values.items():
        if key in missing or value is UNKNOWN:
            continue
        allowed, form = rules["allowed"].get(key), rules["forms"].get(key)
        if allowed is not None and value not in allowed:
            wrong[key] = f"{key} is {value!r}, not one of {', '.join(allowed)}"
        elif form is not None and not re.fullmatch(form, value):
            wrong[key] = f"{key} is {value!r}, not {EXAMPLES.get(key, f'of the form {form}')}"
    said = [f"{', '.join(missing)} missing"] if missing else []
    return [*missing, *wrong], [*said, *wrong.values()]


def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Reports one violation for a resource, with each place of a wrong tag; what is unknown passes until the update."""
    if not (taggable(args.resource_type) or (args.resource_type.startswith("aws:") and "tags" in args.props)):
        return
    rules = {key: described["default"] for key, described in SCHEMA.items()} | dict(args.get_config())
    stack = args.urn.split("::")[0].rpartition(":")[2]
    required = list(rules["required"])
    if stack.endswith(WINDOW) and LEASE not in required:
        required.append(LEASE)
    lines, keys = [], []
    for place, tags in _places(args.resource_type, args.props):
        wrong, said = _problems(tags, required, rules)
        if said:
            lines.append(f"  {place}: {'; '.join(said)}")
            keys += [key for key in wrong if key not in keys]
    if lines:
        settings = ", ".join(SETTINGS[key] for key in keys if key in SETTINGS)
        mend = [f"{settings} in Pulumi.{stack}.yaml"] * bool(settings) + ["the argument named above in the program"]
        lines = [f"{args.name} ({args.resource_type}) lacks cost tags:", *lines, f"  mend it: {' or '.join(mend)}"]
        report("\n".join(lines), None)


COST_TAGS = ResourceValidationPolicy(
    name="cost-tags",
    description="Every taggable resource, and what it launches, carries the tags that costs are reported by.",
    enforcement_level=EnforcementLevel.MANDATORY,
    config_schema=PolicyConfigSchema(properties=SCHEMA),
    validate=validate,
)
