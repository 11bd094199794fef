"""Two sources side by side: nothing is lost, nothing is markup of the source's own, and what changed is marked."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from atunner.api import highlight, sidebyside
from atunner.core.candidate import Candidate

LINES = st.lists(st.text("ab {}<>&\"'/*0\r\f\u2028", max_size=12), max_size=12).map("\n".join)


def plain(html: str) -> str:
    return unescape(re.sub(r"</?(?:i|mark)[^>]*>", "", html))


def candidate(text: str) -> Candidate:
    return Candidate(files={"kernel.c": text})


@given(LINES)
def test_highlighting_keeps_every_character(text: str) -> None:
    shown = [plain(str(highlight.html(line))) for line in highlight.pieces("kernel.c", text)]

    assert shown == highlight.split(text)


@given(LINES, LINES)
def test_both_sides_are_whole_where_nothing_is_left_out(old: str, new: str) -> None:
    rows = sidebyside.pairs(candidate(old), candidate(new))
    if any(row.skip for row in rows) or not rows:
        return
    left = [plain(row.old.html) for row in rows if row.old.kind != "none"]
    right = [plain(row.new.html) for row in rows if row.new.kind != "none"]

    assert left == highlight.split(old)
    assert right == highlight.split(new)


def test_what_changed_within_a_line_is_marked() -> None:
    row = sidebyside.pairs(candidate("int tile = 8;"), candidate("int tile = 16;"))[0]

    assert (row.old.kind, row.new.kind) == ("gone", "new")
    assert re.findall(r"<mark>(.*?)</mark>", row.old.html)
    assert plain("".join(re.findall(r"<mark>(.*?)</mark>", row.new.html))) == "16"


def test_a_sources_markup_is_text() -> None:
    row = sidebyside.pairs(candidate("x"), candidate("<script>alert(1)</script>"))[0]

    assert "<script" not in row.new.html


def test_parameters_that_differ_come_first() -> None:
    before, after = Candidate(params={"a": 1, "b": 2}), Candidate(params={"a": 1, "b": 3, "c": True})

    assert [(c.name, c.old, c.new) for c in sidebyside.changes(before, after)] == [
        ("b", "2", "3"),
        ("c", "", "true"),
        ("a", "1", "1"),
    ]
