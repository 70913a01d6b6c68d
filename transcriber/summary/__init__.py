"""Transcript -> Summary: sentences rebuilt, ranked against each question, chosen, judged."""
