"""Documents to read: transcript.txt, transcript.md and key-points.md."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import msgspec

from transcriber.datatypes import Answer, Gap, KeyPoint, Mention, Session, Summary
from transcriber.documents.facts import VERDICTS, flagged_words, making, occasion, reach, stretch
from transcriber.documents.paragraphs import Block, Heading, Paragraph, blocks
from transcriber.documents.words import clean, gap_note
from transcriber.timecode import clock

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~$&])")
_MARKDOWN_START = re.compile(r"^(\d*)([#+\-=:.)])")
_TEXT_WIDTH = 100


def markdown(text: str) -> str:
    """Outside text, cleaned, so that Markdown shows it as it is.

    >>> markdown("1. <b> *x*")
    '1\\\\. \\\\<b\\\\> \\\\*x\\\\*'
    """
    return _MARKDOWN_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", clean(text)))


# ---- transcript.txt


def transcript_txt(session: Session) -> str:
    """The transcript as plain text, a time before each paragraph."""
    head = [clean(session.plan.title), occasion(session), f"Transcript, {stretch(session)}"]
    parts = ["\n".join(line for line in head if line), *(_txt_block(block) for block in blocks(session))]
    return "\n\n".join(parts) + "\n"


def _txt_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"== {block.title} =="
    if isinstance(block, Gap):
        return f"[{clock(block.start)}] {gap_note(block)}"
    who = f" {block.speaker}:" if block.speaker else ""
    text = " ".join(
        f"[please check: {flagged_words(piece.flags)}] {piece.text} [end]" if piece.flags else piece.text
        for piece in block.pieces
    )
    return f"[{clock(block.start)}]{who}\n" + textwrap.fill(
        text, _TEXT_WIDTH, break_long_words=False, break_on_hyphens=False
    )


# ---- transcript.md


def transcript_md(session: Session) -> str:
    """The transcript as Markdown: how it was made, then paragraphs with times and speakers, doubtful ones marked."""
    found = blocks(session)
    parts = [f"# {markdown(session.plan.title)}"]
    if when := occasion(session):
        parts.append(markdown(when))
    before = msgspec.structs.replace(session, summary=None)  # the transcript is the same before and after the summary
    parts += [_making_md(before), "## Transcript", *(_md_block(block) for block in found)]
    if doubtful := list(_doubtful(found)):
        parts += ["## Passages to check", "\n".join(doubtful)]
    return "\n\n".join(parts) + "\n"


def _md_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"### {markdown(block.title)}"
    if isinstance(block, Gap):
        return f"*{clock(block.start)} {markdown(gap_note(block))}*"
    who = f" {markdown(block.speaker)}:" if block.speaker else ""
    text = " ".join(
        f"*(please check)* {markdown(piece.text)} *(end)*" if piece.flags else markdown(piece.text)
        for piece in block.pieces
    )
    return f"**{clock(block.start)}{who}** {text}"


def _doubtful(found: tuple[Block, ...]) -> Iterator[str]:
    for block in found:
        for piece in block.pieces if isinstance(block, Paragraph) else ():
            if piece.flags:
                yield f"- {clock(piece.words[0].start)}: {markdown(flagged_words(piece.flags))}"


def _making_md(session: Session) -> str:
    rows = "\n".join(f"- {what}: {markdown(how)}" for what, how in making(session))
    return f"How this was made:\n\n{rows}"


# ---- key-points.md


def key_points_md(session: Session, summary: Summary) -> str:
    """What was said to each question, verbatim and with times; a question nobody answered says so."""
    parts = [f"# Key points: {markdown(session.plan.title)}"]
    if when := occasion(session):
        parts.append(markdown(when))
    parts.append("Every quote is verbatim, as the recogniser heard it; times count from the start of the recording.")
    for number, answer in enumerate(summary.answers, 1):
        parts += _answer_md(number, answer)
    return "\n\n".join([*parts, "---", _making_md(session)]) + "\n"


def _answer_md(number: int, answer: Answer) -> list[str]:
    parts = [f"## {number}. {markdown(answer.text)}"]
    if answer.verdict == "not addressed":
        parts.append(f"**{VERDICTS[answer.verdict]}.** No passage that answers this question was found.")
        if nearest := answer.key_points or answer.closest:
            parts.append("Nearest passages, which do not answer it:")
            parts += ["\n".join(f"- {_where(point)}: “{markdown(point.text)}”" for point in nearest)]
        return parts
    parts.append(f"**{VERDICTS[answer.verdict]}** · {reach(answer)}")
    for point in answer.key_points:
        parts.append(_quote_md(point))
    return parts


def _quote_md(point: KeyPoint) -> str:
    lines = [f"> {markdown(point.text)}", ">", f"> — {_where(point)}"]
    if context := markdown(point.context):
        lines += ["", f"Just before: *{context}*"]
    if point.against:
        seen = (f"- {_where(other)}: “{markdown(other.text)}”" for other in point.against)
        lines += ["", "Perhaps seen otherwise:", "", *seen]
    if point.also:
        lines += ["", "Also said by:", "", *(f"- {_where(other)}: “{markdown(other.text)}”" for other in point.also)]
    return "\n".join(lines)


def _where(point: KeyPoint | Mention) -> str:
    who = f"{markdown(point.speaker)}, " if point.speaker and clean(point.speaker) else ""
    return f"{who}{clock(point.start)}–{clock(point.end)}"
