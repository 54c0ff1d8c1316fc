"""`shoestring`: the command line. Each command imports what it needs, so that `--help` stays fast."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from shoestring.base.errors import UserError, of_the_disk, of_the_network
from shoestring.base.paths import ROOT
from shoestring.commands import budget, cost, cost_report, cost_value, policies, prices
from shoestring.commands.common import Env, Environment, Json, emit, say

app = typer.Typer(
    rich_markup_mode=None,  # the rich help costs more time than all the rest of `--help`
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Machine learning on a small AWS budget: platform, training windows, local cloud.",
)

jobs = typer.Typer(no_args_is_help=True, help="Training jobs.")
app.add_typer(jobs, name="jobs")
models = typer.Typer(no_args_is_help=True, help="Registered models.")
app.add_typer(models, name="models")
cloud = typer.Typer(no_args_is_help=True, help="The local cloud: an emulated AWS account on this machine.")
app.add_typer(cloud, name="cloud")
cost_report.register(cost.app)
cost_value.register(cost.app)
app.add_typer(cost.app, name="cost")
app.add_typer(prices.app, name="prices")
app.add_typer(policies.app, name="policies")
app.add_typer(budget.app, name="budget")


@app.command()
def setup() -> None:
    """Put the engine and its launchers in place (called by make setup)."""
    from shoestring.setup.installation import set_up

    described, changed = set_up(lambda line: say(f"set-up: {line}"))
    what = f"Pulumi {described['version']} ({described['source']})"
    say(f"set-up: done: {what}" if changed else f"set-up: nothing to do: {what}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Name everything that is missing or wrong, each with the command that mends it."""
    from shoestring.setup.doctor import examine, render

    findings = examine()
    emit([finding.facts() for finding in findings], as_json, render(findings))
    raise typer.Exit(1 if any(finding.needed and not finding.good for finding in findings) else 0)


@app.command()
def env(environment: Environment) -> None:
    """Print the variables under which plain pulumi works: eval "$(shoestring env local)"."""
    from shoestring.environment import check_name, local_environment, remote_environment, shell_lines

    if check_name(environment) != "local":
        print(shell_lines(remote_environment(), local=False))
        return
    from shoestring.demo import recovery
    from shoestring.environment import enter

    recovery.clear(say)
    cloud = enter(environment, say)
    assert cloud
    print(shell_lines(local_environment(cloud), local=True))


@app.command()
def demo() -> None:
    """Train, serve and tear down on the local cloud, guided: what make demo runs."""
    from shoestring.demo.run import run
    from shoestring.screen import Screen

    run(Screen())


@app.command()
def train(environment: Env = "local", as_json: Json = False) -> None:
    """Bring the training window up, follow its jobs, and tear it down whatever happens."""
    from rich.console import Console

    from shoestring import tracking as server
    from shoestring import windows
    from shoestring.environment import enter
    from shoestring.jobs import POLL, cost
    from shoestring.screen import Screen
    from shoestring.updates import outputs

    local = enter(environment, say)
    platform = outputs(environment)
    uri = server.nearest(platform, say) if local else server.FORWARDED
    screen = Screen(Console(stderr=True, highlight=False, soft_wrap=True))
    found = windows.train(environment, screen, POLL if local else 10 * POLL, uri)
    emit(found, as_json, "\n".join(f"{job['name']}: {job['status']}, {cost(job)}" for job in found))
    windows.require_success(found)


@app.command()
def predict(
    rows: Annotated[typer.FileText, typer.Argument(help="a JSON list of objects, or - for standard input")],
    environment: Env = "local",
) -> None:
    """Ask the served model, over HTTP with a signed request; prints its answer as JSON."""
    from serving.client import FunctionUrl
    from shoestring.environment import enter
    from shoestring.updates import outputs

    cloud = enter(environment, say)
    try:
        asked = json.load(rows)
    except ValueError as error:
        raise UserError(f"{rows.name} is not JSON: {error}", 'like [{"mean_radius": 14.1, …}]') from error
    found = outputs(environment)
    function = FunctionUrl(found["inference_url"], found["region"], cloud["aws_endpoint"] if cloud else None)
    status, answer = function.predict(asked if isinstance(asked, list) else [asked])
    print(json.dumps(answer, indent=2))
    raise typer.Exit(0 if status == 200 else 1)


@app.command()
def tracking(environment: Env = "local") -> None:
    """Say where the MLflow server's pages are, or how to reach them on AWS."""
    from shoestring import tracking as server
    from shoestring.environment import enter
    from shoestring.updates import outputs

    local = enter(environment, say)
    found = outputs(environment)
    print(server.local_address(found) if local else server.forwarding(found))


@jobs.command("list")
def jobs_list(environment: Env = "local", as_json: Json = False) -> None:
    """List the newest training jobs."""
    from shoestring.environment import enter
    from shoestring.jobs import recent

    enter(environment, say)
    found = recent()
    rows = "\n".join(f"{job['created'][:19]}  {job['status']:<12}{job['name']}" for job in found)
    emit(found, as_json, rows or "no training jobs")


@jobs.command("logs")
def jobs_logs(name: str, environment: Env = "local") -> None:
    """Print what a training job has said so far."""
    from shoestring.environment import enter
    from shoestring.jobs import Log, describe

    enter(environment, say)
    describe(name)
    for line in Log(name).new():
        print(line)


@jobs.command("interrupt")
def jobs_interrupt(name: str) -> None:
    """Take the spot instance of a running job away (local cloud only); it resumes on the next one."""
    from localcloud.sagemaker.client import interrupt
    from shoestring.environment import enter

    cloud = enter("local", say)
    assert cloud
    interrupt(cloud["sagemaker_endpoint"], name)
    print(f"{name} is interrupted")


@models.command("list")
def models_list(model: str, environment: Env = "local", as_json: Json = False) -> None:
    """List a model's versions, and which one is served."""
    from shoestring import models as registry
    from shoestring.environment import enter
    from shoestring.updates import outputs

    enter(environment, say)
    champion = registry.champion(environment, model)
    found = registry.versions(outputs(environment)["bucket"], model)
    for one in found:
        one["champion"] = str(one["version"]) == champion
    rows = "\n".join(
        f"{one['version']:>4}  {'champion' if one['champion'] else '':<9}{one['job']}  "
        + "  ".join(f"{name}={value:.4g}" for name, value in one["metrics"].items())
        for one in found
    )
    emit(found, as_json, rows or "no versions yet")


@models.command("promote")
def models_promote(
    model: str,
    version: Annotated[str, typer.Argument(help="a version's number, or latest")] = "latest",
    environment: Env = "local",
) -> None:
    """Choose the version to serve; the next pulumi up publishes it. To roll back, promote an older one."""
    from shoestring import models as registry
    from shoestring.environment import enter
    from shoestring.updates import outputs

    enter(environment, say)
    chosen = registry.promote(environment, outputs(environment)["bucket"], model, version)
    print(f"{model} version {chosen} is champion; publish it: pulumi up -s {environment} --policy-pack policies")


@models.command("register")
def models_register(
    job: str,
    environment: Env = "local",
    tracking_uri: Annotated[str, typer.Option(help="the MLflow server; on AWS after `shoestring tracking`")] = "",
) -> None:
    """Register a finished job's model, where the job itself could not reach MLflow; repeatable."""
    from shoestring import models as registry
    from shoestring import tracking as server
    from shoestring.environment import enter
    from shoestring.updates import outputs

    local = enter(environment, say)
    found = outputs(environment)
    uri = tracking_uri or (server.local_address(found) if local else server.FORWARDED)
    done = registry.register(job, uri, found["bucket"])
    print(f"{done.name} version {done.version} {'is registered' if done.new else 'was registered before'}")


@cloud.command("up")
def cloud_up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget everything in the emulated account.")] = False,
    as_json: Json = False,
) -> None:
    """Start the local cloud, or heal it; does nothing where it runs well."""
    from localcloud import supervisor
    from shoestring.base.paths import home
    from shoestring.demo import recovery

    recovery.clear(say)
    described = supervisor.up(home(), fresh=fresh, progress=say)
    emit(described, as_json, f"the local cloud is up: {described['aws_endpoint']}")


@cloud.command("down")
def cloud_down(as_json: Json = False) -> None:
    """Stop everything that the local cloud runs; its account is kept for the next up."""
    from localcloud import supervisor
    from shoestring.base.paths import home
    from shoestring.demo import recovery

    stopped = ["a killed demo"] if recovery.clear(say) else supervisor.down(home())
    emit({"stopped": stopped}, as_json, "stopped: " + ", ".join(stopped) if stopped else "nothing was running")


@cloud.command("status")
def cloud_status(as_json: Json = False) -> None:
    """Say whether the local cloud runs; exit code 1 where it does not."""
    from localcloud import supervisor
    from shoestring.base.paths import home

    status = supervisor.status(home())
    parts = "".join(f"\n  {name}: {state}" for name, state in status["parts"].items())
    mend = "" if status["state"] == "up" else "\n  mend it:  shoestring cloud up"
    emit(status, as_json, f"the local cloud is {status['state']}{parts}{mend}")
    raise typer.Exit(0 if status["state"] == "up" else 1)


@cloud.command("logs")
def cloud_logs(lines: Annotated[int, typer.Option("-n", min=1, help="Lines of each log.")] = 40) -> None:
    """Show the last lines of each part's log."""
    from localcloud import supervisor
    from shoestring.base.paths import home

    for path in supervisor.log_paths(home()):
        print(f"== {path}")
        print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))


@cloud.command("account")
def cloud_account(as_json: Json = False) -> None:
    """List everything in the emulated account; exit code 1 where anything is there."""
    from localcloud import supervisor
    from localcloud.account import list_account
    from shoestring.base.paths import home

    found = list_account(supervisor.up(home(), progress=say))
    rows = "\n".join(f"{item['service']:<15} {item['type']:<20} {item['id']}" for item in found)
    emit(found, as_json, rows or "the account is empty")
    raise typer.Exit(1 if found else 0)


def main() -> None:
    """Entry point: errors for people become one message and an exit code."""
    try:
        app()
    except UserError as error:
        say(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
    except Exception as error:
        place = Path(os.environ.get("SHOESTRING_HOME") or ROOT / ".shoestring")
        refusal = of_the_network(error) or (of_the_disk(error, place) if isinstance(error, OSError) else None)
        if refusal is None:
            raise
        say(f"error: {refusal}")
        sys.exit(1)


if __name__ == "__main__":
    main()
