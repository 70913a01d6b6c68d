"""Parts of one event on one time line, and copies that are proven."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_segments import FORMATS, MONO, by_wave, noise, opened

from transcriber import recordings
from transcriber.capture import flac
from transcriber.capture.join import join
from transcriber.capture.segments import PcmFormat
from transcriber.errors import InputError, StorageError, UsageError
from transcriber.journal import Journal


def part(
    folder: Path, *, started_at: str, duration: float, form: PcmFormat = MONO, seed: int = 1, is_closed: bool = True
) -> Path:
    folder.mkdir()
    n_frames = round(duration * form.rate_hz)
    with Journal(folder / recordings.EVENTS) as notes:
        notes.append({"event": "start", "at": 0, "started_at": started_at, "device": "Desk", "host_api": "ALSA"})
        notes.append({"event": "segment", "at": 0, "file": "0001.wav"})
        notes.append({"event": "marker", "at": form.rate_hz // 2, "label": f"half a second into {folder.name}"})
        notes.append({"event": "phase", "at": 0, "kind": "talk", "title": folder.name})
        notes.append({"event": "gap", "at": 100, "frames": 50, "cause": "overflow"})
    segment = opened(folder, form)
    segment.write(noise(form, n_frames, seed=seed))
    if is_closed:
        assert segment.seal()
    return folder


def test_parts_stand_where_the_wall_clock_says_with_silence_between(tmp_path: Path) -> None:
    second = part(tmp_path / "b", started_at="2026-06-24T15:30:03.500+00:00", duration=2.0, seed=2)
    first = part(tmp_path / "a", started_at="2026-06-24T17:30:00.000+02:00", duration=1.0)
    joined = join([second, first], tmp_path / "ab")
    data = b"".join(by_wave(Path(segment.path)) for segment in joined.segments)
    rate = MONO.rate_hz
    assert data == noise(MONO, rate, seed=1) + bytes(2 * round(2.5 * rate)) + noise(MONO, 2 * rate, seed=2)
    assert (joined.n_samples, joined.started_at) == (round(5.5 * rate), "2026-06-24T17:30:00.000+02:00")
    assert [gap.cause for gap in joined.gaps] == ["overflow", "between two recordings", "overflow"]
    assert (joined.gaps[1].start, joined.gaps[1].end) == (1.0, 3.5)
    assert [(marker.at, marker.label[-1]) for marker in joined.markers] == [(0.5, "a"), (4.0, "b")]
    assert [(phase.title, phase.start, phase.end) for phase in joined.phases] == [("a", 0.0, 3.5), ("b", 3.5, None)]
    assert (first / "0001.wav").stat().st_nlink == 2  # no second copy on the disk


def test_parts_that_touch_need_no_silence(tmp_path: Path) -> None:
    first = part(tmp_path / "a", started_at="2026-06-24T17:30:00.000+02:00", duration=1.0)
    second = part(tmp_path / "b", started_at="2026-06-24T17:30:01.010+02:00", duration=1.0)
    assert len(join([first, second], tmp_path / "ab").segments) == 2


@pytest.mark.parametrize(
    ("started_at", "settings", "says"),
    [
        ("2026-06-24T17:30:00.500+02:00", {}, "b begins 0:00 before a ends"),
        ("2026-06-25T17:30:00.000+02:00", {}, "lie between a and b"),
        ("2026-06-24T17:31:00.000+02:00", {"form": FORMATS[1]}, "different formats"),
        ("2026-06-24T17:31:00.000+02:00", {"is_closed": False}, "still being recorded, or broke off"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    tmp_path: Path, started_at: str, settings: dict[str, object], says: str
) -> None:
    first = part(tmp_path / "a", started_at="2026-06-24T17:30:00.000+02:00", duration=1.0)
    second = part(tmp_path / "b", started_at=started_at, duration=1.0, **settings)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=says):
        join([first, second], tmp_path / "ab")
    assert not (tmp_path / "ab").exists()


def test_an_existing_session_is_never_joined_into(tmp_path: Path) -> None:
    first = part(tmp_path / "a", started_at="2026-06-24T17:30:00.000+02:00", duration=1.0)
    with pytest.raises(UsageError, match="exists already"):
        join([first], first)


@pytest.mark.parametrize("form", FORMATS)
def test_a_flac_copy_decodes_to_the_same_samples_and_the_recording_stays(tmp_path: Path, form: PcmFormat) -> None:
    folder = part(tmp_path / "a", started_at="2026-06-24T17:30:00+02:00", duration=0.7, form=form)
    before = (folder / "0001.wav").read_bytes()
    (copy,) = flac.copy_session(folder)
    assert copy.stat().st_size > 1000
    assert (folder / "0001.wav").read_bytes() == before
    assert flac._decode(copy, recordings.wav_format(folder / "0001.wav")) == flac._encode(
        folder / "0001.wav", tmp_path / "again", recordings.wav_format(folder / "0001.wav")
    )


def test_a_copy_that_decodes_to_anything_else_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = part(tmp_path / "a", started_at="2026-06-24T17:30:00+02:00", duration=0.7)
    monkeypatch.setattr(flac, "_decode", lambda *_: "other samples")
    with pytest.raises(StorageError, match="did not decode to the samples"):
        flac.copy_session(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["0001.wav", "events.jsonl"]
