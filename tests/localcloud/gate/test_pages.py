"""MLflow's pages are for who has the cloud's token: by the printed link, or as MLflow's client sends it."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest
import requests

from localcloud.gate.pages import Pages
from localcloud.processes import free_port, wait_until

TOKEN = "the token"


class Behind(BaseHTTPRequestHandler):
    """Says what it was asked, and lets every page read it."""

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = json.dumps({"path": self.path, "headers": dict(self.headers), "body": self.rfile.read(size).decode()})
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_OPTIONS = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def cloud(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "machines.json").write_text("[]")
    with ThreadingUnixStreamServer(str(tmp_path / "run" / "i-1"), Behind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path
        server.shutdown()


@pytest.fixture
def address(cloud: Path):
    """Where the gate serves the pages of one machine; it opens and closes its port as the machine comes and goes."""
    url = f"http://127.0.0.1:{free_port()}"
    (cloud / "machines.json").write_text(json.dumps([{"instance_id": "i-1", "address": url}]))
    loop = asyncio.new_event_loop()
    following = asyncio.run_coroutine_threadsafe(Pages(cloud, TOKEN).follow(), loop)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert wait_until(lambda: listens(url), 10)
    yield url
    (cloud / "machines.json").write_text("[]")
    assert wait_until(lambda: not listens(url), 10)
    following.cancel()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def listens(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code > 0
    except requests.ConnectionError:
        return False


def test_nothing_is_shown_without_the_token(address: str) -> None:
    wrong = {"Authorization": "Bearer another"}, {"Cookie": f"shoestring-{address.rpartition(':')[2]}=another"}, {}
    for headers in wrong:
        for path in ("/", "/health", "/api/2.0/mlflow/experiments/search", "/?token=another", "/?token="):
            answer = requests.get(address + path, headers=headers)
            assert answer.status_code == 401 and "path" not in answer.text


def test_clients_send_the_token_and_the_server_never_sees_it(address: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Own": "kept"}
    answer = requests.post(f"{address}/api/x?a=b%2Fc", b"text" * 1000, headers=headers)
    asked = answer.json()
    assert (asked["path"], asked["body"]) == ("/api/x?a=b%2Fc", "text" * 1000)
    assert asked["headers"]["X-Own"] == "kept" and "Authorization" not in asked["headers"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_browser_gets_a_cookie_for_the_link_and_keeps_the_page_it_asked_for(address: str) -> None:
    browser = requests.Session()
    first = browser.get(f"{address}/experiments?token={TOKEN}&a=b", allow_redirects=False)
    assert (first.status_code, first.headers["Location"]) == (303, "/experiments?a=b")
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    asked = browser.get(f"{address}/experiments?a=b").json()
    assert asked["path"] == "/experiments?a=b" and "Cookie" not in asked["headers"]
    own = {"Origin": address}
    assert browser.post(f"{address}/api", b"{}", headers=own).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_a_page_of_another_origin_gets_nothing_even_with_the_token(address: str, origin: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": origin}
    for method in ("GET", "POST", "OPTIONS"):
        answer = requests.request(method, address, headers=headers)
        assert answer.status_code == 403 and "path" not in answer.text
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1"])
def test_a_rebound_name_gets_nothing_even_with_the_token(address: str, host: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": host.replace("{port}", address.rpartition(":")[2])}
    answer = requests.get(address, headers=headers)
    assert answer.status_code == 421 and "path" not in answer.text
