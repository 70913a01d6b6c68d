"""The crew hears of trouble, in the order of its weight, and of nothing else."""

from __future__ import annotations

import msgspec
import pytest

from transcriber.capture import display, view
from transcriber.capture.alarms import alarms, channels
from transcriber.capture.live import Live
from transcriber.levels import ChannelState

TALK = ChannelState(peak_db=-12.0, rms_db=-24.0)
MOMENT = 1000.0


def taking(*states: ChannelState, **settings: object) -> Live:
    live = Live(
        pid=1,
        state="recording",
        beat=MOMENT,
        since=900.0,
        device="Desk",
        host_api="ALSA",
        rate_hz=48_000,
        n_channels=len(states),
        bits=16,
        frames=48_000 * 83,
        synced=48_000 * 82,
        synced_at=MOMENT - 0.6,
        heard=MOMENT - 0.1,
        free=39_730.0,
        meter=msgspec.Raw(msgspec.json.encode(states)),
    )
    return msgspec.structs.replace(live, **settings)


def found(live: Live) -> list[tuple[str, str]]:
    return [(alarm.severity, alarm.text) for alarm in alarms(live, moment=MOMENT)]


def test_a_good_take_raises_none() -> None:
    assert found(taking(TALK, TALK)) == []


@pytest.mark.parametrize(
    ("live", "severity", "says"),
    [
        (taking(ChannelState(zero_for=1.0)), "red", "no signal: nothing but zeros; a muted input"),
        (taking(TALK, ChannelState(zero_for=1.0)), "red", "channel 2 is dead"),
        (taking(TALK, ChannelState(rms_db=-50, weak_for=60.0)), "amber", "channel 2 is more than 20 dB weaker"),
        (taking(ChannelState(quiet_for=20.0)), "amber", "too quiet: under -60 dBFS"),
        (taking(ChannelState(clips=1, clipped_ago=4.0)), "amber", "the input clips, 4 s ago"),
        (taking(TALK, free=1799.0), "amber", "disk full in 29:59"),
        (taking(TALK, free=599.0), "red", "disk full in 9:59"),
        (taking(TALK, state="waiting", since=980.0), "red", "no microphone for 0:20: waiting for Desk"),
        (taking(TALK, heard=MOMENT - 2), "red", "Desk has delivered nothing for 2 s"),
        (taking(TALK, synced_at=MOMENT - 6), "red", "the disk has not confirmed anything for 6 s"),
        (taking(TALK, rate_hz=16_000), "amber", "16000 Hz only"),
        (taking(TALK, notices=("0001.wav reads back otherwise",)), "red", "0001.wav reads back otherwise"),
    ],
)
def test_each_trouble_is_named(live: Live, severity: str, says: str) -> None:
    ((how, text),) = found(live)
    assert how == severity
    assert says in text


@pytest.mark.parametrize(
    "live",
    [
        taking(ChannelState(zero_for=0.9)),
        taking(ChannelState(quiet_for=19.0)),
        taking(TALK, ChannelState(weak_for=59.0)),
        taking(ChannelState(clips=1, clipped_ago=10.0)),
        taking(TALK, free=1801.0),
    ],
)
def test_just_before_its_limit_nothing_is_said(live: Live) -> None:
    assert found(live) == []


def test_the_worst_comes_first() -> None:
    assert [severity for severity, _ in found(taking(ChannelState(quiet_for=30.0), free=60.0))] == ["red", "amber"]


def test_the_plain_line_holds_all_the_crew_asks_for() -> None:
    line = display.plain(taking(TALK, TALK, gaps=2, lost=3.5), moment=MOMENT)
    assert line == (
        "1:23 recording  ch1 -12/-24 ch2 -12/-24 dBFS  clips 0  gaps 2 (3.5 s)  disk 11:02:10 left  "
        "on disk 1:22, synced 0.6 s ago"
    )


def test_the_compact_line_fits_a_terminal_and_its_bars_follow_the_level() -> None:
    assert len(display.compact(taking(TALK, TALK), moment=MOMENT)) < 100
    heights = [display.bar(ChannelState(peak_db=level_db)) for level_db in (-120.0, -50.0, -25.0, 0.0)]
    assert heights == sorted(heights)
    assert (heights[0], heights[-1]) == ("▁", "█")


def test_before_the_first_level_there_is_a_line_too() -> None:
    live = taking(synced_at=None, free=None)
    assert channels(live) == ()
    assert "nothing on disk yet" in display.plain(live, moment=MOMENT)


def test_plain_lines_come_at_once_with_trouble_and_else_rarely(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "now", lambda: MOMENT)
    plain = view.PlainView()
    for live in (taking(TALK), taking(TALK), taking(TALK, free=599.0), taking(TALK, free=598.0), taking(TALK)):
        plain.update(live)
    said = [line.split(" recording")[0] for line in capsys.readouterr().err.splitlines()]
    assert said == ["1:23", "ALARM: disk full in 9:59", "1:23", "all well again", "1:23"]
