"""A page of another origin, in a real browser, gets nothing from any port that the cloud opens."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from tests.browser import CHROMIUM, FLAGS, needs_browser
from tests.conftest import client

# Reads, posts as a form would (no preflight), asks with a preflight, and loads as an image does; says what it got.
PAGE = """<!doctype html><title>waiting</title><script>
(async () => {
  const got = [], made = "Action=CreateTopic&Name=evil&Version=2010-03-31";
  const form = {"Content-Type": "application/x-www-form-urlencoded"};
  for (const port of PORTS) for (const [path, options] of [
    ["/", {}], ["/_ministack/health", {}], ["/", {method: "POST", headers: form, body: made}],
    ["/", {method: "POST", headers: form, body: made, mode: "no-cors"}],
    ["/", {method: "POST", headers: {"X-Amz-Target": "AmazonSSM.DescribeParameters"}, body: "{}"}],
  ]) try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, options);
    if (answer.type !== "opaque") got.push(`${port}${path} ${answer.status}`);
  } catch (error) { }
  const control = await (await fetch("/control")).text();
  document.title = JSON.stringify({control, got});
})();
</script>"""


@needs_browser
def test_a_foreign_page_gets_nothing_and_changes_nothing(cloud, tmp_path: Path) -> None:
    folder = Path(cloud["sockets"]).parent
    ports = set()
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                open_ones = process.net_connections("inet")
                ports |= {each.laddr.port for each in open_ones if each.status == psutil.CONN_LISTEN}
        except psutil.Error:
            continue
    assert ports == {int(cloud["aws_endpoint"].rpartition(":")[2])}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = "the browser asks" if self.path == "/control" else PAGE.replace("PORTS", json.dumps(sorted(ports)))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}/"
        words = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", address]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        server.shutdown()
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title, done.stderr[-500:]
    assert json.loads(title[1].replace("&quot;", '"')) == {"control": "the browser asks", "got": []}
    assert client(cloud, "sns").list_topics()["Topics"] == []
