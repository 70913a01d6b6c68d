"""The feed is whole or it is not there, and only its owner's."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcriber.capture import live
from transcriber.capture.live import Feed, Live, meeting_point, read_live, send
from transcriber.errors import DeviceError, StorageError


def state(frames: int) -> Live:
    return Live(
        pid=1, state="recording", beat=1.0, since=0.0, device="d", host_api="a", rate_hz=48_000, n_channels=1, bits=16,
        frames=frames,
    )  # fmt: skip


def test_the_latest_state_is_read_from_the_folder_alone(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "session")
    for frames in (10**9, 5):
        feed.publish(state(frames))
    found = read_live(tmp_path / "x" / ".." / "session")
    assert found is not None
    assert found.frames == 5
    meeting_point(tmp_path / "session", "live").unlink()


def test_a_torn_or_missing_state_is_none(tmp_path: Path) -> None:
    assert read_live(tmp_path) is None
    Feed(tmp_path).publish(state(5))
    path = meeting_point(tmp_path, "live")
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    assert read_live(tmp_path) is None
    path.unlink()


def test_a_command_nobody_takes_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="No recorder answers"):
        send(tmp_path, {"event": "stop"})


def test_a_meeting_point_that_others_can_write_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.os, "access", lambda *_: False)
    monkeypatch.setattr(live.tempfile, "gettempdir", lambda: str(tmp_path))
    own = meeting_point(tmp_path, "live").parent
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o777)
    with pytest.raises(StorageError, match="open to others"):
        meeting_point(tmp_path, "live")
