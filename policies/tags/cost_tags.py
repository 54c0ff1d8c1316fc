"""The rule `cost-tags`: whatever costs money says whose it is, also where a service creates it later.

Only the input `tags` counts. `tagsAll` is the provider's output of it and of its own default tags, and those never
reach what launch templates, auto scaling groups and Batch create.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import WINDOW, Context, Example, Finding, Resource, Rule, resource
from policies.taggable import plainly_taggable, taggable
from policies.values import UNKNOWN, at, each, known

LEASE = "shoestring:lease"
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
DERIVED = ("Project", "Team", "Owner", "CostCenter")  # of these settings the pack adds the tag by itself
EXAMPLES = {"Owner": "an e-mail address", LEASE: "a UTC time such as 2026-01-31T18:00:00Z"}


def _propagated(tags: Any) -> Any:
    """An auto scaling group's tags that reach its instances, as a mapping; UNKNOWN where one of them is."""
    if tags is UNKNOWN:
        return UNKNOWN
    found = {}
    for tag in each(tags):
        if UNKNOWN in (tag, key := at(tag, "key"), reaches := at(tag, "propagateAtLaunch")):
            return UNKNOWN
        if reaches and isinstance(key, str):
            found[key] = at(tag, "value")
    return found


def _specified(specifications: Any, kind: str) -> Any:
    """The tags that a launch template gives to one kind of what it launches."""
    items = each(specifications)
    if specifications is UNKNOWN or UNKNOWN in items:
        return UNKNOWN
    return next((at(item, "tags") for item in items if at(item, "resourceType") == kind), None)


def _places(token: str, props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where the tags of a resource and of what it creates later are set: the argument's name, and the tags."""
    tags = at(props, "tags")
    if token == "aws:autoscaling/group:Group":
        yield "tags with propagate_at_launch", _propagated(tags)
        return
    yield "tags", tags
    if token == "aws:ec2/launchTemplate:LaunchTemplate":
        for kind in LAUNCHED:
            yield f"tag_specifications for {kind}", _specified(at(props, "tagSpecifications"), kind)
    if token == "aws:ec2/instance:Instance" and not at(props, "launchTemplate"):
        yield "volume_tags", at(props, "volumeTags") or at(props, "rootBlockDevice", "tags")
    if token == "aws:batch/computeEnvironment:ComputeEnvironment":
        resources = at(props, "computeResources")
        if resources and at(resources, "type") in ("EC2", "SPOT"):
            yield "compute_resources.tags", at(resources, "tags")


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
        key: said
        for key, value in values.items()
        if key not in missing and value is not UNKNOWN and (said := _wrong(key, value, rules))
    }
    first = [f"{', '.join(missing)} missing"] if missing else []
    return [*missing, *wrong], [*first, *wrong.values()]


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """One finding for a resource, with each place of a wrong tag; what is unknown passes until the update."""
    if not (taggable(found.type) or (found.type.startswith("aws:") and "tags" in found.props)):
        return
    required = list(context.config["required"])
    if context.window and LEASE not in required:
        required.append(LEASE)
    lines, keys = [], []
    for place, tags in _places(found.type, found.props):
        wrong, said = _problems(tags, required, context.config)
        if said:
            lines.append(f"  {place}: {'; '.join(said)}")
            keys += [key for key in wrong if key not in keys]
    if lines:
        settings = ", ".join(SETTINGS[key] for key in keys if key in SETTINGS)
        mend = [f"{settings} in Pulumi.{context.stack}.yaml"] * bool(settings)
        mend.append("the argument named above in the program")
        lines = [f"{found.name} ({found.type}) lacks cost tags:", *lines, f"  mend it: {' or '.join(mend)}"]
        yield Finding("tags", at(found.props, "tags"), mend[0], said="\n".join(lines))


def remediate(found: Resource, context: Context) -> dict[str, str]:
    """The tags that the pack can derive and the resource lacks: from the stack's name, the project and the stack's
    configuration. What it may not carry by the rule's own lists and forms is left out."""
    tags = at(found.props, "tags")
    if tags is UNKNOWN or not plainly_taggable(found.type) or not (tags is None or isinstance(tags, Mapping)):
        return {}
    values = {"ManagedBy": "pulumi", "Environment": context.environment, "Project": context.project}
    values |= {key: said for key in DERIVED if (said := context.settings.get(SETTINGS[key]))}
    return {
        key: value
        for key in context.config["required"]
        if (value := values.get(key)) and not known_tag(tags, key) and not _wrong(key, value, context.config)
    }


def known_tag(tags: Any, key: str) -> bool:
    """Whether a tag is there; an unknown value is one."""
    value = at(tags, key)
    return value is UNKNOWN or (known(value) and value != "")


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
    f"training window (stacks whose names end in {WINDOW}) the tag {LEASE} says until when a resource may cost "
    f"anything.",
    change="Set the tags in the program or by one stack transform. At the level remediate, the default, the pack adds "
    "those that it can derive itself: ManagedBy, Environment from the stack's name, Project from shoestring:project or "
    "the project's name, and Team, Owner and CostCenter from shoestring:team, owner and costCenter.",
    config=SCHEMA,
    check=check,
    remediate=remediate,
    fails=Example((resource("aws:s3/bucket:Bucket", "data", tags=FAILING),)),
    passes=Example((resource("aws:s3/bucket:Bucket", "data", tags=TAGS),)),
)
