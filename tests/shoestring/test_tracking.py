"""How long the local platform's MLflow server is waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcloud import machines
from shoestring import tracking
from shoestring.base.errors import UserError

OUTPUTS = {"mlflow_url": "http://10.20.0.10:5000", "mlflow_instance_id": "i-1"}


def played(monkeypatch: pytest.MonkeyPatch, states: list[str]) -> None:
    """The server's machine in one state after the other, the last for ever; a look takes ten seconds."""
    clock: Iterator[int] = iter(range(0, 10_000, 10))
    told = iter(states)
    last = states[-1]

    def read(cloud: object) -> list[dict[str, str]]:
        state = next(told, last)
        return [{"private_ip": "10.20.0.10", "state": state, "address": "http://127.0.0.1:1"}]

    monkeypatch.setattr(machines, "read", read)
    monkeypatch.setattr(tracking.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(tracking.time, "sleep", lambda seconds: None)


def test_the_installation_of_the_packages_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, ["installing"] * 20 + ["starting", "running"])
    assert tracking.local_address(OUTPUTS, 30) == "http://127.0.0.1:1"


@pytest.mark.parametrize("states", [["starting"], ["installing", "failed"]])
def test_a_server_that_does_not_start_is_given_up(monkeypatch: pytest.MonkeyPatch, states: list[str]) -> None:
    played(monkeypatch, states)
    with pytest.raises(UserError, match="does not answer after 30 s"):
        tracking.local_address(OUTPUTS, 30)
