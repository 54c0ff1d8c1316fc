"""`shoestring policies`: the rules of the policy pack, what each says, and whether their examples hold."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from costs.book.prices import PriceBook
from policies import catalog, docs
from policies.money import priced
from policies.rule import Rule, messages
from shoestring.base.errors import UserError, suggestion
from shoestring.commands.common import Json, emit

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="a rule, as shoestring policies list names it", metavar="NAME")]
OptionalName = Annotated[str, typer.Argument(help="one rule; every rule without it", metavar="[NAME]")]


def _rule(name: str) -> Rule:
    """A rule by its name; raises UserError with what comes near."""
    rules = catalog.by_name()
    if name not in rules:
        raise UserError(f"there is no rule {name!r}", suggestion(name, rules), "shoestring policies list")
    return rules[name]


def _facts(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "group": rule.group,
        "level": rule.level,
        "description": rule.description,
        "types": list(rule.types) if rule.check else [],
        "stack": rule.check_stack is not None,
        "config": rule.defaults,
    }


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the rules: group, name, level, what must hold."""
    width = max(len(rule.name) for rule in catalog.RULES)
    rows = []
    for group, rules in catalog.GROUPS.items():
        rows += [group, *(f"  {rule.name:<{width}}  {rule.level:<9}  {rule.description}" for rule in rules)]
    emit([_facts(rule) for rule in catalog.RULES], as_json, "\n".join(rows))


@app.command()
def explain(name: Name, as_json: Json = False) -> None:
    """Say what a rule asks and why, what it costs to break it, its configuration, and both of its examples."""
    rule, book = _rule(name), PriceBook.current()
    facts = {**_facts(rule), "why": priced(rule.why, book), "change": priced(rule.change, book), "schema": rule.config}
    emit(facts, as_json, "\n".join(docs.explain(rule, book)).rstrip())


@app.command()
def test(name: OptionalName = "", as_json: Json = False) -> None:
    """Judge both examples of every rule, or of one; exit with 1 where one fails that should pass, or passes."""
    book, rows, bad = PriceBook.current(), [], 0
    facts: list[dict[str, Any]] = []
    for rule in [_rule(name)] if name else catalog.RULES:
        refused, wrongly_refused = messages(rule, rule.fails, book), messages(rule, rule.passes, book)
        good = bool(refused) and not wrongly_refused
        facts.append({"name": rule.name, "good": good, "refused": refused, "wrongly_refused": wrongly_refused})
        rows.append(f"{'pass' if good else 'FAIL'}  {rule.name}")
        if not good:
            bad += 1
            rows += wrongly_refused or ["its failing example passes"]
    rows.append(f"{2 * len(facts)} examples of {len(facts)} rules, {bad} rule(s) wrong")
    emit(facts, as_json, "\n".join(rows))
    raise typer.Exit(1 if bad else 0)
