"""Starts, heals and stops the local cloud: the servers that together play one AWS account on loopback.

Everything lies in `<home>/cloud/`: `cloud.json` says what runs, `ports.json` which ports were given (kept while they
are free, since they stand in users' shells), `logs/` and `data/` what the names say. The servers survive the command
that started them; a lock that the kernel frees with its holder keeps two commands apart.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from localcloud import REGION, sockets
from localcloud.keys import ISSUED, Keys
from localcloud.meter.ledger import Ledger
from localcloud.processes import Process, free_port, processes_below, spawn, stop, wait_until
from localcloud.protocol import ServiceError
from shoestring.base.errors import MEND, UserError, of_the_disk
from shoestring.base.paths import write_atomically

Progress = Callable[[str], None]
FOLDERS = ("logs", "data/state", "data/s3", "tmp")
HEALTHY_SECONDS = 60.0  # how long a server may take to answer its first health check
GATE = "gate"  # the only part that listens on a port; the others listen on sockets behind it


@dataclass(frozen=True)
class Part:
    """One server: its name, its module, and the path of its health check."""

    name: str
    module: str
    health: str = "/health"

    def command(self, cloud: Path, port: int) -> list[str]:
        """What starts it; `port` is the gate's."""
        socket = sockets.path(cloud, self.name)
        own = ["--port", str(port)] if self.name == GATE else ["--socket", str(socket)]
        emulator = ["ministack.app:app", "--bind", f"unix:{socket}", "--keep-alive", "75", "--workers", "0"]
        words = emulator if self.name == "aws" else [*own, "--home", str(cloud.parent)]
        return [sys.executable, "-m", self.module, *words]

    def variables(self, cloud: Path, port: int, keys: Keys) -> dict[str, str]:
        """Where the account is; MiniStack keeps all that it writes below the home, and its account across restarts."""
        account = keys.variables(f"http://127.0.0.1:{port}")
        if self.name != "aws":
            return account
        return {
            **account,
            "AWS_SECRET_ACCESS_KEY": keys.functions_secret,  # functions get it from here
            "GATEWAY_PORT": str(port),  # in the URLs that it makes
            "IOT_MTLS_ENABLED": "0",  # it would listen on a port of its own
            "PERSIST_STATE": "1",
            "STATE_DIR": str(cloud / "data" / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(cloud / "data" / "s3"),
            "TMPDIR": str(cloud / "tmp"),
            "CLOUDTRAIL_RECORDING": "1",  # the meter reads from it when things began and ended
            "CLOUDTRAIL_MAX_EVENTS": "2000",
            "LAMBDA_ACCOUNT_CONCURRENCY": _concurrency(cloud),
        }


def _concurrency(cloud: Path) -> str:
    """The account's quota of function calls at the same time. Raises UserError where its settings cannot be read."""
    from costs.book.quotas import CONCURRENCY, quotas  # here, for both load what only a start needs
    from localcloud.quotas import Quotas

    try:
        return f"{Quotas(cloud).value(quotas()[CONCURRENCY]):.0f}"
    except ServiceError as error:
        mend = f"edit or remove {cloud / 'account.json'}, then: shoestring cloud up"
        raise UserError(str(error), "settings as localcloud/settings.py lists them", mend) from error


# In the order of their start.
PARTS = (
    Part("aws", "hypercorn", "/_ministack/health"),
    Part(GATE, "localcloud.gate"),
    Part("sagemaker", "localcloud.sagemaker"),
    Part("machines", "localcloud.machines"),
    Part("meter", "localcloud.meter"),
)
# Who starts others goes before them; the account that they write to as they end goes last, after a last look at it.
ENDING = (("machines", "sagemaker"), ("machine", "job"), ("meter",), (GATE,), ("aws",))


def _object(path: Path) -> dict[str, Any]:
    """A file's JSON object, empty where there is no file. Raises ValueError for anything else."""
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {type(value).__name__}")
    return value


def _read(path: Path, say: Progress = lambda line: None, lost: str = "") -> dict[str, Any]:
    """A JSON object, empty where there is none; what cannot be read is set aside, never lost. `lost` is told then."""
    try:
        return _object(path)
    except ValueError as error:
        aside = path.with_suffix(".corrupt")
        path.replace(aside)
        say(f"local cloud: {path} is corrupt ({error}) and set aside as {aside.name}{lost}")
        return {}


def _check_account(cloud: Path, say: Progress) -> None:
    """Sets aside what is corrupt of the account: the servers would forget it without a word."""
    mend = "pulumi up --refresh --stack local    (and the same for local-window, if it is up)"
    for path in (cloud / "data" / "state").glob("*.json"):
        _read(path, say, f": what the account held of {path.stem} is gone\n{MEND}{mend}")
    for path in (cloud / "jobs").glob("*/job.json"):
        _read(path, say, f": the job {path.parent.name} is gone, not what it left in S3\n{MEND}{mend}")
    _read(cloud / "meter" / "explorer.json", say, f": anomaly monitors and activated tags are gone\n{MEND}{mend}")
    if (cloud / "meter").exists():
        Ledger.load(cloud / "meter", say)


def _write(path: Path, value: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(value, indent=2) + "\n")


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[Path]:
    cloud = home / "cloud"
    try:
        cloud.mkdir(parents=True, exist_ok=True)
        cloud.chmod(0o700)  # what the account holds is nobody else's
        with FileLock(cloud / "lock"):
            yield cloud
    except OSError as error:
        if refusal := of_the_disk(error, home):
            raise refusal from error
        raise


def _running(described: dict[str, Any]) -> dict[str, Process]:
    return {name: Process(part["pid"], part["created"]) for name, part in described.get("parts", {}).items()}


def _strays(cloud: Path) -> list[tuple[str, Process]]:
    """Servers, jobs and machines of this checkout by their working folder: found also where no record is left."""
    strays = [(name, process) for name in ("job", "machine") for process in processes_below(cloud / f"{name}s")]
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words, folder = process.cmdline(), Path(process.cwd())
            names = [part.name for part in PARTS if words[1:3] == ["-m", part.module] and folder == cloud]
            strays += [(name, Process(process.pid, process.create_time())) for name in names]
    return strays


def _stop_all(cloud: Path) -> list[str]:
    """Ends what `cloud.json` names and what it does not; returns the names of what ran."""
    known = _running(_read(cloud / "cloud.json"))
    others = tuple(known.keys() - {name for together in ENDING for name in together})  # of another version
    stopped = set[str]()
    for together in (others, *ENDING):
        due = [item for item in [*known.items(), *_strays(cloud)] if item[0] in together]
        with ThreadPoolExecutor() as pool:
            ended = pool.map(lambda item: stop(item[1]), due)
        stopped |= {name for (name, _), ran in zip(due, ended, strict=True) if ran}
    for name in ("cloud.json", "machines.json"):
        (cloud / name).unlink(missing_ok=True)
    shutil.rmtree(sockets.folder(cloud), ignore_errors=True)
    return sorted(stopped)


def _healthy(part: Part, cloud: Path) -> bool:
    return sockets.answers(sockets.path(cloud, part.name), part.health, 5)


def _state(part: Part, described: dict[str, Any], cloud: Path) -> str:
    known = described.get("parts", {}).get(part.name)
    if known is None:
        return "down"
    if not Process(known["pid"], known["created"]).alive():
        return "dead"
    return "up" if _healthy(part, cloud) else "not answering"


def status(home: Path) -> dict[str, Any]:
    """`{"state": "up"|"down"|"broken", "parts": {name: "up"|"down"|"dead"|"not answering"}}`; changes nothing."""
    try:
        described = _object(home / "cloud" / "cloud.json")
    except ValueError:
        return {"state": "broken", "parts": {part.name: "cloud.json is corrupt" for part in PARTS}}
    parts = {part.name: _state(part, described, home / "cloud") for part in PARTS}
    if all(state == "up" for state in parts.values()):
        return {"state": "up", "parts": parts}
    return {"state": "broken" if described else "down", "parts": parts}


def log_paths(home: Path) -> list[Path]:
    """The logs of all parts that have one."""
    return sorted((home / "cloud" / "logs").glob("*.log"))


def _start(part: Part, cloud: Path, port: int, keys: Keys) -> Process:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))}
    variables = {**kept, **part.variables(cloud, port, keys)}
    return Process.of(spawn(part.command(cloud, port), variables, _log(part, cloud), cloud))


def _log(part: Part, cloud: Path) -> Path:
    return cloud / "logs" / f"{part.name}.log"


def _await(part: Part, cloud: Path, process: Process) -> None:
    """Waits until a part is healthy. Raises UserError with its last lines where it does not become so."""
    wait_until(lambda: _healthy(part, cloud) or not process.alive(), HEALTHY_SECONDS)
    if _healthy(part, cloud):
        return
    log = _log(part, cloud)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise UserError(
        f"{part.name} did not become healthy; the last lines of {log}:\n{last}",
        "a server that answers",
        "shoestring doctor",
    )


def up(home: Path, fresh: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Brings the local cloud up, or heals it; a cloud that runs well is left alone.

    Args:
        home: the checkout's `.shoestring`.
        fresh: forgets the account's state first.
        progress: receives a line for each thing that is done.

    Returns:
        What runs: `{"aws_endpoint", "region", "sockets", "parts", "variables"}`. `sockets` is the folder of the parts'
        sockets, each part is `{"pid", "created"}`, and `variables` are those under which clients work: with the
        keys, so they are in no file that others may read.

    Raises:
        UserError: a server cannot be started, or the disk refuses; nothing is left running then.
    """
    say = progress or (lambda line: None)
    with _locked(home) as cloud:
        if fresh or status(home)["state"] != "up" or not Keys.path(cloud).exists():
            _start_all(cloud, fresh, say)
        described = _read(cloud / "cloud.json")
        return {**described, "variables": Keys.load(cloud).variables(described["aws_endpoint"])}


def _start_all(cloud: Path, fresh: bool, say: Progress) -> None:
    """Starts every part, when what still ran of them has ended."""
    for name, process in _running(_read(cloud / "cloud.json", say)).items():
        if not process.alive():
            say(f"local cloud: {name} had ended by itself; starting it anew")
    _stop_all(cloud)
    if fresh:
        _forget(cloud)
    for name in FOLDERS:
        (cloud / name).mkdir(parents=True, exist_ok=True)
    folder = sockets.make_folder(cloud)
    _check_account(cloud, say)
    keys, wanted = Keys.load_or_make(cloud), _read(cloud / "ports.json", say).get(GATE)
    parts: dict[str, Any] = {}
    try:
        port = free_port(wanted if isinstance(wanted, int) else 0)
        if wanted not in (None, port):
            say(f"local cloud: port {wanted} is taken by another program; {GATE} is on {port} now")
        running = {}
        for part in PARTS:  # at once: they need each other only when they are asked something
            where = f" on 127.0.0.1:{port}" if part.name == GATE else ""
            say(f"local cloud: starting {part.name}{where} (usually 3 s)")
            running[part.name] = process = _start(part, cloud, port, keys)
            parts[part.name] = asdict(process)
            _write(cloud / "cloud.json", {"parts": parts})
        for part in PARTS:
            _await(part, cloud, running[part.name])
        described: dict[str, Any] = {"aws_endpoint": f"http://127.0.0.1:{port}", "region": REGION}
        _write(cloud / "cloud.json", {**described, "sockets": str(folder), "parts": parts})
        _write(cloud / "ports.json", {GATE: port})
    except BaseException:
        _stop_all(cloud)  # also a server that Ctrl-C caught before it was recorded
        raise


def down(home: Path, forget: bool = False) -> list[str]:
    """Ends every part and what it started; the account's state is kept, unless `forget`. Returns what ran."""
    if not (home / "cloud").exists():
        return []
    with _locked(home) as cloud:
        stopped = _stop_all(cloud)
        if forget:
            _forget(cloud)
        return stopped


def _forget(cloud: Path) -> None:
    """Removes all that the account holds."""
    for name in ("data", "tmp", "jobs", "machines", "meter"):
        if (cloud / name).exists():
            shutil.rmtree(cloud / name)
    for path in (Keys.path(cloud), cloud / ISSUED):
        path.unlink(missing_ok=True)
