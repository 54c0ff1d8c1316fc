"""`python -m localcloud.gate --port N --home DIR`: lets in what bears the cloud's keys, until it is ended."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from aiohttp import web

from localcloud import sockets
from localcloud.gate.pages import Pages
from localcloud.gate.server import Gate
from localcloud.keys import Keys

NAME = "gate"


async def _healthy(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"status": "ok"})


async def serve(home: Path, port: int) -> None:
    """Serves the account on a port of loopback, and its MLflow servers on theirs, until SIGTERM."""
    cloud = home / "cloud"
    keys = Keys.load(cloud)
    gate, pages, ending = Gate(cloud, port, keys), Pages(cloud, keys.tracking_token), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    limits = {"max_line_size": 65536, "max_field_size": 65536}
    doors = [
        web.ServerRunner(
            web.Server(gate.handle, auto_decompress=False, access_log=None, **limits),  # type: ignore[arg-type]
            shutdown_timeout=1.0,
        ),
        web.ServerRunner(web.Server(_healthy, access_log=None), shutdown_timeout=1.0),
    ]
    for door in doors:
        await door.setup()
    await web.TCPSite(doors[0], "127.0.0.1", port, reuse_address=True).start()
    await web.UnixSite(doors[1], str(sockets.path(cloud, NAME))).start()  # health: when the port is open
    following = asyncio.create_task(pages.follow())
    try:
        done = asyncio.create_task(ending.wait())
        await asyncio.wait([done, following], return_when=asyncio.FIRST_COMPLETED)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        for door in doors:
            await door.cleanup()
        await gate.close()


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.home, given.port))


if __name__ == "__main__":
    main()
