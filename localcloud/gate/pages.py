"""The pages of the account's MLflow servers: each on its own port, for who has the cloud's token.

Clients send it as `Authorization: Bearer`; a browser gets a cookie for it by the link that the command line prints.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from aiohttp import web

from localcloud import machines, sockets
from localcloud.gate.answers import forbidden
from localcloud.gate.forward import Behind, answer, receive

PAUSE = 0.2  # seconds between two looks at what machines there are
LOCKED = "this page wants the local cloud's token; print a link that has it: shoestring tracking"


class Page:
    """One server's pages, on a port of this machine."""

    def __init__(self, port: int, behind: Behind, token: str, folder: Path) -> None:
        self.port, self.behind, self.token, self.folder = port, behind, token, folder
        self.runner: web.ServerRunner | None = None
        # Of this port alone: a browser sends a host's cookies to all of its ports.
        self.name = f"shoestring-{port}"
        self.cookie = hmac.new(token.encode(), f"cookie of port {port}".encode(), hashlib.sha256).hexdigest()

    async def open(self) -> None:
        """Listens. Raises OSError where the port is taken."""
        runner = web.ServerRunner(web.Server(self.handle, auto_decompress=False, access_log=None), shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True).start()
        except OSError:
            await runner.cleanup()
            raise
        self.runner = runner

    async def close(self) -> None:
        """Listens no more."""
        if self.runner:
            await self.runner.cleanup()
        await self.behind.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        host = request.headers.get("Host", "")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return forbidden("this is not the host that was asked for", 421)
        if request.headers.get("Origin", f"http://{host}") != f"http://{host}" or request.method == "OPTIONS":
            return forbidden("this server answers no other page")
        path, _, query = request.raw_path.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        if request.method == "GET" and self._same(dict(pairs).get("token", ""), self.token):
            rest = urlencode([(name, value) for name, value in pairs if name != "token"])
            found = web.Response(status=303, headers={"Location": path + (f"?{rest}" if rest else "")})
            found.set_cookie(self.name, self.cookie, httponly=True, samesite="Strict", path="/")
            return found
        if not self._known(request):
            return forbidden(LOCKED, 401)
        body = await receive(request, self.folder)
        try:
            without = frozenset(("authorization", "cookie"))
            async with await self.behind.ask(request, request.raw_path, body, without) as upstream:
                return await answer(request, upstream)
        except aiohttp.ClientError as error:
            return forbidden(f"the MLflow server does not answer: {error}", 503)
        finally:
            body.close()

    def _known(self, request: web.BaseRequest) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with contextlib.suppress(KeyError):
            cookie = SimpleCookie(request.headers.get("Cookie", ""))[self.name].value
            if self._same(cookie, self.cookie):
                return True
        return self._same(bearer, self.token)

    @staticmethod
    def _same(given: str, right: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), right.encode())


class Pages:
    """The pages of all machines of one cloud, as `machines.json` names them."""

    def __init__(self, cloud: Path, token: str) -> None:
        self.cloud, self.token = cloud, token
        self.pages: dict[tuple[str, int], Page] = {}
        self.refused: set[tuple[str, int]] = set()

    async def follow(self) -> None:
        """Opens and closes ports as machines come and go, until it is cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(PAUSE)
        finally:
            for page in self.pages.values():
                await page.close()

    async def look(self) -> None:
        """Brings the ports to what `machines.json` says now."""
        wanted = {(item["instance_id"], urlsplit(item["address"]).port or 0) for item in machines.read(self.cloud)}
        for key in self.pages.keys() - wanted:
            await self.pages.pop(key).close()
        for key in sorted(wanted - self.pages.keys()):
            name, port = key
            page = Page(port, Behind(sockets.path(self.cloud, name)), self.token, self.cloud / "tmp")
            try:
                await page.open()
            except OSError as error:
                if key not in self.refused:
                    print(f"the pages of {name} cannot be served on port {port}: {error}", flush=True)
                self.refused.add(key)
                continue
            self.refused.discard(key)
            self.pages[key] = page
