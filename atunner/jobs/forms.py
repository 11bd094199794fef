"""The forms that texts of a client have to have, each with words for people who do not read patterns."""

from collections.abc import Mapping, Sequence
from typing import Any

from atunner.core import wrong

WORD = r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,79}$"
LABEL = r"^[A-Za-z0-9][A-Za-z0-9 ._/:@+-]{0,63}$"
LABELLED = r"^[^=\x00]+=[^\x00]+$"
MODEL = r"^(|none|(openai|ollama):[A-Za-z0-9][A-Za-z0-9._:/-]{0,99})$"
OPTION = r"^[a-z][a-z0-9_]{0,39}$"
FILE = r"^[A-Za-z0-9_][A-Za-z0-9_+-]{0,59}(\.[A-Za-z0-9]{1,8}){1,2}$"
C_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_+-]{0,59}\.(c|h|inc|def)$"
TEXT = r"^[^\x00]*$"
LINE = r"^[^\x00-\x1f\x7f]*$"
FLAG = r"^-(D[A-Za-z_]\w{0,59}(=[\w.+-]{1,60})?|std=[a-z]{1,3}[0-9a-z]{2,3})$"
FUNCTION = r"^([A-Za-z_]\w{0,79})?$"
ID = r"^[0-9a-f]{16}$"
ID_OR_NONE = r"^([0-9a-f]{16})?$"
DIGEST = r"^[0-9a-f]{64}$"
NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$"
KEY = r"^[A-Za-z0-9._:-]{1,100}$"

EXPECTED = {
    WORD: "a name of at most 80 letters, digits, blanks and . _ + -",
    LABEL: "at most 64 letters, digits, blanks and . _ / : @ + -",
    LABELLED: "NAME=VALUE",
    MODEL: "none, openai:NAME or ollama:NAME (other servers are the operator's business)",
    OPTION: "the name of a setting: small letters, digits and _",
    FILE: "a file name with its ending and no folders, as blur.cu",
    C_FILE: "a file name that ends in .c, .h, .inc or .def, without folders",
    TEXT: "a text without NUL characters",
    LINE: "a line of text without control characters",
    FLAG: "-DNAME, -DNAME=VALUE or -std=NAME",
    FUNCTION: "the name of a C function",
    ID: "an id of 16 hex digits",
    ID_OR_NONE: "an id of 16 hex digits",
    DIGEST: "a SHA-256 of 64 hex digits",
    NAME: "a name of at most 80 letters, digits, blanks and . _ -",
    KEY: "at most 100 letters, digits and . _ : -",
}
"""What each form takes."""

PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "there is no field of that name",
    "union_tag_not_found": "is missing: it says which kind of task this is",
}
MOST = 300


def line(error: Mapping[str, Any]) -> str:
    """Where something is wrong, and what."""
    return f"{place(error['loc'])}: {told(error)}"[:MOST]


def place(parts: Sequence[int | str]) -> str:
    """A field by its path; the character where a body stops being JSON is none."""
    named = [str(part) for part in parts if part != "[key]"]
    return named[0] if len(parts) == 2 and isinstance(parts[1], int) and parts[0] == "body" else ".".join(named)


def told(error: Mapping[str, Any]) -> str:
    """What is wrong with one field, in words: what was expected, and what came."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in PLAIN:
        return PLAIN[kind]
    if kind == "union_tag_invalid":
        return f"expected a kind among {context.get('expected_tags')}; got {context.get('tag')!r}"
    if kind == "json_invalid":
        return f"expected JSON: {context.get('error', 'it cannot be read')}"
    if isinstance(error.get("input"), bytes):
        return "expected JSON, sent as Content-Type: application/json"
    if kind == "string_pattern_mismatch":
        expected = EXPECTED.get(str(context.get("pattern")), "another form")
        return f"expected {expected}; got {str(error.get('input'))[: wrong.SHOWN]!r}"
    return wrong.said(error)
