"""Any media in: sound and times survive containers, codecs, rates and channels; bad files get one clear error."""

from __future__ import annotations

import os
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from transcriber import recordings
from transcriber.audio import BLOCK_SAMPLES, Reader, fingerprint, identity, open_recording
from transcriber.datatypes import SAMPLE_RATE, AudioFile, Recording
from transcriber.errors import InputError, NoSpeechError, TranscriberError
from transcriber.journal import Journal

DURATION_S = 3.0
BEEP = (1.0, 1.5)  # seconds: silence, a 500 Hz beep, silence


def beep(rate_hz: int, n_channels: int = 1, *, lead_s: float = 0.0) -> np.ndarray:
    """Float samples (n_channels, n_samples) of the test signal, `lead_s` of it cut off."""
    time = np.arange(round((DURATION_S - lead_s) * rate_hz)) / rate_hz + lead_s
    tone = np.where((time >= BEEP[0]) & (time < BEEP[1]), 0.5 * np.sin(2 * np.pi * 500 * time), 0.0)
    return np.tile(tone.astype(np.float32), (n_channels, 1))


def encode(
    path: Path, *, codec: str, rate_hz: int, layout: str = "mono", sample_format: str | None = None, **extra: object
) -> Path:
    """Write the beep with PyAV. `container` names the format; `video` adds pictures; `offset_s` delays the sound."""
    sound = beep(rate_hz, len(av.AudioLayout(layout).channels))
    with av.open(str(path), "w", format=str(extra.get("container", "")) or None) as out:
        pictures = out.add_stream("mpeg4", rate=10) if extra.get("video") else None
        stream = out.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        if sample_format:
            stream.format = sample_format
        if pictures:
            pictures.width, pictures.height = 64, 64
            for number in range(int(DURATION_S * 10)):
                picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8))
                picture.pts = number
                out.mux(pictures.encode(picture))
            out.mux(pictures.encode(None))
        offset = round(float(extra.get("offset_s", 0.0)) * rate_hz)  # type: ignore[arg-type]
        resampler = av.AudioResampler(
            format=stream.format, layout=layout, rate=rate_hz, frame_size=stream.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, offset
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def pcm_wav(
    path: Path,
    *,
    tag: int = 1,
    bits: int = 16,
    rate_hz: int = 16_000,
    sound: np.ndarray | None = None,
    sizes: int | None = None,
) -> Path:
    """A WAV file by hand, for headers that libraries do not write."""
    sound = beep(rate_hz)[0] if sound is None else sound
    data = {
        (1, 16): lambda: (sound * 32767).astype("<i2").tobytes(),
        (1, 8): lambda: (sound * 127 + 128).astype(np.uint8).tobytes(),
        (3, 32): lambda: sound.astype("<f4").tobytes(),
        (3, 64): lambda: sound.astype("<f8").tobytes(),
    }[(tag, bits)]()
    n = len(data) if sizes is None else sizes
    fmt = struct.pack("<HHIIHH", tag, 1, rate_hz, rate_hz * bits // 8, bits // 8, bits)
    riff = min(n + 36, 0xFFFFFFFF)
    path.write_bytes(
        b"RIFF"
        + struct.pack("<I", riff)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + fmt
        + b"data"
        + struct.pack("<I", n)
        + data
    )
    return path


def rf64(path: Path) -> Path:
    data = (beep(48_000)[0] * 32767).astype("<i2").tobytes()
    ds64 = struct.pack("<QQQI", len(data) + 72, len(data), len(data) // 2, 0)
    fmt = struct.pack("<HHIIHH", 1, 1, 48_000, 96_000, 2, 16)
    path.write_bytes(
        b"RF64\xff\xff\xff\xffWAVEds64"
        + struct.pack("<I", len(ds64))
        + ds64
        + b"fmt "
        + struct.pack("<I", 16)
        + fmt
        + b"data\xff\xff\xff\xff"
        + data
    )
    return path


MAKERS: dict[str, Callable[[Path], Path]] = {
    "16-bit.wav": pcm_wav,
    "8-bit.wav": lambda p: pcm_wav(p, bits=8),
    "float.wav": lambda p: pcm_wav(p, tag=3, bits=32),
    "double.wav": lambda p: pcm_wav(p, tag=3, bits=64),
    "11025-hz.wav": lambda p: pcm_wav(p, rate_hz=11_025),
    "growing.wav": lambda p: pcm_wav(p, sizes=0xFFFFFFFF),
    "size-zero.wav": lambda p: pcm_wav(p, sizes=0),
    "rf64.wav": rf64,
    "24-bit.wav": lambda p: encode(p, codec="pcm_s24le", rate_hz=48_000, layout="stereo"),
    "6-channels.wav": lambda p: encode(p, codec="pcm_s16le", rate_hz=44_100, layout="5.1"),
    "96-khz.wav": lambda p: encode(p, codec="pcm_s32le", rate_hz=96_000),
    "mu-law-8-khz.wav": lambda p: encode(p, codec="pcm_mulaw", rate_hz=8_000),
    "sound.flac": lambda p: encode(p, codec="flac", rate_hz=48_000, layout="stereo"),
    "sound.mp3": lambda p: encode(p, codec="libmp3lame", rate_hz=44_100, layout="stereo"),
    "sound.m4a": lambda p: encode(p, codec="aac", rate_hz=48_000),
    "sound.opus": lambda p: encode(p, codec="libopus", rate_hz=48_000, container="ogg"),
    "sound.aac": lambda p: encode(p, codec="aac", rate_hz=44_100, container="adts"),
    "sound.aiff": lambda p: encode(p, codec="pcm_s16be", rate_hz=44_100),
    "sound.w64": lambda p: encode(p, codec="pcm_s16le", rate_hz=44_100),
    "sound.caf": lambda p: encode(p, codec="pcm_s16le", rate_hz=44_100),
    "film.mp4": lambda p: encode(p, codec="aac", rate_hz=44_100, layout="stereo", video=True),
    "film.mkv": lambda p: encode(p, codec="libopus", rate_hz=48_000, video=True),
    "really-mp3.wav": lambda p: encode(p, codec="libmp3lame", rate_hz=44_100, container="mp3"),
    "no-ending": lambda p: encode(p, codec="flac", rate_hz=16_000, container="flac"),
    "-dash 'quote' \n line.wav": pcm_wav,
}


def heard(path: Path) -> tuple[float, float, float, Reader]:
    """Duration, and start and end of the beep, as read from a file."""
    reader = Reader(open_recording(path))
    sound = np.concatenate(list(reader)).astype(float)
    loud = np.flatnonzero(np.abs(sound) > 2000)
    return len(sound) / SAMPLE_RATE, loud[0] / SAMPLE_RATE, loud[-1] / SAMPLE_RATE, reader


@pytest.mark.parametrize("name", MAKERS)
def test_odd_but_valid_files_are_read_whole_and_in_time(tmp_path: Path, name: str) -> None:
    duration, start, end, reader = heard(MAKERS[name](tmp_path / name))
    assert duration == pytest.approx(DURATION_S, abs=0.1)
    assert start == pytest.approx(BEEP[0], abs=0.06)
    assert end == pytest.approx(BEEP[1], abs=0.06)
    assert reader.trouble.notices() == ()


def test_sound_that_starts_late_in_a_film_keeps_its_time(tmp_path: Path) -> None:
    path = encode(tmp_path / "late.mkv", codec="pcm_s16le", rate_hz=16_000, video=True, offset_s=2.0)
    duration, start, _, _ = heard(path)
    assert duration == pytest.approx(DURATION_S + 2.0, abs=0.1)
    assert start == pytest.approx(BEEP[0] + 2.0, abs=0.06)


def test_numbers_that_are_none_become_silence_and_are_counted(tmp_path: Path) -> None:
    sound = beep(16_000)[0].copy()
    sound[100:110] = np.nan
    sound[200] = np.inf
    path = pcm_wav(tmp_path / "nan.wav", tag=3, bits=32, sound=sound)
    reader = Reader(open_recording(path))
    read = np.concatenate(list(reader))
    assert not read[:1000].any()
    assert reader.trouble.notices() == ("11 samples were no numbers (NaN or infinite) and became silence.",)


def test_a_file_shorter_than_its_header_says_is_read_and_reported(tmp_path: Path) -> None:
    path = pcm_wav(tmp_path / "cut.wav")
    path.write_bytes(path.read_bytes()[:60_001])
    _, _, _, reader = heard(path)
    (notice,) = reader.trouble.notices()
    assert "shorter than it says: 0:01 of 0:03" in notice


def test_damaged_packets_are_skipped_counted_and_do_not_shift_the_time(tmp_path: Path) -> None:
    path = encode(tmp_path / "hurt.m4a", codec="aac", rate_hz=48_000)
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat") + 2000
    data[at : at + 300] = b"\xff" * 300
    path.write_bytes(data)
    duration, _, end, reader = heard(path)
    assert reader.trouble.skipped_packets > 0
    assert "damaged packets were skipped" in reader.trouble.notices()[-1]
    assert duration == pytest.approx(DURATION_S, abs=0.3)
    assert end == pytest.approx(BEEP[1], abs=0.3)


BAD: dict[str, tuple[Callable[[Path], object], type[TranscriberError]]] = {
    "missing.wav": (lambda p: None, InputError),
    "folder": (lambda p: p.mkdir(), InputError),
    "pipe.wav": (lambda p: os.mkfifo(p), InputError),
    "empty.wav": (lambda p: p.write_bytes(b""), InputError),
    "text.wav": (lambda p: p.write_text("This is no sound.\n" * 50), InputError),
    "noise.mp3": (lambda p: p.write_bytes(np.random.default_rng(3).bytes(5000)), InputError),
    "header-cut.wav": (lambda p: p.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfm"), InputError),
    "list.mp3": (lambda p: p.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n"), InputError),
    "list.m3u8": (
        lambda p: p.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n"),
        InputError,
    ),
    "call.sdp": (lambda p: p.write_text("v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9999 RTP/AVP 0\n"), InputError),
    "parts.txt": (lambda p: p.write_text("ffconcat version 1.0\nfile other.wav\n"), InputError),
    "no-index.mp4": (
        lambda p: p.write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\xff\xffmdat" + bytes(9000)),
        InputError,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_clear_error(tmp_path: Path, name: str) -> None:
    make, expected = BAD[name]
    path = tmp_path / name
    make(path)
    with pytest.raises(expected) as caught:
        list(Reader(open_recording(path)))
    assert name in caught.value.message
    assert caught.value.hint


def test_film_without_sound_is_no_usable_audio(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        out.mux(stream.encode(None))
    with pytest.raises(NoSpeechError, match="holds no sound"):
        open_recording(path)


def test_blocks_have_one_size_and_hold_every_sample(tmp_path: Path) -> None:
    samples = np.arange(100_000, dtype=np.int16)
    path = tmp_path / "ramp.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    reader = Reader(open_recording(path))
    blocks = list(reader)
    assert [len(block) for block in blocks] == [BLOCK_SAMPLES] * 3 + [100_000 - 3 * BLOCK_SAMPLES]
    assert np.array_equal(np.concatenate(blocks), samples)
    assert reader.n_samples == 100_000
    stretch = Reader(open_recording(path), start=1.0, end=2.5)
    assert np.array_equal(np.concatenate(list(stretch)), samples[16_000:40_000])


def test_parts_of_a_session_lie_on_one_time_line(tmp_path: Path) -> None:
    first, second = (pcm_wav(tmp_path / name) for name in ("1.wav", "2.wav"))
    n = round(DURATION_S * SAMPLE_RATE)
    parts = (AudioFile(path=str(first)), AudioFile(path=str(second), start_sample=n + 16_000))
    session = Recording(session="two", segments=parts, sample_rate=SAMPLE_RATE, n_samples=None)
    sound = np.concatenate(list(Reader(session)))
    assert len(sound) == 2 * n + 16_000
    assert np.array_equal(sound[n + 16_000 :], sound[:n])
    assert not sound[n : n + 16_000].any()


def test_left_and_right_are_both_heard(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left, right = np.full(16_000, 2000, "<i2"), np.full(16_000, 1000, "<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(np.column_stack([left, right]).tobytes())
    (block,) = Reader(open_recording(path))
    assert set(block.tolist()) == {1500}


def test_names_of_content(tmp_path: Path) -> None:
    a, b = pcm_wav(tmp_path / "a.wav"), pcm_wav(tmp_path / "b.wav")
    other = pcm_wav(tmp_path / "c.wav", sound=beep(16_000)[0] * 0.5)
    opened = [open_recording(path) for path in (a, b, other)]
    assert identity(opened[0]) == identity(opened[1]) != identity(opened[2])
    assert fingerprint(opened[0]) == fingerprint(opened[1]) != fingerprint(opened[2])


@pytest.mark.parametrize("with_events", [True, False])
def test_a_session_keeps_its_name_of_content_while_it_grows_and_when_it_is_closed(
    tmp_path: Path, with_events: bool
) -> None:
    if with_events:
        with Journal(tmp_path / recordings.EVENTS) as events:
            events.append({"event": "start", "started_at": "2026-06-24T17:30:00+02:00"})
    pcm_wav(tmp_path / "0001.wav", sizes=0xFFFFFFFF)
    growing = identity(open_recording(tmp_path))
    pcm_wav(tmp_path / "0001.wav")
    pcm_wav(tmp_path / "0002.wav")
    closed = open_recording(tmp_path)
    assert len(closed.segments) == 2
    assert identity(closed) == growing
    assert fingerprint(closed) != growing
