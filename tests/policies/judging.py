"""How tests ask a rule about resources of their own."""

from __future__ import annotations

from costs.book.prices import PriceBook
from policies.catalog import by_name
from policies.rule import Context, Stack, declare

BOOK = PriceBook.load()
RULES = by_name()


def violations(name, *resources, stack="dev", **config):
    """What a rule says of these resources."""
    rule = RULES[name]
    context = Context(stack=stack, config={**rule.defaults, **config}, book=BOOK)
    if rule.check_stack:
        return list(rule.check_stack(Stack(resources), context))
    return [
        violation
        for resource in resources
        if rule.applies(resource.type)
        for violation in rule.check(resource, context)
    ]


def props(name, *resources, **words):
    """The properties that a rule refuses."""
    return [violation.prop for violation in violations(name, *resources, **words)]


def thing(kind, called="thing", **inputs):
    return declare(kind, called, **inputs)
