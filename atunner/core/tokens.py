"""How many tokens a text will cost, before anything is asked."""

BYTES_A_TOKEN = 3
"""Vocabularies of current models hold 3 to 4.5 bytes of code or prose a token; the low end, so that bounds hold."""


def count(text: str) -> int:
    """An upper estimate of the tokens of `text` that needs no vocabulary: one for each BYTES_A_TOKEN bytes of UTF-8."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)
