"""The client signs as AWS expects, and finds the function in the local cloud by its Host header."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.exceptions
import pytest
from ministack.core import sigv4

from serving.client import FunctionUrl

HOST = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws"
SECRET = "wJalrXUtnFEMI/K7MDENG"


class Server(ThreadingHTTPServer):
    """Keeps what it was asked; answers with `status` and `body`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, dict[str, str], bytes, int]] = []
        self.status, self.body = 200, b'{"predictions": []}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers, body, self.client_address[1]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST

    def log_message(self, *words: object) -> None:
        return


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    return FunctionUrl(f"https://{HOST}/", "eu-west-1", f"http://127.0.0.1:{server.server_port}")


def signature(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """The signature that came, and the one that the request should have had."""
    words = dict(part.split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(", "))
    _, day, region, service, _ = words["Credential"].split("/")
    assert (region, service) == ("eu-west-1", "lambda")
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(words["SignedHeaders"].split(";"))
    payload = sigv4.hashlib.sha256(body).hexdigest()
    canonical = sigv4.build_canonical_request(method, path, headers, {}, words["SignedHeaders"], payload_hash=payload)
    to_sign = sigv4.build_string_to_sign(headers["x-amz-date"], day, region, service, canonical)
    return words["Signature"], sigv4.calculate_signature(SECRET, day, region, service, to_sign)


def test_call_is_signed_for_the_functions_host(server, client):
    assert client.predict([{"a": 1.5}]) == (200, {"predictions": []})
    assert client.describe() == (200, {"predictions": []})
    for method, path, headers, body, _ in server.requests:
        assert headers["host"] == HOST and path == "/"
        came, expected = signature(method, path, headers, body)
        assert came == expected
    assert json.loads(server.requests[0][3]) == {"rows": [{"a": 1.5}]}


def test_connection_is_held_open(server, client):
    for _ in range(3):
        client.predict([])
    assert len({port for *_, port in server.requests}) == 1


def test_error_is_an_answer_also_where_lambda_itself_speaks(server, client):
    server.status, server.body = 400, b'{"error": "the rows do not fit the model"}'
    assert client.predict([]) == (400, {"error": "the rows do not fit the model"})
    server.status, server.body = 502, b"Internal Server Error"
    assert client.predict([]) == (502, {"error": "Internal Server Error"})


def test_without_credentials_nothing_is_sent(server, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    client = FunctionUrl(f"https://{HOST}/", "eu-west-1", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        client.predict([])
    assert server.requests == []
