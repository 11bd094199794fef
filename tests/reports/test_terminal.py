import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reports.records import candidate, measured, measured_trial, predicted
from rich.console import Console

from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Check, Screening
from atunner.reports import wording
from atunner.reports.rows import failures, leaderboard
from atunner.reports.terminal import show

PLACES = [Path("out/best.cu"), Path("out/report.html"), Path("out/bundle")]


def printed(record: RunRecord, width: int = 118) -> str:
    stream = io.StringIO()
    show(record, PLACES, Console(file=stream, width=width, color_system=None))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("name", ["predicted", "measured"])
def test_the_whole_report(name: str, golden: Callable[[str, str], str]) -> None:
    text = printed({"predicted": predicted, "measured": measured}[name]())

    assert text == golden(f"{name}.txt", text)


def test_a_predicted_run_claims_nothing_that_was_not_measured() -> None:
    text = printed(predicted(), 200).lower()

    assert "predicted for a100 (sm_80)" in text
    assert not re.search(r"faster|speed-?up|as fast", text)
    assert not re.search(r"\d ms\b", text)
    assert [line for line in text.splitlines() if re.search(r"\d [un]s\b", line) and "bound" not in line] == []
    assert "spearman 0.86" in text


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_disturbed_baseline_is_named_beside_the_result(confirmed: bool) -> None:
    record, check = measured(), Check(name="disturbed samples", passed=True, figures={"of": 20, "stolen": 12})
    loud = check.model_copy(update={"figures": {**check.figures, "dropped_us": []}})
    quiet = check.model_copy(update={"figures": {**check.figures, "dropped_us": [3.5]}})

    def run(of: Check) -> RunRecord:
        assert record.baseline is not None
        assert record.confirmed is not None
        if confirmed:
            return record.model_copy(update={"confirmed": record.confirmed.model_copy(update={"checks": (of,)})})
        baseline = record.baseline.model_copy(update={"checks": (of,)})
        return record.model_copy(update={"confirmed": None, "baseline": baseline})

    said = "the comparison with the baseline" if confirmed else "the baseline's figure"
    assert f"Others had the machine during {said} (12 stolen of 20)" in wording.headline(run(loud))
    assert "Others had" not in wording.headline(run(quiet))


def test_equal_within_noise_is_said_to_be_not_better() -> None:
    assert "1.00x (95 % interval 0.98 to 1.02), not better (within noise)" in printed(measured(), 200)


def test_the_measured_run_has_a_column_for_each_number_of_threads() -> None:
    assert re.search(r"time +1 thread +against naive", printed(measured()))


def test_failures_are_counted_apart_with_their_commonest_reason() -> None:
    found = {f.status: f for f in failures(predicted())}

    assert Status.OK not in found
    assert (found[Status.WRONG].count, found[Status.WRONG].reason) == (2, "worst error 0.31 at c[3, 7]")
    assert found[Status.WRONG].share == 1.0
    assert found[Status.NOT_BUILT].reason == "too many threads"
    assert "nothing is known of their results" in printed(predicted())


def test_what_failed_before_it_was_judged_is_counted_too() -> None:
    record = measured()
    judged = record.trials[0].candidate
    early = (
        Screening(candidate=candidate(1024), reason="crashed: signal 11 in a call"),
        Screening(candidate=candidate(2048), reason="its build timed out: after 5 s"),
        Screening(candidate=candidate(4096), reason="a block does not fit on a multiprocessor"),
        Screening(candidate=judged, reason="timed_out: in its race, but it was judged in the end"),
    )

    seen = record.model_copy(update={"screenings": early})
    found = {f.status: f.reason for f in failures(seen)}

    assert found[Status.CRASHED] == "signal 11 in a call"
    assert found[Status.NOT_BUILT] == "its build timed out: after 5 s"
    assert found[Status.REJECTED] == "a block does not fit on a multiprocessor"
    assert Status.TIMED_OUT not in found
    assert "signal 11 in a call (100%)" in printed(seen, 200)


def test_a_models_words_are_marked_and_its_markup_is_text() -> None:
    record = predicted()
    evil = record.notes[3].model_copy(update={"summary": "[bold]100x[/bold]"})
    text = printed(record.model_copy(update={"notes": (evil,)}), 200)

    assert "[words of model:qwen3] [bold]100x[/bold]" in text


def test_a_figure_of_another_provenance_never_enters_the_board() -> None:
    record = predicted()
    mixed = record.model_copy(update={"trials": (*record.trials, measured_trial(64, 0.001, 3.0, 0.1))})

    assert len(leaderboard(mixed)) == 3
    assert all(r.provenance is Provenance.PREDICTED for r in leaderboard(mixed))
    assert wording.relative(record, measured_trial(64, 1.0, 3.0, 0.1).measurement) is None


def test_a_run_with_nothing_verified_says_so() -> None:
    record = predicted()
    empty = record.model_copy(update={"trials": record.trials[3:], "best": None})

    assert "No candidate was verified, so there is no result." in printed(empty)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, "us", "500 ns"),
        (12.34, "us", "12.3 us"),
        (2_500.0, "us", "2.5 ms"),
        (3.0, "s", "3 s"),
        (7.0, "mJ", "7 mJ"),
    ],
)
def test_times_read_well(value: float, unit: str, text: str) -> None:
    assert wording.duration(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.01234, "0.0123"), (12.34, "12.3"), (1234.5, "1234"), (1.23e9, "1.23e+09")]
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert wording.number(value) == text
