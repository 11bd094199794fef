import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from reports.records import measured, predicted

from atunner.core.record import RunRecord
from atunner.reports.html import page

VOID = {"meta", "br", "path", "use", "rect", "link"}
RECORDS = {"predicted": predicted, "measured": measured}


class Reader(HTMLParser):
    """Collects ids, tags and visible text, and checks that elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "svg"} & set(self.open):
            self.text.append(" ".join(data.split()))


def read(record: RunRecord) -> Reader:
    reader = Reader()
    reader.feed(page(record))
    return reader


@pytest.mark.parametrize("name", RECORDS)
def test_the_page_is_whole_and_stands_alone(name: str) -> None:
    text, reader = page(RECORDS[name]()), read(RECORDS[name]())

    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert not {"script", "link", "img", "iframe"} & reader.tags
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text


@pytest.mark.parametrize("name", RECORDS)
def test_what_the_page_says(name: str, golden: Callable[[str, str], str]) -> None:
    text = "\n".join(t for t in read(RECORDS[name]()).text if t) + "\n"

    assert text == golden(f"{name}.page.txt", text)


def test_a_predicted_page_claims_nothing_that_was_not_measured() -> None:
    words = " ".join(read(predicted()).text).lower()

    assert not re.search(r"faster|speed-?up|as fast|\d ms\b", words)
    assert words.count("predicted for a100 (sm_80)") >= 6


def test_text_of_models_and_sources_cannot_become_markup() -> None:
    record = predicted()
    note = record.notes[3].model_copy(update={"summary": "<script>alert(1)</script>"})
    text = page(record.model_copy(update={"notes": (note,)}))

    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "words of model:qwen3" in text


def test_equal_records_give_equal_pages() -> None:
    assert page(predicted()) == page(predicted())


def test_a_run_that_only_began_has_a_page() -> None:
    record = predicted()
    bare = record.model_copy(
        update={
            "trials": (),
            "screenings": (),
            "notes": (),
            "facts": None,
            "device": None,
            "baseline": None,
            "best": None,
        }
    )

    assert "No candidate was verified, so there is no leaderboard." in " ".join(read(bare).text)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("place", [0, 1])
def test_text_is_readable_in_light_and_dark(place: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", page(predicted()), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[place]))

    for text in ("ink", "muted", "first", "model"):
        for ground in ("paper", "card", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for ground in ("gone", "new"):
        assert contrast(colours["ink"], colours[ground]) >= 4.5
        assert contrast(colours["muted"], colours[ground]) >= 4.5
