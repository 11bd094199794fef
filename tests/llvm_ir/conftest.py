from pathlib import Path

import pytest
from ir_programs import PRODUCT, Asked, task_of
from pydantic import JsonValue
from support import need

from atunner.core.task import Task
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.program import program_of, read_program
from atunner.domains.llvm_ir.subject import Subject
from atunner.knowledge_base.devices import named


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("gcc")
    need("clang-19")
    return tmp_path_factory.mktemp("ir-cache")


@pytest.fixture(scope="session")
def domain(cache: Path) -> LlvmIr:
    config: dict[str, JsonValue] = {"cache": str(cache), "device": named("host").model_dump(mode="json")}
    return LlvmIr(config)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """The task of tuning a source that was just written down."""

    def ask(source: str, **options: str) -> Task:
        file = tmp_path / "program.c"
        file.write_text(source, encoding="utf-8")
        return task_of(read_program(file, **options).model_copy(update={"clang": "clang-19"}))  # type: ignore[arg-type]  # level only

    return ask


@pytest.fixture(scope="session")
def product(domain: LlvmIr, tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The admitted task of the matrix product."""
    file = tmp_path_factory.mktemp("product") / "product.c"
    file.write_text(PRODUCT, encoding="utf-8")
    return domain.admit(task_of(read_program(file).model_copy(update={"clang": "clang-19"})))


@pytest.fixture(scope="session")
def subject(domain: LlvmIr, product: Task, cache: Path) -> Subject:
    return Subject(program_of(product), cache, "rlimits")
