"""`shoestring budget`: what an environment has spent of its budget, and the gate for new training windows."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import typer

from shoestring import budgets
from shoestring.base import aws
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import enter
from shoestring.updates import outputs

app = typer.Typer(no_args_is_help=True)

Why = Annotated[str, typer.Option("--why", help="The reason, kept with the gate.")]


def _enter(environment: str) -> tuple[dict[str, Any], budgets.Clients]:
    """The platform's outputs, and clients for its region."""
    enter(environment, say)
    platform = outputs(environment)
    if "window_gate" not in platform:
        raise UserError(
            f"the platform {environment} is older than this program: it has no budget and no gate",
            "a platform of this version",
            f"pulumi up --stack {environment} --policy-pack policies",
        )
    return platform, partial(aws.client, region_name=platform["region"])


@app.command()
def status(environment: Env = LOCAL, as_json: Json = False) -> None:
    """Show limit, what is spent and forecast this month, and whether new training windows may come up."""
    platform, clients = _enter(environment)
    facts = budgets.status(environment, platform["budget"], clients, datetime.now(UTC))
    emit(facts, as_json, budgets.text(facts))


@app.command()
def close(environment: Env = LOCAL, why: Why = "closed by hand", as_json: Json = False) -> None:
    """Let no new training window come up until the month ends; one that is up stays."""
    gate = budgets.move_gate("closed", environment, why, _enter(environment)[1], datetime.now(UTC))
    text = f"{environment} takes no new training window in {gate.period}"
    emit({"environment": environment, "gate": "closed", "period": gate.period, "why": why}, as_json, text)


@app.command()
def reopen(why: Why, environment: Env = LOCAL, as_json: Json = False) -> None:
    """Let new training windows come up again, whatever is spent; the budget's next alarm closes it again."""
    gate = budgets.move_gate("open", environment, why, _enter(environment)[1], datetime.now(UTC))
    text = f"{environment} takes training windows again; the budget's next alarm closes it again"
    emit({"environment": environment, "gate": "open", "at": gate.at, "why": why}, as_json, text)


@app.command("activate-tags")
def activate_tags(environment: Env = "dev", as_json: Json = False) -> None:
    """Make the cost tags count in Cost Explorer and budgets: once for an account, by whoever pays for it."""
    enter(environment, say)
    tags = budgets.activate_tags(aws.client)
    rows = "\n".join(f"{tag['tag']:<14}{tag['status']}" for tag in tags)
    emit(tags, as_json, f"{rows}\nWhat was activated now counts within 24 hours, and for costs from then on.")
