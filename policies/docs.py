"""Writes the docs of the rules from the rules: `python -m policies.docs`.

A page for each group below `docs/policies/`, with list prices of the table that comes with the product.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from costs.book.prices import PriceBook
from policies.catalog import GROUPS
from policies.money import priced
from policies.rule import Example, Rule, messages
from policies.snippets import program

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "policies"
COMMAND = "python -m policies.docs"
TITLES = {
    "tags": "Tags: whose each resource is",
    "budget": "Budget: what a stack may cost",
    "waste": "Waste: what costs money for nothing",
    "safety": "Safety: what must not be open, plain or gone",
}


def page(group: str, book: PriceBook) -> str:
    """The page of a group."""
    rules = GROUPS[group]
    rows = [f"| [`{rule.name}`](#{rule.name}) | {rule.level} | {rule.description} |" for rule in rules]
    head = [f"# {TITLES[group]}", "", f"Written by `{COMMAND}` from `policies/{group}/`.", ""]
    table = ["| rule | level | what must hold |", "|---|---|---|", *rows, ""]
    return "\n".join([*head, *table, *("\n".join(explain(rule, book)) for rule in rules)]) + "\n"


def explain(rule: Rule, book: PriceBook) -> list[str]:
    """A rule in Markdown: what it says and why, its configuration, and its two examples."""
    lines = [f"## `{rule.name}`", "", f"**{rule.description}** Level: {rule.level}.", "", priced(rule.why, book), ""]
    lines += [f"What to change: {priced(rule.change, book)}", ""]
    if rule.config:
        lines += ["| configuration | default | meaning |", "|---|---|---|"]
        for key, schema in rule.config.items():
            default = json.dumps(schema["default"], ensure_ascii=False).replace("|", "\\|")
            lines.append(f"| `{key}` | `{default}` | {schema['description']} |")
        lines.append("")
    refusals = "\n\n".join(messages(rule, rule.fails, book))
    lines += ["This fails" + _where(rule.fails) + ":", "", *_code(rule.fails), "with the message", ""]
    lines += ["```text", rule.description, refusals, "```", "", "This passes" + _where(rule.passes) + ":", ""]
    return [*lines, *_code(rule.passes)]


def _where(example: Example) -> str:
    config = f", configured with `{json.dumps(dict(example.config))}`" if example.config else ""
    return f" in the stack `{example.stack}`{config}"


def _code(example: Example) -> list[str]:
    lines = ["```python", program(example.resources), "```", ""]
    if example.before:
        lines += ["where the stack holds until now", "", "```python", program(example.before), "```", ""]
    return lines


def pages(book: PriceBook | None = None) -> dict[str, str]:
    """Every page by its file's name."""
    book = book or PriceBook.load()
    return {f"{group}.md": page(group, book) for group in GROUPS}


def main() -> None:
    """Writes the pages that differ from what is there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
