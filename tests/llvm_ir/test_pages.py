"""Large memory on huge pages: a file of ours is linked in, and the program prints the same."""

from pathlib import Path

import pytest
from ir_programs import Asked
from support import need

from atunner.domains.llvm_ir import pages
from atunner.domains.llvm_ir.artefacts import leave
from atunner.domains.llvm_ir.build import Compiler
from atunner.domains.llvm_ir.evidence.steps import bench, final
from atunner.domains.llvm_ir.program import program_of
from atunner.domains.llvm_ir.recipe import Recipe
from atunner.domains.llvm_ir.subject import Subject
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.tools.process import run
from atunner.tools.sandbox import strongest

MEMORY = """#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static double own[1 << 19];
static long sum(const unsigned char *p, size_t n)
{
    long all = 0;
    for (size_t i = 0; i < n; i++)
        all += p[i];
    return all;
}
int main(int argc, char **argv)
{
    volatile size_t many = (size_t)-1;
    size_t n = 3000000;
    void *p = NULL;
    unsigned char *a = malloc(n), *b = calloc(n / 8, 8), *c = aligned_alloc(4096, 4096 * 700), *d = malloc(100);
    void *volatile none = calloc(many, 16);
    int failed = posix_memalign(&p, 1 << 22, n) || posix_memalign(&p, 3, n) != 22;
    printf("%d %d %d\\n", failed, (int)((uintptr_t)p % (1 << 22)), (int)((uintptr_t)c % 4096));
    printf("%d\\n", none == NULL);
    memset(a, 1, n);
    memset(c, 2, 4096 * 700);
    memset(d, 3, 100);
    for (int i = 0; i < 1 << 19; i++)
        own[i] = i;
    a = realloc(a, 2 * n);
    printf("%ld %ld %ld %ld %a\\n", sum(a, n), sum(b, n), sum(c, 4096 * 700), sum(d, 100), own[77777]);
    free(a), free(b), free(c), free(d), free(p);
    b = calloc(n / 8, 8);
    printf("%ld\\n", sum(b, n));
    return 0;
}
"""


@pytest.mark.parametrize("kind", [pages.USUAL, pages.HUGE])
def test_a_program_has_the_same_memory_on_any_pages(kind: str, cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "memory.c"
    source.write_text(MEMORY, encoding="utf-8")
    compiler = Compiler(toolchain("clang-19"), cache, strongest(cache))
    program = compiler.binary(source, tmp_path / "memory", ("-O1",), (*pages.linked(kind, tmp_path), "-lm"))

    assert run(str(program), timeout_s=60).output == "0 0 0\n1\n3000000 0 5734400 300 0x1.2fd1p+16\n0\n"


def test_a_build_on_huge_pages_is_another_candidate_with_the_same_result(cache: Path, asked: Asked) -> None:
    need("clang-19")
    source = MEMORY.replace("return 0;", "return argc > 9 ? argv[9][0] : 0;")
    subject = Subject(program_of(asked(source)), cache, "rlimits")
    plain, large = (subject.candidate(source, Recipe(pages=kind), "flags") for kind in ("usual", "huge"))

    assert plain.id != large.id
    assert subject.built(plain).read_bytes() != subject.built(large).read_bytes()
    assert subject.agrees(subject.built(large), 0) == subject.agrees(subject.built(plain), 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("always defer [madvise] never\n", True),
        ("[always] madvise never\n", False),
        ("always madvise [never]\n", False),
    ],
)
def test_huge_pages_are_tried_where_they_are_given_to_those_who_ask(text: str, expected: bool, tmp_path: Path) -> None:
    switch = tmp_path / "enabled"
    switch.write_text(text, encoding="ascii")

    assert pages.on_request(switch) is expected
    assert not pages.on_request(tmp_path / "missing")


def test_the_files_of_a_result_build_it_again(subject: Subject, cache: Path, tmp_path: Path) -> None:
    chosen = subject.candidate(subject.program.source, Recipe(pages="huge"), "flags")
    leave(subject, chosen, tmp_path)
    done = run("sh", "repro.sh", cwd=tmp_path, timeout_s=120)
    made = final(bench("clang-19", cache), tmp_path / "product.opt.ll", tmp_path / "again")

    assert (done.code, done.output.strip()) == (0, "equal")
    for built in (tmp_path / "product.opt.final", made.files[0]):
        assert b"__wrap_malloc" in built.read_bytes() or b"own_data" in built.read_bytes()
