"""How many tokens a text will cost, before anything is asked."""

import re

BYTES_A_TOKEN = 3
"""Vocabularies of current models hold 3 to 4.5 bytes of code or prose a token; the low end, so that bounds hold."""
_DIGIT = re.compile(r"[0-9]")


def count(text: str) -> int:
    """An upper estimate of the tokens of `text` that needs no vocabulary.

    One for each digit, since many models read numbers digit by digit, and for each BYTES_A_TOKEN other bytes of UTF-8.
    """
    digits = len(_DIGIT.findall(text))
    return digits - (digits - len(text.encode())) // BYTES_A_TOKEN
