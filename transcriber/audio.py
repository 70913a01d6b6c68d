"""Any media file or session folder as blocks: mono, 16 kHz, 16-bit. The only file that knows other rates.

Decoding is a chain of small generators: packets -> frames -> frames in their place on the time line -> 16 kHz ->
mono -> blocks of one size. Nothing holds more than a block, whatever the recording's length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from transcriber import recordings
from transcriber.datatypes import SAMPLE_RATE, Gap, Recording
from transcriber.media import only_media_file, open_media, probe, wav_promise
from transcriber.mixdown import Mixer
from transcriber.timecode import clock, samples, seconds

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from numpy.typing import NDArray

    Block = NDArray[np.int16]  # (n_samples,)

BLOCK_SAMPLES = 32_768  # 2.048 s
IDENTITY_BYTES, IDENTITY_PROBES = 1 << 16, 9
MAX_JUMP_S = 0.25  # a time stamp this far ahead of the sound before it means that sound is missing
MAX_FILL_S = 6 * 3600.0  # beyond this a time stamp is taken for damage
_NO_TIME_ZERO = ("matroska", "mov")  # containers whose own clock starts at 0, sound or not


@dataclass
class Trouble:
    """What went wrong while reading, counted: nothing is dropped in silence."""

    skipped_packets: int = 0
    zeroed_samples: int = 0
    gaps: list[Gap] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def notices(self) -> tuple[str, ...]:
        """One sentence for each kind of trouble."""
        counted = []
        if self.skipped_packets:
            counted.append(f"{self.skipped_packets} damaged packets were skipped.")
        if self.zeroed_samples:
            counted.append(f"{self.zeroed_samples} samples were no numbers (NaN or infinite) and became silence.")
        return (*self.remarks, *counted)


def open_recording(path: Path) -> Recording:
    """The recording at `path`: a media file, or a session folder. Raises InputError, NoSpeechError (no sound in it)."""
    if path.is_dir():
        if recordings.is_session(path):
            return recordings.load(path)
        return probe(only_media_file(path), session=path.absolute().name)
    return probe(path, session=path.stem)


def fingerprint(recording: Recording) -> str:
    """SHA-256 (hexadecimal) over the bytes of the recording's files, in order."""
    digest = hashlib.sha256()
    for part in recording.segments:
        with Path(part.path).open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
    return digest.hexdigest()


def identity(recording: Recording) -> str:
    """A short name for a recording's content, without reading it whole; the same while a session still grows."""
    first = Path(recording.segments[0].path)
    if recordings.is_session(first.parent):
        return hashlib.sha256(recordings.birth(first.parent)).hexdigest()[:12]
    size = first.stat().st_size
    digest = hashlib.sha256(f"{size} ".encode())
    with first.open("rb") as file:
        for place in range(IDENTITY_PROBES):  # recordings may begin alike, with silence
            file.seek(max(0, size - IDENTITY_BYTES) * place // (IDENTITY_PROBES - 1))
            digest.update(file.read(IDENTITY_BYTES))
    return digest.hexdigest()[:12]


class Reader:
    """Reads a stretch of a recording once, block by block; afterwards it knows what was wrong with it.

    `start` and `end` are seconds on the recording's time line. Iterating gives int16 blocks of BLOCK_SAMPLES (the
    last may be shorter). `n_samples` counts what was given, `trouble` what was wrong. Raises InputError, NoSpeechError.
    """

    def __init__(self, recording: Recording, *, start: float = 0.0, end: float | None = None) -> None:
        self.recording = recording
        self.n_samples = 0
        self.trouble = Trouble()
        self._first = samples(start)
        self._last = None if end is None else samples(end)

    def __iter__(self) -> Iterator[Block]:
        for block in _blocks(_stretch(self._sound(), self._first, self._last)):
            self.n_samples += len(block)
            yield block

    def _sound(self) -> Iterator[Block]:
        """The whole time line as mono pieces, one file after the other, silence where files leave a gap."""
        position = 0
        for part in self.recording.segments:
            at = round(part.start_sample * SAMPLE_RATE / max(1, self.recording.sample_rate))
            if position < at:
                yield from _silence(at - position)
                position = at
            for piece in _file_sound(Path(part.path), self.trouble, start=seconds(position)):
                position += len(piece)
                yield piece


def _file_sound(path: Path, trouble: Trouble, *, start: float) -> Iterator[Block]:
    """One file as mono pieces at 16 kHz. `start` is its place in the session, for the gaps it may hold."""

    with open_media(path) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_type = "AUTO"
        declared = _declared(container, stream)
        n = 0
        frames = _in_place(_frames(container, stream, trouble), _origin(container), trouble, start=start)
        mixer = Mixer()
        try:
            for piece in mixer(_resampled(_finite(frames, stream, trouble))):
                n += len(piece)
                yield piece
        finally:  # also where only a stretch is read
            trouble.remarks += mixer.notices()
    _compare_lengths(path, declared, seconds(n), trouble)


def _frames(container: Any, stream: Any, trouble: Trouble) -> Iterator[AudioFrame]:
    """Decoded frames; a damaged packet is skipped and counted, a damaged container ends the sound."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, EOFError) as error:
            trouble.remarks.append(f"Reading stopped early: {getattr(error, 'strerror', None) or error}.")
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except (av.error.FFmpegError, EOFError):
            trouble.skipped_packets += 1


def _origin(container: Any) -> float:
    """The container's time that is 0 on our time line."""
    if container.start_time is None or container.format.name.startswith(_NO_TIME_ZERO):
        return 0.0
    return float(container.start_time) / 1e6


def _in_place(frames: Iterator[AudioFrame], origin: float, trouble: Trouble, *, start: float) -> Iterator[AudioFrame]:
    """Frames with silence where their time stamps say that sound is missing (a late start, a lost stretch)."""
    position: float | None = None
    for frame in frames:
        now = position or 0.0
        if frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base) - origin
            missing = stamp - now
            if MAX_JUMP_S < missing < MAX_FILL_S:
                yield from _silent_frames(frame, missing)
                if position is not None:
                    cause = "sound is missing in the file"
                    trouble.gaps.append(Gap(start=start + now, end=start + now + missing, cause=cause))
                now += missing
            elif missing < -MAX_JUMP_S:
                origin += missing  # the clock was set back: go on from here
        position = now + frame.samples / frame.sample_rate
        yield frame


def _silent_frames(like: AudioFrame, duration: float) -> Iterator[AudioFrame]:
    import av

    left = round(duration * like.sample_rate)
    while left > 0:
        n = min(left, like.sample_rate)
        frame = av.AudioFrame(format=like.format.name, layout=like.layout.name, samples=n)
        frame.sample_rate = like.sample_rate
        for plane in frame.planes:
            plane.update((b"\x80" if like.format.name.startswith("u8") else b"\0") * plane.buffer_size)
        left -= n
        yield frame


def _finite(frames: Iterator[AudioFrame], stream: Any, trouble: Trouble) -> Iterator[AudioFrame]:
    """Frames without NaN or infinite samples, which only files of float samples can hold."""
    import av

    if not stream.codec_context.name.startswith("pcm_f"):
        yield from frames
        return
    for frame in frames:
        values = frame.to_ndarray()
        bad = ~np.isfinite(values)
        if bad.any():
            trouble.zeroed_samples += int(bad.sum())
            clean = av.AudioFrame.from_ndarray(
                np.where(bad, 0, values), format=frame.format.name, layout=frame.layout.name
            )
            clean.sample_rate = frame.sample_rate
            yield clean
        else:
            yield frame


def _resampled(frames: Iterator[AudioFrame]) -> Iterator[Block]:
    """Samples (n_channels, n_samples) at 16 kHz; a file may change its rate or channels half-way."""
    import av

    resampler, shape = None, None
    for frame in frames:
        if shape != (shape := (frame.format.name, frame.layout.name, frame.sample_rate)):
            yield from _drained(resampler)
            resampler = av.AudioResampler(format="s16p", rate=SAMPLE_RATE)
        frame.pts = None
        assert resampler is not None
        yield from (cast("Block", out.to_ndarray()) for out in resampler.resample(frame))
    yield from _drained(resampler)


def _drained(resampler: Any) -> Iterator[Block]:
    if resampler is not None:
        yield from (cast("Block", out.to_ndarray()) for out in resampler.resample(None))


def _silence(n_samples: int) -> Iterator[Block]:
    for at in range(0, n_samples, BLOCK_SAMPLES):
        yield np.zeros(min(BLOCK_SAMPLES, n_samples - at), np.int16)


def _stretch(pieces: Iterable[Block], first: int, last: int | None) -> Iterator[Block]:
    """The samples first .. last of the pieces; reading ends with them."""
    position = 0
    for piece in pieces:
        begin, position = position, position + len(piece)
        if position <= first:
            continue
        yield piece[max(0, first - begin) : None if last is None else max(0, last - begin)]
        if last is not None and position >= last:
            return


def _blocks(pieces: Iterable[Block]) -> Iterator[Block]:
    """The same samples in blocks of BLOCK_SAMPLES."""
    pending: list[Block] = []
    n = 0
    for piece in pieces:
        pending.append(piece)
        n += len(piece)
        if n >= BLOCK_SAMPLES:
            joined = np.concatenate(pending)
            whole = n - n % BLOCK_SAMPLES
            for at in range(0, whole, BLOCK_SAMPLES):
                yield joined[at : at + BLOCK_SAMPLES]
            pending, n = [joined[whole:]], n - whole
    if n:
        yield np.concatenate(pending)


def _declared(container: Any, stream: Any) -> float | None:
    """Seconds of sound that the file says it has; pictures may last longer than the sound."""
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is None or container.streams.video:
        return None
    return float(container.duration) / 1e6


def _compare_lengths(path: Path, declared: float | None, decoded: float, trouble: Trouble) -> None:
    promised = wav_promise(path)
    expected = max(declared or 0.0, promised or 0.0)
    if decoded < expected - max(0.5, expected * 0.01):
        trouble.remarks.append(
            f"{path.name} is shorter than it says: {clock(decoded)} of {clock(expected)} could be read."
        )
