"""A gRPC server for one engine on this machine: unary calls, one thread, nothing between the socket and the handler.

grpc's own server hands each call through several threads. The engine calls a pack twice for every resource and waits
for each answer, so that those hand-overs are most of what a pack adds to a preview. Framing after RFC 9113, headers by
`hpack`; what a client on the loopback interface needs of it, and no TLS, compression or streaming calls.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from hpack import Decoder, HPACKError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK, END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
INITIAL_WINDOW, MAX_FRAME = 4, 5  # settings
WIDE = 2**31 - 1  # bytes: a stack of many resources comes as one message
DEFAULT_WINDOW, DEFAULT_FRAME, OUR_FRAME = 65_535, 16_384, 2**24 - 1
PAUSE = 5  # seconds between two looks whether anybody is still there
ENOUGH = 2**20  # bytes after which the client is told that it may send as many again
OK, UNKNOWN, UNIMPLEMENTED = 0, 2, 12  # gRPC's codes
# Header blocks that change no table: `:status 200` by its number, the others as literals that are not indexed.
RESPONSE = b"\x88\x0f\x10\x10application/grpc"


def _literal(name: bytes, value: bytes) -> bytes:
    """A header that is not indexed; both shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _trailers(code: int, words: str = "") -> bytes:
    block = _literal(b"grpc-status", str(code).encode())
    return block + (_literal(b"grpc-message", words.encode("ascii", "replace")[:120]) if words else b"")


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">HBBBI", len(payload) >> 8, len(payload) & 255, kind, flags, stream) + payload


Method = tuple[Callable[[bytes], Any], Callable[[Any], Any]]  # how a request is read, and what answers it


class Connection:
    """One client. `receive` takes what comes and returns what goes out; raises ValueError where that is no HTTP/2."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self.methods = methods
        self._in, self._started = bytearray(), False
        self._decoder = Decoder(max_header_list_size=2**20)
        self._calls: dict[int, tuple[str, bytearray]] = {}
        self._block: tuple[int, int, bytes] | None = None  # stream, flags, and the beginning of its headers
        self._window, self._stream_window, self._frame_size = DEFAULT_WINDOW, DEFAULT_WINDOW, DEFAULT_FRAME
        self._windows: dict[int, int] = {}
        self._waiting: deque[tuple[int, memoryview, bytes]] = deque()
        self._out: list[bytes] = []
        self._taken = 0  # bytes that came since the client was last told that it may send more

    def receive(self, received: bytes) -> bytes:
        """What to send for what was received."""
        self._in += received
        if not self._started:
            if len(self._in) < len(PREFACE):
                return b""
            if not self._in.startswith(PREFACE):
                raise ValueError("no HTTP/2 client")
            del self._in[: len(PREFACE)]
            self._started = True
            settings = struct.pack(">HIHI", INITIAL_WINDOW, WIDE, MAX_FRAME, OUR_FRAME)
            self._out.append(_frame(SETTINGS, 0, 0, settings))
            self._out.append(_frame(WINDOW, 0, 0, struct.pack(">I", WIDE - DEFAULT_WINDOW)))
        place = 0
        while len(self._in) - place >= 9:
            high, low, kind, flags, stream = struct.unpack_from(">HBBBI", self._in, place)
            end = place + 9 + (high << 8 | low)
            if end > len(self._in):
                break
            self._take(kind, flags, stream & WIDE, bytes(self._in[place + 9 : end]))
            place = end
        del self._in[:place]
        out, self._out = b"".join(self._out), []
        return out

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == HEADERS:
            payload = _unpadded(flags, payload)
            self._headers(stream, flags, payload[5:] if flags & PRIORITY else payload)
        elif kind == CONTINUATION and self._block and self._block[0] == stream:
            _, first, block = self._block
            self._headers(stream, first | flags & END_HEADERS, block + payload)
        elif kind == DATA:
            self._data(stream, flags, payload)
        elif kind == SETTINGS and not flags & ACK:
            self._settings(payload)
        elif kind == PING and not flags & ACK:
            self._out.append(_frame(PING, ACK, 0, payload))
        elif kind == WINDOW:
            self._grow(stream, int.from_bytes(payload[:4], "big") & WIDE)
        elif kind == RESET:
            self._calls.pop(stream, None)
            self._windows.pop(stream, None)
            self._waiting = deque(part for part in self._waiting if part[0] != stream)

    def _headers(self, stream: int, flags: int, block: bytes) -> None:
        if not flags & END_HEADERS:
            self._block = stream, flags, block
            return
        self._block = None
        try:
            headers = self._decoder.decode(block)
        except HPACKError as error:
            raise ValueError(f"headers: {error}") from None
        path = next((str(value) for name, value in headers if name == ":path"), "")
        self._calls[stream] = path.rpartition("/")[2], bytearray()
        if flags & END_STREAM:
            self._answer(stream)

    def _data(self, stream: int, flags: int, payload: bytes) -> None:
        self._taken += len(payload)
        if self._taken > ENOUGH:
            self._out.append(_frame(WINDOW, 0, 0, struct.pack(">I", self._taken)))
            self._taken = 0
        if stream not in self._calls:
            return  # of a call that was given up
        self._calls[stream][1].extend(_unpadded(flags, payload))
        if flags & END_STREAM:
            self._answer(stream)

    def _settings(self, payload: bytes) -> None:
        for place in range(0, len(payload) - 5, 6):
            key, value = struct.unpack_from(">HI", payload, place)
            if key == INITIAL_WINDOW:
                for stream in self._windows:
                    self._windows[stream] += value - self._stream_window
                self._stream_window = value
            elif key == MAX_FRAME:
                self._frame_size = min(max(value, DEFAULT_FRAME), OUR_FRAME)
        self._out.append(_frame(SETTINGS, ACK, 0))
        self._flush()

    def _grow(self, stream: int, amount: int) -> None:
        if stream:
            if stream in self._windows:
                self._windows[stream] += amount
        else:
            self._window += amount
        self._flush()

    def _answer(self, stream: int) -> None:
        name, body = self._calls.pop(stream)
        if name not in self.methods:
            self._fail(stream, UNIMPLEMENTED, f"no method {name}")
            return
        read, handle = self.methods[name]
        try:
            if len(body) < 5 or body[0]:
                raise ValueError("no plain gRPC message")
            found = handle(read(bytes(body[5:]))).SerializeToString()
        except Exception as error:  # the engine shows it; the pack goes on
            logging.getLogger(__name__).exception("%s", name)
            self._fail(stream, UNKNOWN, f"{type(error).__name__}: {error}")
            return
        self._out.append(_frame(HEADERS, END_HEADERS, stream, RESPONSE))
        self._windows[stream] = self._stream_window
        self._waiting.append((stream, memoryview(struct.pack(">BI", 0, len(found)) + found), _trailers(OK)))
        self._flush()

    def _fail(self, stream: int, code: int, words: str) -> None:
        self._out.append(_frame(HEADERS, END_HEADERS | END_STREAM, stream, RESPONSE + _trailers(code, words)))

    def _flush(self) -> None:
        """Sends as much of the waiting answers as the client takes now."""
        blocked: deque[tuple[int, memoryview, bytes]] = deque()
        while self._waiting:
            stream, rest, trailers = self._waiting.popleft()
            while rest and (room := min(self._window, self._windows[stream], self._frame_size)) > 0:
                part, rest = rest[:room], rest[room:]
                self._out.append(_frame(DATA, 0, stream, bytes(part)))
                self._window -= len(part)
                self._windows[stream] -= len(part)
            if rest:
                blocked.append((stream, rest, trailers))
                continue
            self._out.append(_frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers))
            del self._windows[stream]
        self._waiting = blocked


def _unpadded(flags: int, payload: bytes) -> bytes:
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ValueError("a frame of padding alone")
    return payload[1 : len(payload) - payload[0]]


def serve(listening: socket.socket, methods: Mapping[str, Method]) -> None:
    """Answers every client of a listening socket, until the process that started this one is gone."""
    parent = os.getppid()
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        while os.getppid() == parent:
            for key, _ in selector.select(PAUSE):
                if key.fileobj is listening:
                    client, _ = listening.accept()
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(client, selectors.EVENT_READ, Connection(methods))
                elif not _exchange(key.fileobj, key.data):  # type: ignore[arg-type]
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]


def _exchange(client: socket.socket, connection: Connection) -> bool:
    """One reading and its answer; False where the client is gone, or is none."""
    try:
        received = client.recv(1 << 20)
        if not received:
            return False
        if out := connection.receive(received):
            client.sendall(out)
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning("a client of the policy pack: %s", error)
        return False
    return True
