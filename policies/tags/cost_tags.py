"""The rule `cost-tags`: whatever costs money says whose it is, also where a service creates it later.

Only the input `tags` counts. `tagsAll` is the provider's output of it and of its own default tags, and those never
reach what launch templates, auto scaling groups and Batch create.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.disks import disks
from policies.shapes.machines import BATCH, CONFIGURATION, GROUP, INSTANCE, NODES, SPOT_FLEET, SPOT_REQUEST, TEMPLATE
from policies.taggable import plainly_taggable, taggable
from policies.values import UNKNOWN, at, items, known, on
from shoestring.base.names import ENVIRONMENTS, LEASE_TAG, WINDOW_SUFFIX

SERVICE = "aws:ecs/service:Service"
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
        "default": {"Environment": list(ENVIRONMENTS), "ManagedBy": ["pulumi"]},
    },
    "forms": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Keys whose values match a regular expression as a whole.",
        "default": {
            "Owner": r"[^@\s]+@[^@\s]+\.[^@\s]+",
            LEASE_TAG: r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)",
        },
    },
}
SETTINGS = {  # where a tag's value comes from in a stack's configuration; the program itself sets the others
    "Project": "shoestring:project",
    "Team": "shoestring:team",
    "Owner": "shoestring:owner",
    "CostCenter": "shoestring:costCenter",
    LEASE_TAG: "shoestring:leaseUntil",
}
DERIVED = ("Project", "Team", "Owner", "CostCenter")  # of these settings the pack adds the tag by itself
EXAMPLES = {"Owner": "an e-mail address", LEASE_TAG: "a UTC time such as 2026-01-31T18:00:00Z"}


def _propagated(tags: Any) -> Any:
    """An auto scaling group's tags that reach its instances, as a mapping; UNKNOWN where one of them is."""
    if tags is UNKNOWN:
        return UNKNOWN
    reaching = {}
    for tag in items(tags):
        if UNKNOWN in (tag, key := at(tag, "key"), reaches := at(tag, "propagateAtLaunch")):
            return UNKNOWN
        if on(reaches) and isinstance(key, str):
            reaching[key] = at(tag, "value")
    return reaching


def _specified(specifications: Any, kind: str) -> Any:
    """The tags that a launch template gives to one kind of what it launches."""
    listed = items(specifications)
    if specifications is UNKNOWN or UNKNOWN in listed:
        return UNKNOWN
    may_be = UNKNOWN if any(at(item, "resourceType") is UNKNOWN for item in listed) else None
    return next((at(item, "tags") for item in listed if at(item, "resourceType") == kind), may_be)


def _places(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Where the tags of a resource and of what it creates later are set: the argument's name, and the tags."""
    props = resource.props
    tags = at(props, "tags")
    if resource.type == GROUP:
        yield "tags with propagate_at_launch", _propagated(tags)
        return
    yield "tags", tags
    if resource.type == TEMPLATE:
        for kind in LAUNCHED:
            yield f"tag_specifications for {kind}", _specified(at(props, "tagSpecifications"), kind)
    if resource.type in (INSTANCE, SPOT_REQUEST):
        yield from _volumes(resource)
    if resource.type == SPOT_FLEET:
        for place, specification in enumerate(items(at(props, "launchSpecifications"))):
            yield f"launch_specifications[{place}].tags", at(specification, "tags")
    if resource.type == SERVICE and at(props, "propagateTags") in (None, "", "NONE"):
        yield 'propagate_tags="SERVICE"', None  # its own tags reach none of its tasks, which are what costs
    if resource.type == NODES and at(props, "launchTemplate") is None:
        yield "launch_template with tag_specifications", None  # its own tags reach none of its machines
    if resource.type == BATCH:
        resources = at(props, "computeResources")
        if resources and at(resources, "type") in ("EC2", "SPOT"):
            yield "compute_resources.tags", at(resources, "tags")


def _volumes(resource: Resource) -> Iterator[tuple[str, Any]]:
    """The tags of a machine's disks: of all at once, or each for itself; those of a launch template it sets itself."""
    if at(resource.props, "launchTemplate"):
        return
    together = at(resource.props, "volumeTags")
    apart = [(f"{disk.path}tags", at(disk.block, "tags")) for disk in disks(resource)]
    whole = UNKNOWN not in (at(resource.props, "rootBlockDevice"), at(resource.props, "ebsBlockDevices"))
    if together or (whole and not any(tags for _, tags in apart)):
        yield "volume_tags", together
    else:
        yield from apart


def _wrong(key: str, value: Any, rules: Mapping[str, Any]) -> str:
    """What is wrong with a tag's value, in words; nothing where it is as it should be."""
    allowed, form = at(rules, "allowed", key), at(rules, "forms", key)
    if allowed is not None and value not in allowed:
        return f"{key} is {value!r}, not one of {', '.join(allowed)}"
    if form is not None and not re.fullmatch(form, str(value)):
        return f"{key} is {value!r}, not {EXAMPLES.get(key, f'of the form {form}')}"
    return ""


def _problems(tags: Any, required: list[str], rules: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The keys that are wrong, and what is wrong with them in words."""
    if tags is UNKNOWN:
        return [], []
    values = {key: at(tags, key) for key in required}
    missing = [key for key, value in values.items() if value is None or value == ""]
    wrong = {
        key: words
        for key, value in values.items()
        if key not in missing and value is not UNKNOWN and (words := _wrong(key, value, rules))
    }
    first = [f"{', '.join(missing)} missing"] if missing else []
    return [*missing, *wrong], [*first, *wrong.values()]


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """One violation for a resource, with each place of a wrong tag; what is unknown passes until the update."""
    if resource.type == CONFIGURATION:
        yield Violation(
            "tags of its disks", None, "a launch template with tag_specifications", UNTAGGED, level="advisory"
        )
    if not (taggable(resource.type) or (resource.type.startswith("aws:") and "tags" in resource.props)):
        return
    required = list(context.config["required"])
    if context.window and LEASE_TAG not in required:
        required.append(LEASE_TAG)
    lines, keys = [], []
    for place, tags in _places(resource):
        wrong, words = _problems(tags, required, context.config)
        if words:
            lines.append(f"  {place}: {'; '.join(words)}")
            keys += wrong if place.startswith("tags") else []  # what a setting fills in
    if lines:
        settings = ", ".join(SETTINGS[key] for key in keys if key in SETTINGS)
        mend = [f"{settings} in Pulumi.{context.stack}.yaml"] * bool(settings)
        mend.append("the argument named above in the program")
        lines = [f"{resource.name} ({resource.type}) lacks cost tags:", *lines, f"  mend it: {' or '.join(mend)}"]
        yield Violation("tags", at(resource.props, "tags"), mend[0], message="\n".join(lines))


def remediate(resource: Resource, context: Context) -> dict[str, str]:
    """The tags that the pack can derive and the resource lacks: from the stack's name, the project and the stack's
    configuration. What it may not carry by the rule's own lists and forms is left out."""
    tags = at(resource.props, "tags")
    if tags is UNKNOWN or not plainly_taggable(resource.type) or not (tags is None or isinstance(tags, Mapping)):
        return {}
    values = {"ManagedBy": "pulumi", "Environment": context.environment, "Project": context.project}
    values |= {key: value for key in DERIVED if (value := context.settings.get(SETTINGS[key]))}
    return {
        key: value
        for key in context.config["required"]
        if (value := values.get(key)) and not known_tag(tags, key) and not _wrong(key, value, context.config)
    }


def known_tag(tags: Any, key: str) -> bool:
    """Whether a tag is there; an unknown value is one."""
    value = at(tags, key)
    return value is UNKNOWN or (known(value) and value != "")


UNTAGGED = "what its machines' disks cost is nobody's: a launch configuration cannot tag them"
TAGS = {
    "Project": "churn", "Environment": "dev", "Team": "ml", "Owner": "you@example.com", "CostCenter": "ml-experiments",
    "ManagedBy": "pulumi",
}  # fmt: skip
FAILING = {key: TAGS[key] for key in ("Project", "Environment")}
COST_TAGS = Rule(
    name="cost-tags",
    group="tags",
    level="remediate",
    description="Every taggable resource, and what it launches, carries the tags that costs are reported by.",
    why="Costs without tags are nobody's: no report, budget or alarm can say which project or team spends them. In a "
    f"training window (stacks whose names end in {WINDOW_SUFFIX}) the tag {LEASE_TAG} says until when a resource may "
    "cost anything.",
    change="Set the tags in the program or by one stack transform. At the level remediate, the default, the pack adds "
    "those that it can derive itself: ManagedBy, Environment from the stack's name, Project from shoestring:project or "
    "the project's name, and Team, Owner and CostCenter from shoestring:team, owner and costCenter.",
    config=SCHEMA,
    check=check,
    remediate=remediate,
    fails=Example((declare("aws:s3/bucket:Bucket", "data", tags=FAILING),)),
    passes=Example((declare("aws:s3/bucket:Bucket", "data", tags=TAGS),)),
)
