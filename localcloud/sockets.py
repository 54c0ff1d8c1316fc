"""The Unix sockets on which the parts of the local cloud listen; only the user who owns their folder reaches them.

HTTP is spoken on them as it is on ports. What is outside comes in through the gate (`localcloud/gate/`).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shoestring.base.errors import UserError

LONGEST = 103  # bytes that a socket's path may have on every system, with its end
LONGEST_NAME = "i-0123456789abcdef0"  # a machine's


def folder(cloud: Path) -> Path:
    """Where the sockets of the cloud at `<home>/cloud` lie: in it, or with a short name in the user's own folder for
    what lives as long as a session, where its path is too long for a socket.

    In the second case `run` is a link to it, for another shell may have another such folder.
    """
    inside = cloud / "run"
    if len(os.fsencode(inside / LONGEST_NAME)) <= LONGEST:
        return inside
    name = f"shoestring-{os.getuid()}-{hashlib.sha256(os.fsencode(cloud)).hexdigest()[:12]}"
    if inside.is_symlink() and inside.readlink().name == name:  # another name is that of a cloud this is a copy of
        return inside.readlink()
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name


def make_folder(cloud: Path) -> Path:
    """Makes the folder, closed to others. Raises UserError where another user has put one in its place."""
    place = folder(cloud)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UserError(f"{place} belongs to user {found.st_uid}", "a folder of your own", f"remove {place}")
    place.chmod(0o700)
    link = cloud / "run"
    cloud.mkdir(parents=True, exist_ok=True)
    if place != link and not (link.is_symlink() and link.readlink() == place):
        shutil.rmtree(link, ignore_errors=True)  # a folder, of a checkout that had a shorter path
        link.unlink(missing_ok=True)
        link.symlink_to(place)
    return place


def path(cloud: Path, name: str) -> Path:
    """The socket of one part, or of one machine by its instance id."""
    return folder(cloud) / name


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket. `timeout` is in seconds."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        """Connects. Raises OSError where nothing listens."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def ask(
    path: Path,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> tuple[int, bytes]:
    """Status and body of one answer: to a GET, or to a POST where there is a body. Raises OSError without an answer."""
    connection = Connection(path, timeout)
    try:
        connection.request("GET" if body is None else "POST", target, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"{path.name} broke off its answer: {error!r}") from error
    finally:
        connection.close()


def answers(path: Path, target: str, seconds: float) -> bool:
    """Whether the server on a socket answers with 200 in time."""
    try:
        return ask(path, target, timeout=seconds)[0] == 200
    except OSError:
        return False
