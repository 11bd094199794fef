import csv
import io
import json
from pathlib import Path

import pytest
from reports.records import BUDGET, candidate, measured, predicted
from support import need

from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.reports import difference
from atunner.reports.compare import compare
from atunner.reports.delivered import changed
from atunner.reports.export import as_csv, read_json
from atunner.reports.write import write
from atunner.tools import nvrtc


def test_everything_is_written_and_the_record_comes_back_equal(tmp_path: Path) -> None:
    paths = write(predicted(), tmp_path / "out")

    assert [p.name for p in paths.places] == [
        "best.cu",
        "launch.json",
        "report.html",
        "run.json",
        "trials.csv",
        "plots",
    ]
    assert all(p.exists() for p in (*paths.places, *paths.plots))
    assert {p.suffix for p in paths.plots} == {".svg", ".png"}
    assert read_json(paths.run) == predicted()
    assert not list((tmp_path / "out").rglob("*.new"))


def test_a_source_that_begins_with_its_own_macros_is_not_taken_for_changed(tmp_path: Path) -> None:
    record, own = measured(), "#ifndef WORK\n#define WORK 1 // tune: 1, 2\n#endif\n\n"
    assert record.winner is not None
    name, text = difference.source(record.winner.candidate)
    files = {**record.winner.candidate.files, name: own + text}
    winner = record.winner.model_copy(update={"candidate": record.winner.candidate.model_copy(update={"files": files})})
    trials = tuple(winner if t.candidate.id == record.winner.candidate.id else t for t in record.trials)

    write(record.model_copy(update={"trials": trials, "best": winner.candidate.id}), tmp_path)

    assert own in next(tmp_path.glob("best.*")).read_text()
    assert changed(tmp_path, winner.candidate) == ()


def test_the_source_of_an_earlier_result_in_another_language_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "best.hip").write_text("old")
    (tmp_path / "best.md").write_text("the user's own")

    best = write(measured(), tmp_path).best

    assert {p.name for p in tmp_path.glob("best.*")} == {str(best and best.name), "best.md"}


@pytest.mark.parametrize("record", [measured(), predicted()], ids=["measured", "predicted"])
def test_what_is_changed_after_it_was_written_is_found(record: RunRecord, tmp_path: Path) -> None:
    paths, winner = write(record, tmp_path), record.winner
    assert winner is not None
    assert paths.best is not None
    assert paths.launch is not None
    assert changed(tmp_path, winner.candidate) == ()

    code = paths.best.read_text()
    ((name, value),) = winner.candidate.params.items()
    paths.best.write_text(code.replace(f"define {name} {value}", f"define {name} 3"))
    paths.launch.write_text(json.dumps({"candidate": winner.candidate.id, "params": {name: 3}}))
    assert changed(tmp_path, winner.candidate) == (
        f"{paths.best.name}: its {name} are not those that were judged",
        "launch.json: its candidate or parameters are not those that were judged",
    )

    paths.best.write_text(f"{code}// more")
    paths.launch.write_text("{")
    assert changed(tmp_path, winner.candidate) == (
        f"{paths.best.name}: its source is not the one that was judged",
        "launch.json: it is no JSON",
    )


def test_writing_again_leaves_no_plot_of_before(tmp_path: Path) -> None:
    write(predicted(), tmp_path)
    paths = write(predicted().model_copy(update={"screenings": (), "trials": (), "best": None}), tmp_path)

    assert {p.name for p in (tmp_path / "plots").iterdir()} == {p.name for p in paths.plots}


def test_the_winning_source_compiles_as_it_is(tmp_path: Path) -> None:
    need("NVRTC", nvrtc.available())
    best = write(predicted(), tmp_path).best
    assert best is not None

    compiled = nvrtc.compile_here(nvrtc.CompileJob(source=best.read_text(), arch="sm_80"))

    assert compiled.cubin[:4] == b"\x7fELF"


def test_the_winning_source_says_where_its_figure_comes_from(tmp_path: Path) -> None:
    best = write(predicted(), tmp_path).best
    assert best is not None
    head = best.read_text().split("*/")[0]

    assert "predicted for A100 (sm_80). Nothing was measured." in head
    assert "40 registers, 2 KiB shared, 0 B spilled, occupancy 100% by warps" in head


def test_the_launch_parameters_are_numbers(tmp_path: Path) -> None:
    launch = write(predicted(), tmp_path).launch
    assert launch is not None
    told = json.loads(launch.read_text())

    assert told["launches"] == [
        {"kernel": "matmul", "grid": [4, 6, 1], "block": [16, 16, 1], "shared_bytes": 0, "args": ["a", "b", "c"]}
    ]
    assert told["macros"] == {"DIM_M": "96", "DIM_N": "64", "DIM_K": "48", "TILE": "16"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match=r"Cannot write to .*--output"):
        write(predicted(), tmp_path / "file" / "out")


def test_only_verified_trials_have_a_rank_or_a_figure_in_the_csv() -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(predicted()))))

    assert [line["rank"] for line in lines] == ["0", "1", "2", "3", "", "", "", ""]
    for line in lines:
        verified = line["status"] == Status.OK
        assert (line["value"] != "") == verified
        assert (line["provenance"] == "predicted") == verified


def test_a_cell_is_never_a_formula() -> None:
    record = measured()
    evil = record.trials[0].model_copy(update={"feedback": "=HYPERLINK(1)"})

    assert "'=HYPERLINK(1)" in as_csv(record.model_copy(update={"trials": (evil,)}))


@pytest.mark.parametrize(
    ("content", "expected"),
    [("no json", "not a run's record"), ("[1]", "not a run's record"), ('{"schema_version": 99}', "Update ATunner")],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "run.json").write_text(content)

    with pytest.raises(UserError, match=expected):
        read_json(tmp_path / "run.json")
    with pytest.raises(UserError, match="Cannot read"):
        read_json(tmp_path / "none.json")


def test_runs_are_compared_with_every_reason_not_to() -> None:
    found = compare([predicted(), measured()])

    assert found.runs == ("matmul-a100-1", "matmul-host-1")
    assert any("Different provenance" in w for w in found.warnings)
    cells = dict(found.lines)
    assert cells["against naive"][0] == "not measured (predicted)"
    assert cells["against naive"][1].startswith("3.00x (95 % interval 2.94 to 3.06)")


def test_two_environments_are_never_compared_silently() -> None:
    here = measured()
    assert here.environment is not None
    there = here.model_copy(update={"run": "b", "environment": here.environment.model_copy(update={"driver": "6.1"})})
    same = here.model_copy(update={"run": "c", "budget": BUDGET})

    assert any("Different environments" in w for w in compare([here, there]).warnings)
    assert compare([here, same]).warnings == ()


@pytest.mark.parametrize("count", [1, 6])
def test_two_to_five_runs_can_be_compared(count: int) -> None:
    runs = [predicted().model_copy(update={"run": f"r{i}"}) for i in range(count)]

    with pytest.raises(UserError, match="takes 2 to 5 runs"):
        compare(runs)
    with pytest.raises(UserError, match="one of them twice"):
        compare([predicted(), predicted()])


def test_the_diff_gives_back_both_sources() -> None:
    before, after = difference.source(candidate(None))[1], difference.source(candidate(16))[1]
    lines = difference.lines(before, after)

    assert [x.text for x in lines if x.kind in {"same", "gone"}] == before.splitlines()
    assert [x.text for x in lines if x.kind in {"same", "new"}] == after.splitlines()
    assert difference.patch(candidate(None), candidate(16)).startswith("--- a/matmul.cu\n+++ b/matmul.cu\n@@")


def test_long_equal_stretches_are_left_out_and_counted() -> None:
    text = [f"line {i}" for i in range(40)]
    changed = [*text[:20], "new", *text[20:]]
    lines = difference.lines("\n".join(text), "\n".join(changed))

    assert [x.text for x in lines if x.kind == "skip"] == ["16 equal lines", "16 equal lines"]
    assert [(x.new, x.text) for x in lines if x.kind == "new"] == [(21, "new")]


def test_equal_sources_have_no_diff() -> None:
    assert difference.lines("a\nb", "a\nb") == ()
    assert difference.source(Candidate()) == ("", "")
