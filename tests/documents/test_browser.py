"""The page in a real browser: it plays what a button promises, asks nobody for anything, and runs no foreign script.

The browser opens a small page of this test that holds the report in a frame, drives it, and posts what it saw.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.documents.build import HOSTILE, hostile, panel
from transcriber.documents import report, sound
from transcriber.documents.words import clean

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to show the page")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required --enable-logging=stderr"
)

OFFSET = 5.0  # s: where the sound in the page begins in the session

# Answers with `seen`, an object made by the steps of one test, which may wait.
DRIVER = """<!doctype html><meta charset="utf-8"><title>driver</title><link rel="icon" href="data:,">
<iframe id="frame" src="/report.html" width="1200" height="800"></iframe><img src="/wait">
<script>
const frame = document.getElementById("frame");
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(holds) { for (let n = 0; n < 400 && !holds(); n++) await sleep(20); return holds(); }
frame.addEventListener("load", async () => {
  const page = frame.contentDocument;
  const one = (selector) => page.querySelector(selector);
  const all = (selector) => [...page.querySelectorAll(selector)];
  const key = (name) => page.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const seen = {};
  try { %s } catch (error) { seen.error = String(error && error.stack || error); }
  await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
});
</script>"""


class Served(ThreadingHTTPServer):
    """Serves the two pages, notes what else is asked for, and holds `/wait` until the driver has reported."""

    daemon_threads = True

    def __init__(self, page: str, steps: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = {"/driver.html": DRIVER % steps, "/report.html": page}
        self.asked: list[str] = []
        self.seen: dict[str, object] = {}
        self.done = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Served

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/wait":
            self.server.done.wait(20)
        body = self.server.pages.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.server.seen = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.server.done.set()

    def log_message(self, *_: object) -> None:
        pass


def drive(page: str, steps: str, profile: Path) -> tuple[dict[str, object], list[str]]:
    """What the steps saw in the page, and the console's lines. Fails where the page asked for anything more."""
    server = Served(page, steps)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/driver.html"
        command = [str(CHROMIUM), *FLAGS.split(), f"--user-data-dir={profile}", "--dump-dom", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert server.done.is_set(), done.stderr[-2000:]
    assert sorted(set(server.asked)) == ["/driver.html", "/report.html", "/wait"]
    assert "error" not in server.seen, server.seen["error"]
    return server.seen, [line for line in done.stderr.splitlines() if "CONSOLE" in line and "/wait" not in line]


@pytest.fixture(scope="module")
def speech() -> bytes:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.int16)
    return sound.encode_aac(tone for _ in range(31))


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "profile"
    shutil.rmtree(tmp_path / "profile", ignore_errors=True)


PLAY = """
const audio = one("audio");
seen.plays = audio.canPlayType('audio/mp4; codecs="mp4a.40.2"');
if (seen.plays) {
  await until(() => audio.readyState >= 1);
  seen.duration = audio.duration;
  const button = one("button[data-from='26.0']");
  button.click();
  await until(() => button.getAttribute("aria-pressed") === "true" && one(".now"));
  seen.started = audio.currentTime;
  seen.pressed = button.getAttribute("aria-pressed");
  audio.playbackRate = 4;
  await until(() => audio.paused);
  seen.stopped = audio.currentTime;
  seen.word = one(".now").textContent;
  seen.released = button.getAttribute("aria-pressed");
  all("#transcript [data-start]").find((word) => word.textContent === "Mumble").click();
  await until(() => audio.currentTime >= 15 && audio.currentTime < 17);
  seen.clicked = audio.currentTime;
  key(" ");
  await until(() => audio.paused);
  seen.paused = audio.paused;
  const before = audio.currentTime;
  key("ArrowLeft");
  seen.back = before - audio.currentTime;
}
"""


def test_a_quote_plays_its_stretch_and_stops(speech: bytes, profile: Path) -> None:
    """The sound is that of a stretch from 5 s on: 26 s in the session are 21 s in the sound."""
    whole = panel()
    source = replace(whole.transcript.recording, start=OFFSET)
    stretch = replace(whole, transcript=replace(whole.transcript, recording=source))
    seen, console = drive(report.render(stretch, audio=speech), PLAY, profile)
    assert console == []
    if not seen["plays"]:
        pytest.skip("this Chromium was built without AAC")
    assert seen["duration"] == pytest.approx(31, abs=0.2)
    assert 26.0 - OFFSET <= float(str(seen["started"])) < 27.5 - OFFSET
    assert seen["stopped"] == pytest.approx(29.3 - OFFSET, abs=0.3)
    assert (seen["pressed"], seen["released"]) == ("true", "false")
    assert seen["word"] == "months."
    assert 20.0 - OFFSET <= float(str(seen["clicked"])) < 22.0 - OFFSET
    assert seen["paused"] is True
    assert seen["back"] == pytest.approx(5, abs=0.1)


READ = """
seen.answers = all("#answers .answer").map((answer) => answer.querySelector(".badge").textContent);
seen.quotes = all("blockquote").map((quote) => quote.textContent);
const box = one("#search");
const search = async (text) => {
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  await until(() => one("#hits").textContent);
  return one("#hits").textContent;
};
seen.found = await search("STORAGE");
seen.hits = all(".hit").map((word) => word.textContent);
box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
seen.first = one("#hits").textContent;
box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", shiftKey: true, bubbles: true }));
seen.last = one("#hits").textContent;
box.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
seen.cleared = all(".hit").length;
seen.wide = page.documentElement.scrollWidth;
frame.width = 340;
await sleep(100);
seen.narrow = page.documentElement.scrollWidth;
"""


def test_the_page_reads_and_searches(profile: Path) -> None:
    seen, console = drive(report.render(panel(), audio=None), READ, profile)
    assert console == []
    assert seen["answers"] == ["Addressed", "Few strong passages – please check", "Not addressed"]
    assert len(list(seen["quotes"])) == 2  # type: ignore[call-overload]
    assert (seen["found"], seen["first"], seen["last"]) == ("2 matches", "1 of 2 matches", "2 of 2 matches")
    assert seen["hits"] == ["storage.", "Storage"]
    assert seen["cleared"] == 0
    assert float(str(seen["wide"])) <= 1200
    assert float(str(seen["narrow"])) <= 340


ATTACK = """
seen.title = page.title;
seen.quote = one("blockquote").textContent;
seen.scripts = page.scripts.length;
const script = page.createElement("script");
script.textContent = "document.title = 'taken over'";
page.body.append(script);
seen.after = page.title;
"""


def test_hostile_text_is_only_text_and_foreign_script_does_not_run(profile: Path) -> None:
    seen, console = drive(report.render(hostile(), audio=None), ATTACK, profile)
    assert seen["title"] == seen["after"] == clean(HOSTILE)
    assert seen["quote"] == clean(HOSTILE)
    assert seen["scripts"] == 1
    assert len(console) == 1  # the refusal of the script this test put in
    assert "Content Security Policy" in console[0]
