"""Previews and states come in several forms; each is read, or refused with one message that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.plan.preview import SECRET, SIGNATURE, UNKNOWN, UNKNOWNS, Preview, clean, read
from shoestring.base.errors import MEND, UserError

DATA = Path(__file__).with_name("data")
MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
STACK = "urn:pulumi:dev::shop"
ASSET = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "x"}


def text(name: str) -> str:
    return (DATA / name).read_text()


def step(
    kind: str, name: str, inputs: dict[str, Any] | None = None, op: str = "create", **state: Any
) -> dict[str, Any]:
    """One step of a digest, as the engine writes it."""
    urn = f"{STACK}::{kind}::{name}"
    provider = state.pop("provider", f"{STACK}::pulumi:providers:aws::default_7_51_1::{MARK}")
    new = {"urn": urn, "custom": True, "type": kind, "inputs": inputs or {}, "provider": provider, **state}
    return {"op": op, "urn": urn, **({"oldState": new} if op == "delete" else {"newState": new})}


def digest(*steps: dict[str, Any], config: dict[str, str] | None = None, **more: Any) -> str:
    whole = {"config": {"aws:region": "us-east-1"} if config is None else config, "steps": steps, **more}
    return json.dumps(whole, indent=4)


@pytest.mark.parametrize(
    ("name", "kind", "stack", "count"),
    [
        ("platform-preview.json", "preview", "local", 60),
        ("platform-update-preview.json", "preview", "local", 60),
        ("platform-state.json", "state", "local", 61),
        ("window-preview.json", "preview", "local-window", 23),
        ("window-events.jsonl", "events", "local-window", 23),
        ("webshop-preview.json", "preview", "prod", 41),
    ],
)
def test_the_form_is_told_by_itself(name: str, kind: str, stack: str, count: int) -> None:
    found = read(text(name))
    assert (found.kind, found.stack, len(found.resources), found.hidden) == (kind, stack, count, 0)
    assert {one.region for one in found.resources if one.type.startswith("aws:")} >= {"us-east-1"}


def test_text_around_the_json_is_skipped() -> None:
    noisy = (
        f"Previewing update (dev)\n\n{text('platform-preview.json')}\nwarning: a new version of Pulumi is available\n"
    )
    assert read(noisy) == read("\ufeff" + text("platform-preview.json"))


def test_events_say_the_same_as_the_digest() -> None:
    events, whole = read(text("window-events.jsonl")), read(text("window-preview.json"))
    assert {(one.urn, one.op, one.custom) for one in events.resources} == {
        (one.urn, one.op, one.custom) for one in whole.resources
    }
    assert events.config == whole.config


def test_what_is_unknown_is_found_wherever_it_stands() -> None:
    inputs = {"id": MARK, "list": [MARK, {"deep": MARK, "known": 1}], "text": f"a {MARK}"}
    (one,) = read(digest(step("aws:ec2/subnet:Subnet", "a", inputs))).resources
    assert one.inputs == {"id": UNKNOWN, "list": [UNKNOWN, {"deep": UNKNOWN, "known": 1}], "text": f"a {MARK}"}
    assert repr(UNKNOWN) == "unknown"


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("[secret]", UNKNOWN),
        ({SIGNATURE: SECRET, "ciphertext": "v1:abc"}, UNKNOWN),
        ({SIGNATURE: SECRET, "plaintext": '"t3.micro"'}, "t3.micro"),
        ({SIGNATURE: SECRET, "plaintext": f'["{MARK}"]'}, [UNKNOWN]),
        ({SIGNATURE: SECRET, "plaintext": "{"}, UNKNOWN),
        ({SIGNATURE: SECRET, "value": {"size": 8}}, {"size": 8}),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": True}, UNKNOWN),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": 3}, 3),
        (ASSET, ASSET),
    ],
)  # fmt: skip
def test_secrets_are_what_they_hold_or_unknown(secret: Any, expected: Any) -> None:
    assert clean({"value": secret}) == {"value": expected}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(sorted(UNKNOWNS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(values)
def test_no_mark_of_the_engine_is_left(value: Any) -> None:
    def plain(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: plain(item) for key, item in found.items()}
        return [plain(item) for item in found] if isinstance(found, list) else "?" if found is UNKNOWN else found

    shown = json.dumps(plain(clean(value)))
    assert not any(mark in shown for mark in UNKNOWNS)


def test_an_older_engine_leaves_out_what_it_does_not_know() -> None:
    wanted = {"instanceType": [f"{STACK}::aws:ssm/parameter:Parameter::size"], "ami": []}
    old = read(digest(step("aws:ec2/instance:Instance", "web", {"ami": "ami-1"}, propertyDependencies=wanted)))
    assert old.resources[0].inputs == {"ami": "ami-1", "instanceType": UNKNOWN}
    new = read(
        digest(
            step("aws:ec2/instance:Instance", "web", {"ami": "ami-1"}, propertyDependencies=wanted),
            step("aws:ec2/subnet:Subnet", "a", {"vpcId": MARK}),  # a newer one says that it does not know
        )
    )
    assert new.resources[0].inputs == {"ami": "ami-1"}


def test_a_replacement_is_one_resource() -> None:
    kind = "aws:ec2/instance:Instance"
    before = {"urn": f"{STACK}::{kind}::web", "type": kind, "custom": True, "inputs": {"instanceType": "t3.micro"}}
    made = {**step(kind, "web", {"instanceType": "t3.large"}, op="create-replacement"), "oldState": before}
    whole = {**step(kind, "web", {"instanceType": "t3.large"}, op="replace"), "oldState": before}
    gone = {"op": "delete-replaced", "urn": before["urn"], "oldState": before}
    (one,) = read(digest(made, whole, gone)).resources
    assert (one.op, one.before, one.inputs) == ("replace", {"instanceType": "t3.micro"}, {"instanceType": "t3.large"})


def test_what_goes_has_no_inputs_and_does_not_stay() -> None:
    (one,) = read(digest(step("aws:ec2/eip:Eip", "old", {"domain": "vpc"}, op="delete"))).resources
    assert (one.stays, one.inputs, one.before) == (False, {}, {"domain": "vpc"})


def test_unchanged_resources_that_are_not_shown_are_counted() -> None:
    found = read(digest(step("aws:ec2/eip:Eip", "a"), changeSummary={"create": 1, "same": 12}))
    assert found.hidden == 12


def test_a_same_step_without_its_new_state_keeps_the_old_one() -> None:
    whole = step("aws:ec2/eip:Eip", "a", {"domain": "vpc"}, op="same")
    whole["oldState"] = whole.pop("newState")
    (one,) = read(digest(whole)).resources
    assert one.inputs == one.before == {"domain": "vpc"}


def test_each_resource_has_its_providers_region() -> None:
    far = f"{STACK}::pulumi:providers:aws::far"
    found = read(
        digest(
            step("pulumi:providers:aws", "far", {"region": "eu-central-1"}),
            step("aws:ec2/eip:Eip", "a", provider=f"{far}::id"),
            step("aws:ec2/eip:Eip", "b"),
            step("aws:ec2/eip:Eip", "c", {"region": "ap-south-1"}),
            step("aws:ec2/eip:Eip", "d", provider=f"{STACK}::pulumi:providers:aws::elsewhere::id"),
        )
    )
    assert [one.region for one in found.resources[1:]] == ["eu-central-1", "us-east-1", "ap-south-1", None]
    assert found.warnings == ("the region of the provider elsewhere is not in the preview: the plan's own is taken",)


def test_a_state_says_what_waits_for_its_deletion() -> None:
    state = json.loads(text("platform-state.json"))
    volume = {"urn": f"{STACK}::aws:ebs/volume:Volume::old", "type": "aws:ebs/volume:Volume", "custom": True}
    state["deployment"]["resources"].append({**volume, "inputs": {"size": 10}, "delete": True})
    found = read(json.dumps(state))
    assert "1 replaced resource(s) wait for their deletion" in found.warnings[0]
    assert found.resources[-1].before == {"size": 10} and not found.resources[-1].stays


def test_a_backends_own_file_is_a_state_too() -> None:
    latest = json.loads(text("platform-state.json"))["deployment"]
    found = read(json.dumps({"version": 3, "checkpoint": {"stack": "dev", "latest": latest}}))
    assert (found.kind, len(found.resources)) == ("state", 61)


FAILED = digest(
    diagnostics=[{"severity": "error", "message": "Program failed with an unhandled exception:\nValueError: no size\n"}]
)
LOST = {"op": "same", "urn": f"{STACK}::aws:ec2/eip:Eip::a"}
ODD = {**LOST, "newState": {"inputs": []}}
BAD = {
    "empty": ("", "the preview is empty"),
    "blank": (" \n\t", "the preview is empty"),
    "prose": ("error: no stack selected", "is not JSON: it begins with 'error: no stack selected'"),
    "a list": ("[1, 2]", "is not JSON: it begins with '[1, 2]'"),
    "a number": ("7", "is not JSON"),
    "another object": ('{"name": "x", "version": "1"}', "neither a preview nor a state: it has name, version"),
    "an empty object": ("{}", "it has nothing"),
    "a stray brace": ('{"steps": ], "config": {}}', "is not JSON at line 1"),
    "cut off": ('{"steps": [\n{"op": "cre', "is cut off at line 2"),
    "failed": (
        FAILED,
        "is of a preview that failed:\nProgram failed with an unhandled exception:\nValueError: no size",
    ),
    "without steps": ('{"config": {}, "changeSummary": {"same": 3}}', "it has no steps: it is of another Pulumi"),
    "null steps": ('{"steps": null}', "it has no steps"),
    "no resources": (digest(), "has no resources"),
    "a step without a state": (digest(LOST), "step 1 (a) has no newState: it is of another Pulumi"),
    "a step without a URN": (digest({"op": "create"}), "step 1 has no URN"),
    "a step without an op": (digest({"urn": LOST["urn"]}), "step 1 (a) has no op"),
    "a step that is none": ('{"steps": ["x"]}', "step 1 is no object"),
    "odd inputs": (digest(ODD), "inputs of newState of step 1 (a) is not an object"),
    "an odd summary": ('{"steps": [], "changeSummary": {"same": "many"}}', "same of changeSummary is not a number"),
    "an old state": ('{"version": 2, "deployment": {}}', "is a state of version 2, of a Pulumi before 1.0"),
    "a state without its parts": ('{"version": 3, "deployment": null}', "has no deployment"),
    "an empty state": ('{"version": 3, "deployment": {"manifest": {}}}', "has no resources"),
    "a broken state": ('{"version": 3, "deployment": {"resources": [{"id": "x"}]}}', "resource 1 has no URN"),
    "half the events": (
        '{"sequence": 0, "preludeEvent": {"config": {}}}\n',
        "is cut off: these events have no summary",
    ),
    "a broken event": ('{"resourcePreEvent": {}}\n{"summaryEvent": {}}\n', "event 1 has no URN"),
    "too deep": ('{"a":' * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_message(name: str) -> None:
    given, said = BAD[name]
    with pytest.raises(UserError) as raised:
        read(given)
    message = str(raised.value)
    assert said in message
    assert "expected: " in message and MEND in message and "pulumi " in message


@given(st.integers(1, len(text("webshop-preview.json")) - 4))
def test_a_file_that_is_cut_off_is_told_so(size: int) -> None:
    whole = text("webshop-preview.json")
    with pytest.raises(UserError, match=r"cut off at line \d+"):
        read(whole[:size])


KEYS = "steps deployment resources op urn newState resourcePreEvent metadata summaryEvent checkpoint config diagnostics"
shapes = st.recursive(
    st.none() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=10,
)


@given(st.text(max_size=80) | shapes.map(json.dumps))
def test_nothing_but_a_message_comes_of_nonsense(nonsense: str) -> None:
    try:
        assert isinstance(read(nonsense), Preview)
    except UserError as error:
        assert str(error)
