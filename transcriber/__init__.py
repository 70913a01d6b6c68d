"""Record a discussion, transcribe it offline, find what answers its questions.

microphone ─capture→ recordings/<session>/ ─audio→ blocks ─transcription→ Transcript ─summary→ Summary
─documents→ outputs/<session>/
"""

__version__ = "0.1.0"
