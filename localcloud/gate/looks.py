"""Has the meter look before something goes that is billed: what comes and goes between two of its looks costs as well.

The account's trail tells of a creation without the id of what was made, so that such a life cannot be told from it.
"""

from __future__ import annotations

import json
from pathlib import Path

from localcloud import sockets
from localcloud.aws.types import METERED
from localcloud.gate.forward import Body
from localcloud.gate.operations import SIGNED_AS, TARGET, fields, json_object, named
from localcloud.gate.signature import Request
from localcloud.meter.trail import LOOK, strings

ENDS = {(SIGNED_AS.get(row.service, row.service), name) for row in METERED.values() for name in row.metering.ends}
SERVICES = {service for service, _ in ENDS}
SECONDS = 10.0  # for which a look is waited for


def ending(signed: str, request: Request, body: Body) -> list[str] | None:
    """The names in a request that ends what is billed; None for any other. REST, as S3 speaks it, is left alone."""
    if signed not in SERVICES or (signed, named(request, lambda: body.text)) not in ENDS:
        return None
    parameters = json_object(body.text) if TARGET in request.headers else fields(request, lambda: body.text)
    return sorted(set(strings(parameters))) or None


def have_looked(meter: Path, names: list[str]) -> None:
    """Waits until the meter, on its socket, knows what has these names; nobody waits for one that does not answer."""
    try:
        sockets.ask(meter, "/", json.dumps({"Names": names}).encode(), {"X-Amz-Target": LOOK}, SECONDS)
    except OSError as error:
        print(f"the meter has not looked: {error}", flush=True)
