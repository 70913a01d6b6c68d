"""What one recorder's journal tells the next."""

from __future__ import annotations

import time

import pytest

from transcriber.capture import take
from transcriber.capture.clock import boot_id, now
from transcriber.capture.take import Drift, cause_of_end, zero_reading

START = {"event": "start", "at": 0, "boot": "this", "zero": 100.0, "zero_wall": 5000.0}
LEVEL = {"event": "level", "at": 960, "zero": 99.9}


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "boot_id", lambda: "this")
    monkeypatch.setattr(take, "now", lambda: 700.0)
    monkeypatch.setattr(take.time, "time", lambda: 6000.0)


@pytest.mark.usefixtures("boot")
def test_while_the_machine_runs_on_its_clock_says_when_frame_0_was_heard() -> None:
    assert zero_reading([START, LEVEL]) == 99.9


@pytest.mark.usefixtures("boot")
def test_after_a_reboot_the_wall_clock_stands_in() -> None:
    assert zero_reading([{**START, "boot": "before"}, LEVEL]) == 700.0 - 1000.0


@pytest.mark.usefixtures("boot")
def test_after_a_reboot_and_a_second_crash_the_new_boots_clock_counts() -> None:
    resume = {"event": "resume", "at": 960, "boot": "this", "zero": -300.0, "zero_wall": 5000.0}
    assert zero_reading([{**START, "boot": "before"}, LEVEL, resume]) == -300.0


@pytest.mark.usefixtures("boot")
def test_a_journal_that_says_nothing_means_from_now_on() -> None:
    assert zero_reading([]) == 700.0


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([START, LEVEL], "the recorder was restarted"),
        ([START, LEVEL, {"event": "lost", "why": "unplugged"}], "unplugged"),
        ([START, LEVEL, {"event": "lost", "why": "unplugged"}, {"event": "resume"}], "unplugged"),
        ([START, {"event": "lost", "why": "unplugged"}, {"event": "segment"}, LEVEL], "the recorder was restarted"),
        ([], "the recorder was restarted"),
    ],
)
def test_a_gap_is_put_down_to_what_ended_the_recorder_before(events: list[dict[str, object]], cause: str) -> None:
    assert cause_of_end(events) == cause


def test_drift_is_told_with_its_sign_and_only_after_long_enough() -> None:
    fast = Drift()
    readings = [fast.ppm(moment, 50.0 - moment * 200e-6) for moment in (0.0, 300.0, 600.0, 3600.0)]
    assert readings[:2] == [None, None]
    assert readings[2:] == [pytest.approx(200.0), pytest.approx(200.0)]


def test_the_clock_goes_on_and_the_boot_has_one_name() -> None:
    first = now()
    time.sleep(0.01)
    assert 0.005 < now() - first < 5
    assert boot_id() == boot_id()
