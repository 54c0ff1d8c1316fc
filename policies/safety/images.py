"""The rule `container-images`: an image's tag always means the same image, and somebody looks what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.values import UNKNOWN, at, items, off, text

REPOSITORY = "aws:ecr/repository:Repository"
TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
REGISTRY = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
SAME = "an image that was tested is not surely the one that runs: whoever may push replaces it under its tag"
UNSEEN = "known holes in its packages stay unseen; basic scanning costs nothing"


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """Violations for repositories whose tags can be moved, and for those that nothing scans."""
    for repository in stack.of(REPOSITORY, TEMPLATE):
        mutable = at(repository.props, "imageTagMutability")
        if mutable is None or (isinstance(mutable, str) and not mutable.startswith("IMMUTABLE")):
            yield Violation("image_tag_mutability", mutable, 'image_tag_mutability="IMMUTABLE"', SAME, repository)
    for repository in stack.of(REPOSITORY):
        on_push = at(repository.props, "imageScanningConfiguration", "scanOnPush")
        if off(on_push) and not any(_scans(registry, repository) for registry in stack.of(REGISTRY)):
            change = 'image_scanning_configuration={"scan_on_push": True}, or a RegistryScanningConfiguration'
            yield Violation("image_scanning_configuration.scan_on_push", on_push, change, UNSEEN, repository)


def _scans(registry: Resource, repository: Resource) -> bool:
    """Whether one of a registry's rules scans this repository; what is unknown may do so."""
    rules, name = at(registry.props, "rules"), at(repository.props, "name")
    if rules is UNKNOWN:
        return True
    scanning = [rule for rule in items(rules) if at(rule, "scanFrequency") != "MANUAL"]
    filters = [at(pattern, "filter") for rule in scanning for pattern in items(at(rule, "repositoryFilters"))]
    # A filter without a wildcard is for all names that contain it.
    patterns = [text(word) if "*" in text(word) else f"*{text(word)}*" for word in filters if text(word)]
    if name is UNKNOWN and filters:
        return True
    return UNKNOWN in filters or any(fnmatchcase(text(name), pattern) for pattern in patterns)


CONTAINER_IMAGES = Rule(
    name="container-images",
    group="safety",
    level="advisory",
    description="Image tags cannot be moved, and images are scanned.",
    why="Jobs and functions name an image by its tag. A tag that can be moved runs something else tomorrow, and a "
    "model cannot be trained again as it was.",
    change="Set image_tag_mutability to IMMUTABLE and scan_on_push, or scan the whole registry.",
    check_stack=check,
    fails=Example((declare(REPOSITORY, "training", name="training"),)),
    passes=Example(
        (
            declare(
                REPOSITORY, "training", name="training", imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
            ),
        )
    ),
)  # fmt: skip
