"""Pages in headless Chromium, at the width of a phone or a desk. Without a browser on the machine these tests skip."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--virtual-time-budget=5000")  # fmt: skip
# What of the page lies beyond its right edge, in a frame of its own: a browser's window is never as narrow as a phone.
FRAME = """<!doctype html><body style="margin:0">
<iframe id="page" style="width:{width}px;height:9000px;border:0"></iframe>
<script>
const frame = document.getElementById("page");
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement, seen = [];
  for (const each of page.body.querySelectorAll("*")) {{
    const box = each.getBoundingClientRect();
    if (box.width && (box.right > {width} + 0.5 || each.scrollWidth > each.clientWidth + 1 && each.matches(".scroll")))
      seen.push((each.className.baseVal || each.className || each.tagName) + " " + Math.round(box.right) + " "
                + each.textContent.trim().slice(0, 40));
  }}
  document.title = JSON.stringify({{width: root.scrollWidth, seen}});
}};
frame.srcdoc = {page};
</script>"""


def beyond_the_edge(page: str, width: int, folder: Path) -> dict[str, Any]:
    """How wide a page is at a width in pixels, and what of it lies beyond its edge or has to be scrolled to."""
    assert CHROMIUM
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(width=width, page=json.dumps(page).replace("</", "<\\/")))
    words = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", frame.as_uri()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title, done.stderr[-500:]
    seen: dict[str, Any] = json.loads(title[1].replace("&quot;", '"').replace("&amp;", "&").replace("&lt;", "<"))
    return seen
