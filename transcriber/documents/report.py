from transcriber.datatypes import Session


def render(session: Session, *, audio: bytes | None) -> str:
    return ""
