"""The engine killed with -9 at moments chosen by a seed; then only the commands that messages name.

Each cycle lives a platform's and a window's whole life, and kills every operation of it once. `make test-kills` lives
eight of them; KILL_CYCLES and KILL_SEED choose others. A failure names the seed and the moment.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import requests

from tests.acceptance.conftest import Bed

CYCLES = int(os.environ.get("KILL_CYCLES", "1"))
SEED = int(os.environ.get("KILL_SEED", "10"))
TRIES = 8  # commands until a stack is well again
PLATFORM, WINDOW = "local", "local-window"
PROGRESS = re.compile(r" [ +~-]{1,2} .*ing \(")  # of one resource; what has ended is summed up behind them
WAITS = "import time\ntime.sleep(600)\n"


@dataclass
class Tally:
    """What came of all moments."""

    moments: int = 0
    doubles: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"moments tried: {self.moments}, doubles: {len(self.doubles)}, leftovers: {len(self.leftovers)}, "
            f"losses: {len(self.losses)}"
        )


class Life:
    """A bed whose engine is killed."""

    def __init__(self, bed: Bed, seed: int) -> None:
        self.bed, self.random, self.tally = bed, random.Random(seed), Tally()
        self.lines: dict[tuple[str, str, str], int] = {}  # how many an undisturbed operation prints
        self.whole: dict[str, Counter[str]] = {}  # what an undisturbed one leaves in the account
        self.kept = 0

    def words(self, operation: str, stack: str) -> list[str]:
        return [
            "pulumi",
            operation,
            "--stack",
            stack,
            "--yes",
            "--skip-preview",
            "--non-interactive",
            "--color",
            "never",
        ]

    def account(self) -> Counter[str]:
        listed = self.command("shoestring cloud account")[1]
        return Counter(" ".join(line.split()[:2]) for line in listed.splitlines() if len(line.split()) == 3)

    def command(self, words: str | list[str]) -> tuple[int, str]:
        """Exit code and output of what a user types."""
        typed = words.split() if isinstance(words, str) else words
        if typed[0] == "shoestring":
            typed = [*self.bed.command, *typed[1:]]
        completed = subprocess.run(
            typed, cwd=self.bed.tree, env=self.bed.variables, text=True, timeout=240, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert "Traceback" not in completed.stdout, completed.stdout
        return completed.returncode, completed.stdout

    def undisturbed(self, operation: str, stack: str, kind: str = "") -> None:
        code, shown = self.command(self.words(operation, stack))
        assert code == 0, shown
        self.lines[operation, stack, kind] = (
            max(n for n, line in enumerate(shown.splitlines()) if PROGRESS.match(line)) - 1
        )
        if operation == "up":
            self.whole[stack] = self.account()

    def killed(self, operation: str, stack: str, again: Callable[[], None] | None = None, kind: str = "") -> str:
        """Kills the operation somewhere on its way; the moment in words."""
        while True:
            after = self.random.randint(1, self.lines[operation, stack, kind])
            delay = self.random.random() * (1.0 if after == 1 else 0.2)
            group = self.random.random() < 0.3
            engine = self.bed.started(*self.words(operation, stack))
            assert engine.stdout
            for _ in range(after):
                if not engine.stdout.readline():
                    break
            time.sleep(delay)
            if engine.poll() is None:
                (os.killpg if group else os.kill)(engine.pid, signal.SIGKILL)
                engine.wait()
                self.tally.moments += 1
                return f"{operation} {stack}, {delay:.2f} s after line {after}{', with its group' * group}"
            assert engine.wait() == 0, f"{operation} {stack} failed by itself"
            print(f"{operation} {stack} had ended before its {after} lines: once more", flush=True)
            if again:  # undoes it: it was faster
                again()

    def cured(self, operation: str, stack: str, moment: str) -> None:
        """Does the operation again, and whatever the messages say, until it succeeds and the doctor is content."""
        told, wanted = [], self.words(operation, stack)
        asked = self.random.choice(("shoestring doctor", "shoestring repair local", "shoestring repair local"))
        done, next_command = False, asked if self.random.random() < 0.3 else wanted
        for _ in range(TRIES):
            if next_command == "shoestring repair local --yes" and self.random.random() < 0.2:
                repair = self.bed.started(*self.bed.command, "repair", "local", "--yes")
                time.sleep(self.random.random() * 8)
                os.killpg(repair.pid, signal.SIGKILL)  # it must bear that too
                repair.communicate()
                told.append("(killed a repair)")
            code, shown = self.command(next_command)
            told.append(f"$ {next_command if isinstance(next_command, str) else ' '.join(next_command)}\n{shown}")
            done = next_command == wanted if code == 0 and next_command != asked else done and code == 0
            if named := re.findall(r"mend it: +((?:shoestring|pulumi) .*)", shown):
                next_command = re.split(r" {2,}\(|;", named[-1])[0]
            elif "`pulumi cancel`" in shown:
                next_command = f"pulumi cancel --stack {stack} --yes"
            elif not done:
                next_command = asked if code else wanted
            elif next_command == asked:  # which found nothing, after it was done
                return
            else:
                next_command = asked
        raise AssertionError(f"{moment} is not cured:\n" + "\n".join(told))

    def compare(self, stack: str, moment: str) -> None:
        """The account against that of an undisturbed life."""
        found, whole = self.account(), self.whole[stack]
        self.tally.doubles += [f"{item}: {moment}" for item in (found - whole).elements()]
        self.tally.losses += [f"{item}: {moment}" for item in (whole - found).elements()]

    def empty(self, moment: str) -> None:
        self.tally.leftovers += [f"{item}: {moment}" for item in self.account().elements()]

    def s3(self) -> Any:
        variables = self.bed.variables
        return boto3.client(
            "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"], aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

    def mlflow(self, path: str, **body: object) -> dict[str, Any]:
        address, _, token = self.command("shoestring tracking")[1].strip().splitlines()[-1].partition("/?token=")
        bearer = {"Authorization": f"Bearer {token}"}
        method = "POST" if body.pop("post", True) else "GET"
        for _ in range(60):
            try:
                answer = requests.request(
                    method, f"{address}/api/2.0/mlflow/{path}", json=body, headers=bearer, timeout=90
                )
            except requests.ConnectionError:
                time.sleep(1)
                continue
            if answer.status_code != 503:
                answer.raise_for_status()
                return dict(answer.json())
            time.sleep(1)
        raise AssertionError(f"MLflow does not answer at {address}")

    def keep(self) -> None:
        """Lays down what must not be lost: an object, a run, a registered model."""
        self.kept += 1
        bucket = self.bed.run("pulumi", "stack", "output", "bucket", "--stack", PLATFORM).strip()
        self.s3().put_object(Bucket=bucket, Key="kept/object", Body=str(self.kept).encode())
        self.mlflow("runs/create", experiment_id="0", run_name="kept")
        self.mlflow("registered-models/create", name="kept")

    def lost(self, moment: str) -> None:
        """Looks for it again."""
        bucket = self.bed.run("pulumi", "stack", "output", "bucket", "--stack", PLATFORM).strip()
        if self.s3().get_object(Bucket=bucket, Key="kept/object")["Body"].read() != str(self.kept).encode():
            self.tally.losses.append(f"object: {moment}")
        if len(self.mlflow("runs/search", experiment_ids=["0"]).get("runs", [])) != 1:
            self.tally.losses.append(f"run: {moment}")
        if self.mlflow("registered-models/get", name="kept", post=False)["registered_model"]["name"] != "kept":
            self.tally.losses.append(f"model: {moment}")

    def change(self) -> None:
        """Gives the next up something to do."""
        megabytes = self.random.randrange(256, 1024)
        self.bed.pulumi("config", "set", "--path", "shoestring:inference.memoryMb", str(megabytes), "--stack", PLATFORM)

    def cycle(self) -> Iterator[str]:
        """A platform's and a window's life."""
        moment = self.killed("up", PLATFORM, lambda: self.undisturbed("destroy", PLATFORM))
        self.cured("up", PLATFORM, moment)
        self.compare(PLATFORM, moment)
        yield moment
        self.keep()
        self.change()
        moment = self.killed("up", PLATFORM, self.change, "of a change")
        self.cured("up", PLATFORM, moment)
        self.compare(PLATFORM, moment)
        yield moment
        for stack, operation, again in (
            (PLATFORM, "refresh", None),
            (WINDOW, "up", lambda: self.undisturbed("destroy", WINDOW)),
            (WINDOW, "refresh", None),
            (WINDOW, "destroy", lambda: self.undisturbed("up", WINDOW)),
        ):
            moment = self.killed(operation, stack, again)
            self.cured(operation, stack, moment)
            self.compare(PLATFORM if operation == "destroy" else stack, moment)
            yield moment
        self.lost("the end of a cycle")
        moment = self.killed("destroy", PLATFORM, lambda: self.undisturbed("up", PLATFORM))
        self.cured("destroy", PLATFORM, moment)
        self.empty(moment)
        yield moment


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    bed = Bed(tmp_path_factory.mktemp("kills"))
    try:
        bed.job("waits", WAITS)
        life = Life(bed, SEED)
        for operation, stack in (
            ("up", PLATFORM), ("refresh", PLATFORM), ("up", WINDOW), ("refresh", WINDOW), ("destroy", WINDOW),
        ):  # fmt: skip
            life.undisturbed(operation, stack)
        life.change()
        life.undisturbed("up", PLATFORM, "of a change")
        life.undisturbed("destroy", PLATFORM)
        yield life
    finally:
        bed.shoestring("cloud", "down")


@pytest.mark.timeout(600 + 900 * CYCLES)
def test_nothing_is_double_left_or_lost(life: Life) -> None:
    try:
        for number in range(CYCLES):
            for moment in life.cycle():
                print(f"cycle {number + 1}: {moment}: cured; {life.tally}", flush=True)
    finally:
        print(f"\nseed {SEED}: {life.tally}", flush=True)
    assert (life.tally.doubles, life.tally.leftovers, life.tally.losses) == ([], [], [])
    assert life.tally.moments >= 7 * CYCLES
