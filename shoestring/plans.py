"""What a stack's plan costs, asked of the engine itself: the preview that judges a plan is the one that prices it."""

from __future__ import annotations

from collections.abc import Callable

from costs.amounts import dollars, written
from costs.plan.plan import Plan
from costs.plan.preview import Preview, read
from shoestring import updates


def preview(stack: str, *words: str, on_event: Callable[[updates.Event], None] = lambda event: None) -> Preview:
    """A preview of a stack with its unchanged resources; `words` are further arguments of `pulumi preview`.

    Raises:
        UserError: the program, the provider or a policy refuses; nothing was changed.
    """
    mend = f"pulumi preview --stack {stack}    (where there is no such stack: pulumi stack init {stack})"
    outcome = updates.run("preview", stack, "--json", "--show-sames", *words, on_event=on_event)
    outcome.require(f"the preview of {stack}", mend)
    return read(outcome.output, f"the preview of {stack}")


def summary(plan: Plan) -> str:
    """A plan in one line: what a month costs while idle, and what one run may cost at the worst."""
    after, parts = plan.after, []
    if after.idle.high:
        parts.append(f"{written(after.idle)} a month while idle")
    if after.run.high:
        expected = after.run.expected if not after.run.exact else None
        likely = "" if expected is None else f"{dollars(expected)} expected and "
        parts.append(f"{likely}at most {dollars(after.run.high)} for one run")
    if missing := plan.unpriced + plan.partial:
        parts.append(f"{len(missing)} resource(s) unpriced or only in part")
    return f"{plan.stack}: " + ("; ".join(parts) or "costs nothing")
