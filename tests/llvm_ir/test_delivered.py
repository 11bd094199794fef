"""The files beside the evidence of a C program: whether what a user takes away is what was judged."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from atunner.core.judge import judge
from atunner.core.task import Task
from atunner.domains.kernels.evidence import FILE
from atunner.domains.llvm_ir import flags
from atunner.domains.llvm_ir.artefacts import leave
from atunner.domains.llvm_ir.bundle import ProgramBundle, of_program
from atunner.domains.llvm_ir.delivered import changed
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.recipe import Recipe
from atunner.domains.llvm_ir.subject import Subject


@pytest.fixture(scope="module")
def left(
    domain: LlvmIr, product: Task, subject: Subject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ProgramBundle]:
    """The folder of a result whose source was changed, and its evidence."""
    place = tmp_path_factory.mktemp("left") / "there"
    source = subject.program.source.replace("sum += a[i][k] * b[k][j];", "sum = sum + a[i][k] * b[k][j];")
    assert source != subject.program.source
    chosen = subject.candidate(
        source, Recipe(flags=("-O3", "-march=native", "-ffp-contract=off"), pages="huge"), flags.FAMILY
    )
    bundle = ProgramBundle.model_validate(domain.evidence(product, judge(domain, product, chosen), None, chosen))
    leave(subject, chosen, place)
    (place / FILE).write_text(bundle.model_dump_json(), encoding="utf-8")
    return place, bundle


def test_files_as_they_were_left_are_those_that_were_judged_also_elsewhere(
    left: tuple[Path, ProgramBundle], domain: LlvmIr, subject: Subject, tmp_path: Path
) -> None:
    moved = copytree(left[0], tmp_path / "moved")
    (tmp_path / "bare").mkdir()

    assert of_program((moved / FILE).read_text(encoding="utf-8")) == left[1]
    for folder in (left[0], moved, tmp_path / "bare"):
        assert changed(folder, left[1], domain, subject) == ()


def appended(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def edited(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("fadd", "fsub"), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("best_product.c", appended, "it is not what was judged"),
        ("product.build.json", appended, "it is not what was judged"),
        ("product.opt.ll", edited, "building what was judged gives another"),
        ("product.opt.final", appended, "building what was judged gives another"),
    ],
)
def test_a_file_that_was_changed_is_named(
    file: str,
    change: Callable[[Path], None],
    says: str,
    left: tuple[Path, ProgramBundle],
    domain: LlvmIr,
    subject: Subject,
    tmp_path: Path,
) -> None:
    place = copytree(left[0], tmp_path / "changed")
    change(place / file)

    assert changed(place, left[1], domain, subject) == (f"{file}: {says}",)
