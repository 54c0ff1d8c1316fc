"""Decides on each request for the account: whose it is, whether it is let in, and who answers it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from botocore.auth import UNSIGNED_PAYLOAD

from localcloud import sockets
from localcloud.gate import answers, chunks, links, looks, signature
from localcloud.gate.credentials import Credentials
from localcloud.gate.forward import ACCOUNT_PART, PLAYED, Behind, Body, answer, receive
from localcloud.gate.judge import Judge
from localcloud.gate.signature import Refusal, Request, Signature
from localcloud.keys import Keys
from localcloud.protocol import ServiceError

METER = "shoestring-meter"  # the meter's own requests bear this name, and ask the account itself
ISSUING = ("sts", "iam")  # whose answers may hold keys
# What clients of AWS make of an endpoint on this machine: a bucket's host, a function's URL.
OF_ENDPOINT = re.compile(r"(127\.0\.0\.1|([a-z0-9][a-z0-9.-]*\.)?localhost):(\d+)")
OF_FUNCTION = re.compile(r"[a-z0-9-]+\.lambda-url\.[a-z0-9-]+\.(on\.aws|localhost:\d+)")
INTERNAL = re.compile(r"/_(ministack|localstack)(/|$)")  # the emulator's own pages, which AWS does not have


class Gate:
    """The door to the account below `<home>/cloud`, on one port."""

    def __init__(self, cloud: Path, port: int, keys: Keys) -> None:
        self.cloud, self.port, self.keys = cloud, port, keys
        self.credentials = Credentials(keys, cloud)
        self.judge = Judge(cloud, keys)
        self.behind = {name: Behind(sockets.path(cloud, name)) for name in {ACCOUNT_PART, *PLAYED.values()}}

    async def close(self) -> None:
        """Closes the connections to what is behind."""
        for part in self.behind.values():
            await part.close()

    def foreign(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to what comes from a web page, or was meant for another host; None for all else."""
        if "Origin" in request.headers or request.method == "OPTIONS":
            return answers.forbidden("the local cloud answers no web page")
        host = request.headers.get("Host", "").lower()
        known = OF_ENDPOINT.fullmatch(host)
        if not (known and int(known[3]) == self.port) and not OF_FUNCTION.fullmatch(host):
            return answers.forbidden("this is not the host that was asked for", 421)
        return None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        refusal = self.foreign(request)
        if refusal:
            return refusal
        path, _, query = request.raw_path.partition("?")
        if not path.startswith("/"):
            return answers.forbidden("the request must name a path", 400)
        plain = Request(request.method, path, query, request.headers)
        service, body = "", None
        try:
            signed = links.read(plain) or signature.read(plain)
            service = signed.service
            body = await self._let_in(request, plain, signed)
            return await self._pass(request, plain, signed, body)
        except Refusal as error:
            return answers.refused(plain, service, error)
        finally:
            if body:
                body.close()

    async def _let_in(self, request: web.BaseRequest, plain: Request, signed: Signature) -> Body:
        """The body of a request that is what its signature says. Raises Refusal for any other."""
        if OF_FUNCTION.fullmatch(plain.headers["Host"].lower()) and signed.service != "lambda":
            raise Refusal("mismatch")
        secret = self.credentials.secret(signed)
        if signed.version == 2:
            links.verify(signed, plain, secret)
            return await receive(request, self.cloud / "tmp")
        signature.check_time(signed)
        given = signature.payload(signed, plain)
        if given is not None:  # before a byte of the body is read
            signature.verify(signed, plain, secret, given)
        body = await receive(request, self.cloud / "tmp")
        try:
            if given is None:
                signature.verify(signed, plain, secret, body.sha256)
            elif given in chunks.WORDS:
                chunks.verify(given, signed, secret, body.file())
            elif given != UNSIGNED_PAYLOAD and given != body.sha256:
                raise Refusal("body")
        except Refusal:
            body.close()
            raise
        return body

    async def _pass(
        self, request: web.BaseRequest, plain: Request, signed: Signature, body: Body
    ) -> web.StreamResponse:
        """Sends a request on to the part that answers it."""
        part = PLAYED.get(signed.service, ACCOUNT_PART)
        if METER in plain.headers.get("User-Agent", ""):
            part = ACCOUNT_PART
        speaks = answers.dialect(plain, signed.service)
        if INTERNAL.match(plain.path):
            return answers.error(speaks, "UnknownOperationException", f"{plain.path} is nothing that AWS has", 404)
        if self.judge.concerns(signed.service, plain, body):
            try:
                caller = self.credentials.caller(signed)
                await asyncio.to_thread(self.judge.check, signed.service, plain, body, caller)
            except ServiceError as error:
                return answers.error(speaks, error.code, str(error), error.status)
        names = looks.ending(signed.service, plain, body)
        if names is not None:
            await asyncio.to_thread(looks.have_looked, sockets.path(self.cloud, "meter"), names)
        target = request.raw_path
        if signed.presigned and signed.key == self.keys.access_key:
            # The emulator verifies links itself, and knows one secret: that of what it runs.
            target = signature.signed_anew(signed, plain, self.keys.access_key, self.keys.functions_secret)
        try:
            async with await self.behind[part].ask(request, target, body) as upstream:
                if signed.service not in ISSUING or upstream.status != 200:
                    return await answer(request, upstream)
                self._note(plain, signed, body, text := await upstream.read())
                return await answer(request, upstream, text=text)
        except aiohttp.ClientError as error:
            message = f"the local cloud's {part} does not answer ({error}); heal it: shoestring cloud up"
            return answers.error(speaks, "ServiceUnavailable", message, 503)

    def _note(self, plain: Request, signed: Signature, body: Body, text: bytes) -> None:
        """Keeps the keys that the account gives out, and forgets those that it takes back."""
        form = parse_qsl(body.text.decode(errors="replace") or plain.query)
        self.credentials.note(text, dict(form), signed.key)
