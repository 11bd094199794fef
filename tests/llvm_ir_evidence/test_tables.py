"""The seed's tables and pictures: its names and columns, n/a where nothing was counted, and nothing of a failure."""

from pathlib import Path

import pytest
from conftest import Golden
from llvm_ir_evidence.runs import failed, record

from atunner.core.errors import UserError
from atunner.core.status import Provenance, Status
from atunner.core.task import Spent
from atunner.reports import ir_files, ir_plots, ir_tables
from atunner.reports.ir import kernel

PNG = b"\x89PNG"


def test_the_header_is_the_seed_s(golden: Golden) -> None:
    text = ir_tables.as_csv([kernel(record(), seed=3)])

    assert text.startswith("kernel,orig_cycles,opt_cycles,Δcycles(%),orig_instructions,opt_instructions,")
    assert [len(line.split(",")) for line in text.splitlines()] == [21, 21]
    assert text == golden("optimization_report.csv", text)


def test_figures_of_a_replay_are_marked() -> None:
    replayed = record().model_copy(update={"provenance": Provenance.SIMULATED})
    header, line = ir_tables.as_csv([kernel(replayed)]).splitlines()

    assert dict(zip(header.split(","), line.split(","), strict=True))["check"] == "exact (simulated)"


def test_without_counters_cells_are_not_available_and_never_zero() -> None:
    header, line = ir_tables.as_csv([kernel(record(unit="us"))]).splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))

    assert cells["orig_cycles"] == cells["Δcycles(%)"] == cells["opt_cache_misses"] == "n/a"
    assert cells["speedup"] == "3.7000"
    assert cells["orig_IR_lines"] == "25"


def test_a_winner_that_did_not_confirm_leaves_the_baseline_as_the_result() -> None:
    found = kernel(record(low=0.99))

    assert found.ratio == 1.0
    assert found.low is None
    assert found.optimised == found.original
    assert not [step for step in found.steps if step.verdict == "kept"]


def test_a_failed_candidate_has_a_verdict_and_no_figures() -> None:
    log = ir_tables.metrics([kernel(record())])
    wrong = next(line for line in log if line.verdict == "wrong")

    assert [line.verdict for line in log] == ["baseline", "verified", "wrong", "kept"]
    assert wrong.cycles is None
    assert wrong.ratio is None
    assert "expected 0x1p+0" in wrong.feedback


def test_the_portfolio_s_best_stands_beside_the_result() -> None:
    assert kernel(record()).portfolio_best == pytest.approx(1.25)


def test_tables_read_back_as_written(tmp_path: Path) -> None:
    one = kernel(record())
    ir_files.write([one], tmp_path)

    rows, metrics, opcodes = ir_files.gathered(tmp_path)

    assert rows == (ir_tables.row_of(one),)
    assert metrics == ir_tables.metrics([one])
    assert opcodes == ir_tables.opcodes([one])


def test_every_file_of_the_seed_is_written(tmp_path: Path) -> None:
    written = ir_files.write([kernel(record())], tmp_path)

    assert {path.name for path in written} == {
        "optimization_report.csv", "metrics_log.json", "ir_instr_log.json", "report_cycles.png", "report_cache.png",
        "report_ir_lines.png", "ir_instr_heatmap.png",
    }  # fmt: skip
    assert all(path.read_bytes().startswith(PNG) for path in written if path.suffix == ".png")


def test_a_suite_is_one_chart_and_one_table(tmp_path: Path) -> None:
    kernels = [kernel(record(name="gemm")), kernel(record(name="lu", low=0.98)), kernel(record(name="mvt"))]
    written = ir_files.write(kernels, tmp_path)
    table = ir_files.suite_table([ir_tables.row_of(one) for one in kernels])

    assert (tmp_path / "report_speedup.png") in written
    assert (tmp_path / "suite.md").read_text() == table
    assert "| lu | 1.00x | baseline kept |" in table
    assert f"geometric mean of 3** | **{3.7 ** (2 / 3):.2f}x" in table


def test_folders_of_a_suite_are_gathered(tmp_path: Path) -> None:
    for name in ("gemm", "lu"):
        ir_files.write([kernel(record(name=name))], tmp_path / name)

    rows, _, opcodes = ir_files.gathered(tmp_path)

    assert [row.kernel for row in rows] == ["gemm", "lu"]
    assert {line.kernel for line in opcodes} == {"gemm", "lu"}


@pytest.mark.parametrize(
    ("unit", "words"), [("cycles", "CPU cycles"), ("us", "Processor time in ms"), ("joule", "n/a: no counters")]
)
def test_the_picture_of_cycles_says_what_it_shows(unit: str, words: str) -> None:
    (axes,) = ir_plots.cycles([ir_tables.row_of(kernel(record(unit=unit)))]).axes
    said = [axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)]

    assert any(words in text for text in said)


def test_the_heatmap_shows_counts_and_their_change() -> None:
    axes, bar = ir_plots.heatmap(ir_tables.opcodes([kernel(record())])).axes
    said = {text.get_text() for text in axes.texts}

    assert {"10 → 5", "4 → 16", "0 → 8"} == said  # `store` did not change, so it is not shown
    assert "log" in bar.get_ylabel()


def test_nothing_to_draw_is_said_and_not_drawn_as_zero() -> None:
    (axes,) = ir_plots.heatmap(()).axes

    assert "n/a" in axes.texts[0].get_text()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("optimization_report.csv", "", "lacks lines"),
        ("optimization_report.csv", "a,b\n1,2\n", "lacks the column kernel"),
        ("metrics_log.json", "{", "list of objects"),
        ("metrics_log.json", '[{"kernel": "x"}]', "iteration"),
        ("ir_instr_log.json", '{"a": 1}', "not such a log"),
    ],
)
def test_damaged_tables_are_one_line_errors(tmp_path: Path, name: str, text: str, words: str) -> None:
    ir_files.write([kernel(record())], tmp_path)
    (tmp_path / name).write_text(text)

    with pytest.raises(UserError, match=words) as raised:
        ir_files.gathered(tmp_path)

    assert "\n" not in str(raised.value)


def test_a_cell_that_is_no_number_names_its_line(tmp_path: Path) -> None:
    ir_files.write([kernel(record())], tmp_path)
    path = tmp_path / ir_files.REPORT
    path.write_text(path.read_text().replace("150000000", "many"))

    with pytest.raises(UserError, match=r"line 2: .*many"):
        ir_tables.read_csv(path)


def test_evaluations_are_those_that_the_run_counted() -> None:
    """What failed is among them; a binary that was seen before is not."""
    more = record().model_copy(update={"trials": (*record().trials, failed(Status.TIMED_OUT, "pipeline"))})

    assert kernel(more.model_copy(update={"spent": Spent(trials=2)})).evals == 2
