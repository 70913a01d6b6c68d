"""The page: answers first, self-contained, and every text from outside only ever text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from tests.documents.build import HOSTILE, hostile, panel
from transcriber.datatypes import Session
from transcriber.documents import report
from transcriber.documents.words import clean, spoken

SOUND = b"\x00\x01not really sound"


class Page(HTMLParser):
    """The page's elements and its text outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("style", "script"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(session: Session, audio: bytes | None = SOUND) -> Page:
    return Page(report.render(session, audio=audio))


def test_the_same_session_gives_the_same_page() -> None:
    assert report.render(panel(), audio=SOUND) == report.render(panel(), audio=SOUND)


def test_answers_come_before_the_transcript() -> None:
    page = report.render(panel(), audio=None)
    assert page.index('id="answers"') < page.index('id="answer3"') < page.index('id="transcript"')


def test_every_word_of_the_transcript_carries_its_time() -> None:
    starts = [attributes["data-start"] for attributes in page_of(panel()).all("span") if "data-start" in attributes]
    assert starts == [str(word.start) for word in spoken(panel().transcript)]


def test_spaces_stand_between_words_whatever_marks_them() -> None:
    text = re.sub(r"\s+", " ", page_of(panel()).text)
    for segment in panel().transcript.segments:
        assert segment.text.strip() in text


def test_each_quote_plays_its_stretch_and_links_to_its_words() -> None:
    page = page_of(panel())
    buttons = [(b["data-from"], b["data-to"]) for b in page.all("button") if "data-from" in b]
    assert buttons == [("6.0", "16.3"), ("31.0", "33.9"), ("26.0", "29.3")]
    targets = {span["id"]: span["data-start"] for span in page.all("span") if "id" in span and "data-start" in span}
    links = [str(link["href"])[1:] for link in page.all("a") if link.get("class") == "at"]
    assert [targets[link] for link in links] == ["6.0", "31.0", "26.0"]


def test_a_quote_stops_before_the_next_word() -> None:
    whole = panel()
    tight = replace(whole.transcript.segments[1], words=whole.transcript.segments[1].words[:3])
    assert whole.summary
    point = replace(whole.summary.answers[0].key_points[0], end=tight.words[1].end, segment_ids=(1,), also=())
    answer = replace(whole.summary.answers[0], key_points=(point,))
    summary = replace(whole.summary, answers=(answer,))
    shown = page_of(replace(whole, transcript=replace(whole.transcript, segments=(tight,)), summary=summary))
    (button,) = [b for b in shown.all("button") if "data-from" in b]
    assert button["data-to"] == str(tight.words[2].start)


def test_an_unanswered_question_shows_no_quote_and_says_so() -> None:
    section = report.render(panel(), audio=None).split('id="answer3"')[1].split("</section>")[0]
    assert "Not addressed" in section
    assert "No passage that answers this question was found" in section
    assert "<blockquote" not in section
    assert "of talk" not in section


def test_passages_near_an_unanswered_question_are_folded_away_and_not_marked() -> None:
    whole = panel()
    assert whole.summary
    answers = tuple(replace(answer, verdict="not addressed") for answer in whole.summary.answers)
    page = page_of(replace(whole, summary=replace(whole.summary, answers=answers)))
    assert len(page.all("details")) == 2
    assert not any("open" in attributes for attributes in page.all("details"))
    assert page.all("mark") == []


def test_a_session_without_summary_is_a_transcript() -> None:
    page = report.render(replace(panel(), summary=None), audio=SOUND)
    assert 'id="answers"' not in page
    assert 'id="transcript"' in page
    assert "<mark>" not in page


def test_without_sound_there_is_no_player() -> None:
    page = page_of(panel(), audio=None)
    assert page.all("audio") == []
    assert not any("data-from" in button for button in page.all("button"))


def test_the_sound_is_inside_and_begins_where_the_stretch_does() -> None:
    whole = panel()
    source = replace(whole.transcript.recording, start=5.5)
    page = page_of(replace(whole, transcript=replace(whole.transcript, recording=source)))
    (audio,) = page.all("audio")
    assert audio["data-offset"] == "5.5"
    assert base64.b64decode(str(audio["src"]).removeprefix("data:audio/mp4;base64,")) == SOUND


def test_gaps_doubts_and_phases_are_shown() -> None:
    text = page_of(panel()).text
    for shown in ("[audio missing 1.0 s] (input overflow)", "please check: low confidence", "Open mic", "0" * 64):
        assert shown in text


def test_every_phase_has_its_heading_and_a_speaker_is_named_once_per_turn() -> None:
    page = page_of(panel())
    assert len([heading for heading in page.all("h3") if heading.get("class") == "phase"]) == 3
    assert re.findall("<b [^>]*>([^<]*)", report.render(panel(), audio=None)) == ["Ana Lund", "Bo Ek", "Bo Ek", "Cleo"]


def test_only_the_pages_own_script_and_style_may_run() -> None:
    page = report.render(panel(), audio=SOUND)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src &#39;none&#39;;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode() in policy.replace("&#43;", "+")


def test_nothing_is_loaded_from_anywhere() -> None:
    for _, attributes in page_of(panel()).elements:
        for name in ("src", "href", "data-src", "poster", "action"):
            assert str(attributes.get(name, "#")).startswith(("#", "data:"))
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    assert "url(" not in report.render(panel(), audio=None)
    assert "@import" not in report.render(panel(), audio=None)


def test_hostile_text_stays_text() -> None:
    page, plain = page_of(hostile()), page_of(panel())
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements}
    assert page.text.count(clean(HOSTILE)) >= 8  # title, question, heading, speaker, quote, context, ...
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page.text)


@pytest.mark.parametrize("tag", ["h1", "main", "footer", "nav", "header"])
def test_landmarks_are_there(tag: str) -> None:
    assert len(page_of(panel()).all(tag)) == 1


def test_every_button_and_field_has_a_name() -> None:
    page = page_of(panel())
    fields = [*page.all("input"), *(button for button in page.all("button") if button.get("id") != "follow")]
    assert fields
    assert all(field.get("aria-label") for field in fields)


def test_every_link_inside_the_page_leads_somewhere() -> None:
    page = page_of(panel())
    places = {attributes.get("id") for _, attributes in page.elements}
    assert {str(link["href"])[1:] for link in page.all("a")} <= places
