"""From the microphone to the report: what is said in the room is found, at its time, in the documents."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
from microphone import RATE_HZ, Microphone

from transcriber import pipeline, recordings
from transcriber.capture.request import Request
from transcriber.capture.supervisor import Supervisor, wait

SPEED = 8  # the simulated room's clock runs that much faster; the sound is the same, sample by sample
START, END = 45.0, 86.0  # the sample's first talk


def play(path: Path, into: Path) -> np.ndarray:
    """That stretch of a media file, as the raw sound a microphone would pick up."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(str(path)) as container:
        pieces = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    sound = np.concatenate(pieces, axis=1)[0, int(START * RATE_HZ) : int(END * RATE_HZ)]
    sound.astype("<i2").tofile(into)
    return sound


def test_what_is_said_into_the_microphone_is_in_the_report(microphone: Microphone, tmp_path: Path) -> None:
    sample = pipeline.sample_session()
    sound = play(sample / "session.opus", microphone.home / "panel.raw")
    name = microphone.add("panel", infile=microphone.home / "panel.raw", ppm=(SPEED - 1) * 1_000_000)
    folder = tmp_path / "recordings" / "panel"
    folder.parent.mkdir()
    wait(Supervisor.start(Request(folder=folder, device=name, duration=END - START, latency=4.0, segment_seconds=15)))

    recording = recordings.load(folder)
    pcm = b"".join(Path(segment.path).read_bytes()[recordings.HEADER_BYTES :] for segment in recording.segments)
    assert (len(recording.segments), recording.gaps) == (3, ())
    assert pcm == sound.astype("<i2").tobytes()

    options = pipeline.Options(output_dir=tmp_path / "outputs", plan=sample / "plan.toml")
    result = pipeline.run(folder, options)
    assert result.session.summary is not None
    points = {answer.id: answer.key_points for answer in result.session.summary.answers}
    truth: dict[str, Any] = json.loads((sample / "truth.json").read_text("utf-8"))
    planted = [sentence for sentence in truth["sentences"] if sentence["id"] in ("s10", "s11", "s12")]
    report = html.unescape((result.folder / "report.html").read_text("utf-8"))
    assert all(point.text.split(" […] ")[0] in report for point in points["q1"])
    starts = [point.start + START for point in points["q1"]]
    found = [sentence["id"] for sentence in planted if any(abs(sentence["start"] - start) < 1.0 for start in starts)]
    assert len(found) >= 2, (found, starts)
