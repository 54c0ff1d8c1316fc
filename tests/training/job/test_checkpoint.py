"""Whatever happens to a checkpoint, the job goes on from the newest whole one."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.job import checkpoint


def test_newest_is_restored_and_old_ones_are_removed(tmp_path):
    for step in range(1, 8):
        checkpoint.save(tmp_path / "new", step, f"state {step}".encode())
    assert checkpoint.latest(tmp_path / "new") == checkpoint.Checkpoint(7, b"state 7")
    assert checkpoint.steps(tmp_path / "new") == [7, 6, 5]


def test_nothing_to_restore_is_none(tmp_path):
    assert checkpoint.latest(tmp_path / "absent") is None
    (tmp_path / "notes.txt").write_text("not a checkpoint")
    assert checkpoint.latest(tmp_path) is None


@settings(deadline=None)  # a busy disk takes its time
@given(payload=st.binary(max_size=300), data=st.data())
def test_torn_at_any_byte_falls_back_to_the_one_before(payload, data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint.save(folder, 1, b"good")
        path = checkpoint.save(folder, 2, payload)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.warns(UserWarning, match=r"step-000000000002\.ckpt"):
            assert checkpoint.latest(folder) == checkpoint.Checkpoint(1, b"good")


def test_torn_before_the_end_of_its_first_line_is_torn_also_with_an_empty_payload(tmp_path):
    path = checkpoint.save(tmp_path, 2, b"")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(checkpoint.CorruptCheckpoint, match="no end"):
        checkpoint.read(tmp_path, 2)


@given(payload=st.binary(min_size=1, max_size=300), data=st.data())
def test_changed_byte_of_the_payload_is_detected(payload, data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = checkpoint.save(folder, 2, payload)
        whole = bytearray(path.read_bytes())
        whole[-data.draw(st.integers(1, len(payload)))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(whole)
        with pytest.raises(checkpoint.CorruptCheckpoint, match="checksum"):
            checkpoint.read(folder, 2)


@given(st.binary(max_size=300))
def test_whole_one_comes_back_as_it_was_without_a_warning(payload):
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoint.save(Path(name), 5, payload)
        assert checkpoint.latest(Path(name)) == checkpoint.Checkpoint(5, payload)


def test_file_of_another_step_is_not_believed(tmp_path):
    checkpoint.save(tmp_path, 3, b"state").rename(tmp_path / "step-000000000009.ckpt")
    with pytest.raises(checkpoint.CorruptCheckpoint, match="step is 9, expected 3"):
        checkpoint.read(tmp_path, 9)


def test_full_disk_leaves_the_older_ones_and_no_half_file(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, 1, b"good")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path, 2, b"newer")
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000000001.ckpt"]


@pytest.mark.parametrize(("step", "keep"), [(-1, 3), (0, 1)])
def test_senseless_arguments_are_named(tmp_path, step, keep):
    with pytest.raises(ValueError, match=f"step={step}, keep={keep}"):
        checkpoint.save(tmp_path, step, b"", keep)
