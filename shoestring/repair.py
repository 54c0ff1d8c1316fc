"""What a killed update leaves behind, and the way out of it.

The engine writes down each operation before it begins, so that what it did not see the end of is in the stack's state
as pending. A pending creation is looked up in the account: what is there is adopted into the state, where the next up
or destroy finds it, and what is not there is struck out. What carries an environment's tags, and is in no state of its
stacks, is removed by the provider itself; on AWS, where another program may have the same tags, only what its name or a
tag of Shoestring's own tells as ours, unless the user says otherwise. Everything may be done again, also after being
killed itself.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile
from typing import Any

from localcloud import supervisor
from localcloud.aws.types import BY_TOKEN
from localcloud.provider.resources import Emulator, Resource
from localcloud.provider.tagged import Tagged, tagged
from shoestring import engines, spot, updates
from shoestring.base import aws, names
from shoestring.base.errors import UserError
from shoestring.base.names import ENVIRONMENT_TAG, LOCAL, NAMESPACE, PROJECT_TAG, environment_of, window
from shoestring.base.paths import home
from shoestring.environment import configuration, local_environment
from shoestring.setup.doctor import Check

Json = dict[str, Any]
Say = Callable[[str], None]
STRAY = "repair-"  # begins the name of what is entered into a state only to be removed
UNNAMED = "left as it is, for nothing but these tags says whose it is (--also-unnamed removes it)"
ROUNDS = 5  # of removals: what stands in the way of another goes first


class Account(Emulator):
    """The account of the environment that was entered, which is asked as its rows say, on AWS as well."""

    def __init__(self) -> None:
        super().__init__(aws.client("ec2").meta.region_name)
        self.number = aws.client("sts").get_caller_identity()["Account"]

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = aws.client(service)
        return self._clients[service]


@dataclass
class Stack:
    """A stack's state, and what is wrong with it."""

    name: str
    deployment: Json
    lock: updates.Lock | None
    adopted: dict[int, str] = field(default_factory=dict)  # the id of each pending creation that is in the account
    dropped: set[int] = field(default_factory=set)  # what is not there, or is no matter of the account
    unclear: list[str] = field(default_factory=list)  # URNs of which nobody can say
    gone: list[str] = field(default_factory=list)  # URNs of what is not in the account any more

    @property
    def resources(self) -> list[Json]:
        return list(self.deployment.get("resources") or [])

    @property
    def pending(self) -> list[Json]:
        """The operations that an update began and did not end."""
        return list(self.deployment.get("pending_operations") or [])

    @property
    def unread(self) -> list[str]:
        """What an earlier repair adopted and did not come to read."""
        return [item["urn"] for item in self._own() if not item.get("outputs")]

    @property
    def strays(self) -> list[str]:
        """What an earlier repair was about to remove."""
        return [item["urn"] for item in self._own() if item["urn"].rpartition("::")[2].startswith(STRAY)]

    @property
    def known(self) -> set[tuple[str, str]]:
        """The types and ids, and whatever else may name a resource, of all that is in the state."""
        return {(item["type"], name) for item in self._own() for name in _names(item)}

    def miss(self, present: set[tuple[str, str]], tags: Mapping[str, str]) -> None:
        """Notes what the state has with these tags, and the account has not."""
        listed = {token for token, row in BY_TOKEN.items() if row.listing}
        for item in (item for item in self._own() if not item.get("delete")):
            ours = tags.items() <= (item["inputs"].get("tags") or {}).items()
            if ours and item["type"] in listed and not {(item["type"], name) for name in _names(item)} & present:
                self.gone.append(item["urn"])

    def _own(self) -> list[Json]:
        return [item for item in self.resources if item.get("id") and item["type"].startswith("aws:")]


@dataclass
class Findings:
    """What is wrong with an environment: its stacks, its strays, and the account."""

    environment: str
    stacks: list[Stack]
    processes: list[Any]
    orphans: list[Tagged] = field(default_factory=list)  # what is tagged and in no state, and goes
    doubtful: list[Tagged] = field(default_factory=list)  # the same, which may be somebody else's, and stays

    @property
    def busy(self) -> Stack | None:
        """A stack that an update is at work on right now."""
        return next((stack for stack in self.stacks if stack.lock and not stack.lock.dead), None)

    @property
    def due(self) -> bool:
        """Whether there is anything to do."""
        return len(self.lines()) > len(self.doubtful)

    def accept(self, doubtful: Iterable[Tagged]) -> None:
        """Has these removed as well."""
        keys = {orphan.key for orphan in doubtful}
        self.orphans += [orphan for orphan in self.doubtful if orphan.key in keys]
        self.doubtful = [orphan for orphan in self.doubtful if orphan.key not in keys]

    def lines(self) -> list[tuple[str, str]]:
        """What is wrong, and what a repair does about it."""
        lines = [(f"process {item.pid} has outlived its engine", "ended") for item in self.processes]
        for stack in self.stacks:
            if stack.lock and stack.lock.dead:
                lines.append((f"the stack {stack.name} is locked by a killed update ({stack.lock})", "unlocked"))
            for number, operation in enumerate(stack.pending):
                what = f"{stack.name}: {operation['type']} {_short(operation['resource']['urn'])} was not seen to end"
                if number in stack.adopted:
                    lines.append((f"{what}; it is in the account: {stack.adopted[number]}", "adopted"))
                elif operation["resource"]["urn"] in stack.unclear:
                    lines.append((f"{what}; whether it is in the account, nobody can say", "left as it is"))
                else:
                    lines.append((what, "struck out, and read from the account"))
            lines += [(f"{stack.name}: {_short(urn)} was adopted and not read", "read") for urn in stack.unread]
            lines += [(f"{stack.name}: {_short(urn)} was to be removed", "removed") for urn in stack.strays]
        for orphan in (*self.orphans, *self.doubtful):
            what = f"{orphan} has the tags of {self.environment}, and is in no state"
            lines.append((what, "removed" if orphan in self.orphans else UNNAMED))
        for stack in filter(lambda stack: stack.gone, self.stacks):
            what = (
                f"{len(stack.gone)} resources of {stack.name} are not in the account, such as {_short(stack.gone[0])}"
            )
            lines.append((what, "forgotten by the state, and the account read"))
        return lines


def _names(resource: Json) -> set[str]:
    values = (resource.get("outputs") or {}).values()
    return {str(resource["id"]), *(value for value in values if isinstance(value, str))}


def _short(urn: str) -> str:
    kind, name = urn.split("::")[-2:]
    return f"{kind.rpartition(':')[2]} {name}"


def examine(environment: str, in_account: bool = True) -> Findings:
    """What is wrong with an environment; changes nothing.

    Args:
        in_account: whether the account can be asked, by this process's credentials.

    Raises:
        UserError: a state cannot be read.
    """
    present: list[Tagged] = []
    if in_account:  # before the states are read: what is made in between is in these
        account = Account()
        project = configuration(environment).get(f"{NAMESPACE}project", "shoestring")
        tags = {PROJECT_TAG: str(project), ENVIRONMENT_TAG: environment}
        present = list(tagged(account, tags))
    both = (window(environment), environment)  # what stands on the other goes first
    stacks = [Stack(name, updates.deployment(name), updates.lock(name)) for name in both]
    findings = Findings(environment, stacks, engines.strays())
    if not in_account or findings.busy:
        return findings
    known = set[tuple[str, str]]().union(*(stack.known for stack in stacks))
    for stack in stacks:
        stack.miss({found.key for found in present}, tags)
        _judge(stack, account, known)
    present += spot.left(account.client("ec2"), tags, {id for _, id in known})
    for orphan in (found for found in present if found.alone and found.key not in known):
        sure = environment == LOCAL or _is_ours(orphan, environment)
        (findings.orphans if sure else findings.doubtful).append(orphan)
    return findings


def _is_ours(found: Tagged, environment: str) -> bool:
    """Whether more than its cost tags, which another program may share, says that it is Shoestring's."""
    folder = names.champions(environment).rpartition("/")[0]  # of all parameters
    ours = re.compile(rf"(.*[:/])?{names.resource(environment)}(-.*)?|{folder}/.*")
    return any(map(ours.fullmatch, found.names)) or any(key.startswith(NAMESPACE) for key in found.tags)


def check(environment: str) -> Check:
    """What of it the doctor says; it starts no local cloud, and leaves one that is down unasked."""
    up = environment == LOCAL and supervisor.status(home())["state"] == "up"
    if up:
        os.environ.update(local_environment(supervisor.up(home())))
    try:
        lines = examine(environment, in_account=up or environment != LOCAL).lines()
    except UserError as error:
        return Check("state", False, error.found, error.mend)
    good = f"nothing of {environment} is half-done" + ("" if up else "; the local cloud is down, and was not asked")
    said = "\n       ".join(what for what, _ in lines)
    return Check("updates", not lines, said or good, f"shoestring repair {environment}")


def _judge(stack: Stack, account: Emulator, known: set[tuple[str, str]]) -> None:
    """Looks every pending creation up in the account; what is there is `known` from then on."""
    for number, operation in enumerate(stack.pending):
        resource, kind = operation["resource"], operation["resource"]["type"]
        if operation["type"] != "creating" or not resource.get("custom") or kind.startswith("pulumi:"):
            stack.dropped.add(number)
        elif kind not in BY_TOKEN:
            stack.unclear.append(resource["urn"])
        else:
            made = Resource(account, kind, dict(resource.get("inputs") or {}))
            if made.search({id for token, id in known if token == kind}):
                stack.adopted[number] = made.id
                known.add((kind, made.id))
            else:
                stack.dropped.add(number)


def mend(findings: Findings, say: Say) -> None:
    """Does what `Findings.lines` says.

    Raises:
        Locked: an update is at work on a stack.
        UserError: something could not be mended: what is left, and why.
    """
    if (busy := findings.busy) and busy.lock:
        raise updates.locked(busy.lock)
    if findings.processes:  # which may have made something since they were seen
        engines.end(findings.processes)
        again = examine(findings.environment)
        again.accept(findings.orphans)
        findings = again
    for stack in findings.stacks:
        if stack.lock:
            updates.unlock(stack.name)
    orphans = [orphan for orphan in findings.orphans if orphan.token != spot.TOKEN]
    if requests := [orphan.id for orphan in findings.orphans if orphan.token == spot.TOKEN]:
        say(f"cancelling {', '.join(requests)}")  # first, for each would launch the machine that is removed below again
        spot.cancel(aws.client("ec2"), requests)
    for stack in findings.stacks:
        entered = _edited(stack, orphans if stack.name == findings.environment else [])
        if entered:
            say(f"{stack.name}: writing down what is in the account")
            _import(stack, entered)
        if entered or stack.unread or stack.strays or stack.gone:
            say(f"{stack.name}: reading the account")
            updates.run("refresh", stack.name).require(
                f"reading {stack.name}", f"shoestring repair {findings.environment}"
            )
        _remove(stack.name, say)
    unclear = [urn for stack in findings.stacks for urn in stack.unclear]
    if unclear:
        raise UserError(
            "whether these were made, nobody can say:\n" + "\n".join(unclear),
            "that you look for each in the account",
            f"pulumi refresh --stack {findings.stacks[-1].name}, where it asks for each: import, with its ID, or clear",
        )


def _edited(stack: Stack, orphans: list[Tagged]) -> Json | None:
    """The deployment with what was found in it; None where there is nothing to change."""
    if not stack.adopted and not stack.dropped and not orphans:
        return None
    edited = copy.deepcopy(stack.deployment)
    resources = edited.setdefault("resources", [])
    for number, id in stack.adopted.items():
        made = {**stack.pending[number]["resource"], "id": id, "outputs": {}}
        same = [item for item in resources if item["urn"] == made["urn"] and not item.get("delete")]
        for item in same:
            if item.get("pendingReplacement"):  # it is gone, and this is what replaces it
                resources.remove(item)
            else:  # made twice: the later one stays
                made = _entry(made["type"], id, item["provider"], made["urn"])
        resources.append(made)
    provider = next(
        (f"{item['urn']}::{item['id']}" for item in resources if item["type"] == "pulumi:providers:aws"), ""
    )
    if orphans and not provider:
        raise UserError(
            f"the state of {stack.name} is empty, and the account holds "
            + ", ".join(map(str, orphans)),
            "the state in which they are, or an account without them",
            "shoestring cloud up --fresh" if environment_of(stack.name) == LOCAL
            else "pulumi login to the backend that holds their state; or remove them by hand",
        )  # fmt: skip
    like = resources[0]["urn"] if resources else ""
    resources += [_entry(orphan.token, orphan.id, provider, like) for orphan in orphans]
    settled = stack.adopted.keys() | stack.dropped
    edited["pending_operations"] = [item for number, item in enumerate(stack.pending) if number not in settled]
    return edited


def _entry(token: str, id: str, provider: str, like: str) -> Json:
    """What is entered into a state only to be removed; `like` is any URN of the stack's."""
    prefix = "::".join(like.split("::")[:2])
    name = "".join(letter if letter.isalnum() else "-" for letter in id)
    return {"urn": f"{prefix}::{token}::{STRAY}{name}", "custom": True, "id": id, "type": token, "inputs": {},
            "outputs": {}, "provider": provider}  # fmt: skip


def _import(stack: Stack, deployment: Json) -> None:
    """Makes it the stack's state, unless an update has changed that in between."""
    if updates.deployment(stack.name) != stack.deployment:
        raise updates.Locked(
            f"an update has changed {stack.name} meanwhile",
            "one at a time",
            f"shoestring repair {environment_of(stack.name)}",
        )
    with NamedTemporaryFile("w", dir=home(), suffix=".json") as file:
        json.dump({"version": 3, "deployment": deployment}, file)
        file.flush()
        updates.pulumi("stack", "import", "--stack", stack.name, "--file", file.name)


def _remove(name: str, say: Say) -> None:
    """Has the provider remove what was entered for that, in rounds."""
    for _ in range(ROUNDS):
        stack = Stack(name, updates.deployment(name), None)
        if not stack.strays:
            return
        say(f"{name}: removing {', '.join(map(_short, stack.strays))}")
        targets = [word for urn in stack.strays for word in ("--target", urn)]
        outcome = updates.run("destroy", name, "--continue-on-error", *targets)
    outcome.require("removing " + ", ".join(map(_short, stack.strays)), f"shoestring repair {environment_of(name)}")
