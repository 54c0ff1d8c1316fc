"""`shoestring budget`: what an environment has spent of its budget, and the gate for new training windows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shoestring.commands.common import Env, Json, emit, say

app = typer.Typer(no_args_is_help=True, help="The budget of an environment, and its gate for training windows.")

Why = Annotated[str, typer.Option("--why", help="The reason, kept with the gate.")]


def _enter(environment: str) -> tuple[dict[str, Any], Any]:
    """The platform's outputs, and clients for its region."""
    from shoestring.base.errors import UserError
    from shoestring.budgets import clients
    from shoestring.environment import enter
    from shoestring.updates import outputs

    enter(environment, say)
    found = outputs(environment)
    if "window_gate" not in found:
        raise UserError(
            f"the platform {environment} is older than this program: it has no budget and no gate",
            "a platform of this version",
            f"pulumi up --stack {environment} --policy-pack policies",
        )
    return found, clients(found["region"])


@app.command()
def status(environment: Env = "local", as_json: Json = False) -> None:
    """Show limit, what is spent and forecast this month, and whether new training windows may come up."""
    from datetime import UTC, datetime

    from shoestring import budgets

    found, made = _enter(environment)
    facts = budgets.status(environment, found["budget"], made, datetime.now(UTC))
    emit(facts, as_json, budgets.text(facts))


@app.command()
def close(environment: Env = "local", why: Why = "closed by hand", as_json: Json = False) -> None:
    """Let no new training window come up until the month ends; one that is up stays."""
    from datetime import UTC, datetime

    from shoestring import budgets

    _, made = _enter(environment)
    done = budgets.close(environment, why, made, datetime.now(UTC))
    text = f"{environment} takes no new training window in {done.period}"
    emit({"environment": environment, "gate": "closed", "period": done.period, "why": why}, as_json, text)


@app.command()
def reopen(
    why: Why,
    environment: Env = "local",
    as_json: Json = False,
) -> None:
    """Let new training windows come up again, whatever is spent; the budget's next alarm closes it again."""
    from datetime import UTC, datetime

    from shoestring import budgets

    _, made = _enter(environment)
    done = budgets.reopen(environment, why, made, datetime.now(UTC))
    text = f"{environment} takes training windows again; the budget's next alarm closes it again"
    emit({"environment": environment, "gate": "open", "at": done.at, "why": why}, as_json, text)


@app.command("activate-tags")
def activate_tags(environment: Env = "dev", as_json: Json = False) -> None:
    """Make the cost tags count in Cost Explorer and budgets: once for an account, by whoever pays for it."""
    from shoestring.environment import enter

    enter(environment, say)
    from shoestring import budgets

    done = budgets.activate_tags(budgets.clients("us-east-1"))
    rows = "\n".join(f"{each['tag']:<14}{each['status']}" for each in done)
    emit(done, as_json, f"{rows}\nWhat was activated now counts within 24 hours, and for costs from then on.")
