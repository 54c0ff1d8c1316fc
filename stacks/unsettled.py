"""Refuses an update on top of one that was killed: the engine would make everything that has no end a second time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlparse

from shoestring.base.errors import UserError
from shoestring.base.names import environment_of


def require_settled(project: str, stack: str) -> None:
    """Raises UserError where the last update of a stack left operations without an end.

    Only a state in a folder is looked at. For all others the engine's own warning stands, and `shoestring doctor -e`.
    """
    backend = urlparse(os.environ.get("PULUMI_BACKEND_URL", ""))
    path = Path(backend.path, ".pulumi", "stacks", project, f"{stack}.json")
    if backend.scheme != "file" or not path.exists():
        return
    pending = (json.loads(path.read_text())["checkpoint"].get("latest") or {}).get("pending_operations") or []
    if pending:
        raise UserError(
            f"the last update of {stack} was killed before {len(pending)} operations had ended, such as "
            f"{pending[0]['type']} {pending[0]['resource']['urn'].rpartition('::')[2]}",
            "each seen to its end, or nothing would be known of what they made",
            f"shoestring repair {environment_of(stack)}",
        )
