"""The commands that talk to a server: what they hand in is what was asked for, and what is wrong is one line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Command, Said
from in_thread import listening

from atunner.jobs.programs import PATIENCE, ROUNDS
from atunner.settings import Settings

PROGRAM = '#include <stdio.h>\n#include "sizes.h"\nint main(void) { printf("%d\\n", N); }\n'
Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def there(atunner: Command, home: Path) -> Iterator[Command]:
    """The commands, talking to a server of their own."""
    with listening(Settings()) as port:

        def call(*argv: str) -> Said:
            return atunner(*argv, "--server", f"http://127.0.0.1:{port}")

        yield call


@pytest.fixture
def handed(there: Command) -> Asked:
    """What the server keeps of a job that `atunner submit` handed in."""

    def submit(*argv: str) -> dict[str, Any]:
        said = there("submit", *argv, "--json")
        assert said.code == 0, said.err
        request: dict[str, Any] = json.loads(said.out)["request"]
        return request

    return submit


def test_everything_that_a_run_can_be_told_arrives(handed: Asked) -> None:
    bounds = ("--budget", "9,5m", "--max-tokens", "700", "--max-usd", "1.5")
    how = ("--strategy", "autonomous", "--strategy-option", "retries=2", "--search", "random", "--seed", "7")
    person = ("--approve", "plan", "--hold", "--priority", "3", "--label", "team=a", "--target-ratio", "1.5")
    what = ("--operator", "matmul", "--input-shape", "8,16,4", "--compiler", "gcc")
    request = handed(*what, *bounds, *how, *person, "--model", "none")

    assert request["budget"] == {"trials": 9, "seconds": 300.0, "tokens": 700, "usd": 1.5}
    assert (request["options"]["strategy"], request["options"]["model"]) == ("autonomous", "none")
    told = request["options"]["options"]
    assert (told["strategy"], told["search"], told["seed"]) == ({"retries": "2"}, "random", 7)
    assert (told["approve"], told["target_ratio"], request["approval"]) == ("plan", 1.5, True)
    assert (request["task"]["spec"]["shape"], request["task"]["spec"]["compiler"]) == ([8, 16, 4], "gcc")
    assert (request["priority"], request["labels"]) == (3, {"team": "a"})


def test_a_c_program_goes_with_the_headers_that_it_includes(handed: Asked, home: Path) -> None:
    (home / "sizes.h").write_text('#include "more.h"\n#define N M\n')
    (home / "more.h").write_text("#define M 4\n")
    (home / "count.c").write_text(PROGRAM)
    how = ("--level", "tolerance", "--args", "1 'a b'", "--inputs", "2", "--inputs", "3 4", "--cflags", "-DK=2")
    request = handed("--ir", "count.c", *how, "--function", "main", "--budget", "20")
    task, driven = request["task"], request["options"]["options"]

    assert (driven["rounds"], driven["slice"], driven["patience"]) == (ROUNDS, 4, PATIENCE)
    assert (task["domain"], task["name"]) == ("llvm_ir", "count")
    assert set(task["spec"]["files"]) == {"count.c", "sizes.h", "more.h"}
    assert task["spec"]["input"]["args"] == ["1", "a b"]
    assert [one["args"] for one in task["spec"]["inputs"]] == [["2"], ["3", "4"]]
    assert (task["spec"]["cflags"], task["spec"]["kernel"], task["spec"]["level"]) == (["-DK=2"], "main", "tolerance")


def test_a_kernel_goes_with_the_files_that_it_names_and_is_searched_as_a_whole(handed: Asked, home: Path) -> None:
    (home / "b.c").write_text("void f(float *x) { x[0] = P; }")
    (home / "other.c").write_text("")
    (home / "b.yaml").write_text(
        "kernel: b.c\nparameters: {P: [1, 2]}\nsizes: {n: 9}\narguments: {x: 'float32[n] inout'}\n"
    )
    request = handed("--kernel", "b.yaml", "--budget", "40")

    assert (request["task"]["domain"], request["options"]["executor"]) == ("user_kernels", "threads")
    assert request["options"]["options"]["slice"] == 40


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "Submit one thing"),
        (("--toy", "--operator", "matmul"), "one of them only"),
        (("--ir", "none.c"), "Cannot read --ir none.c: No such file"),
        (("--kernel", "none.yaml"), "Cannot read --kernel none.yaml: No such file"),
        (("--toy", "--model", "openai:gpt-4o"), "openai:gpt-4o needs a key and this server has none"),
        (("--toy", "--model", "http://inside#m"), "expected none, openai:NAME or ollama:NAME"),
        (("--toy", "--strategy", "exprt"), "No strategy named 'exprt'. Did you mean expert"),
        (("--toy", "--strategy", "os:system"), "expected a name of at most 80 letters"),
        (("--toy", "--strategy", "autonomous", "--strategy-option", "tries=2"), "No strategy setting 'tries'"),
        (("--toy", "--strategy", "autonomous", "--strategy-option", "retries=-1"), "setting retries is wrong"),
        (("--toy", "--strategy-option", "x"), "--strategy-option takes name=value"),
        (("--toy", "--approve", "all"), "approve"),
        (("--toy", "--max-usd", "-1"), "--max-usd"),
        (("--toy", "--seed", "x"), "--seed"),
        (("--toy", "--label", "a=\x01"), "expected at most 64 letters"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_handed_in_is_one_line(there: Command, argv: tuple[str, ...], words: str) -> None:
    said = there("submit", *argv)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert words in said.err


def test_dollars_need_a_price(there: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    priced = there("submit", "--toy", "--model", "openai:gpt-4.1", "--max-usd", "1")
    said = there("submit", "--toy", "--model", "openai:nobody-knows", "--max-usd", "1")

    assert priced.code == 0, priced.err
    assert (said.code, "needs the price of openai:nobody-knows" in said.err) == (2, True)


@pytest.mark.parametrize("server", ["localhost:8765", "", "ftp://x", "http://", "http://[::1", "http://x:99999", "//x"])
@pytest.mark.parametrize("argv", [("status",), ("submit", "--toy"), ("job", "history")])
def test_an_address_that_is_none_is_a_wrong_request(atunner: Command, argv: tuple[str, ...], server: str) -> None:
    said = atunner(*argv, "--server", server)

    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "expected one as http://127.0.0.1:8765" in said.err


def test_a_server_that_is_not_there_is_the_worlds_fault(atunner: Command) -> None:
    said = atunner("status", "--server", "http://127.0.0.1:1")

    assert (said.code, said.err.count("\n")) == (3, 1)


def test_a_job_that_has_ended_is_not_cancelled(there: Command, home: Path) -> None:
    from atunner.knowledge_base.jobs import JobStore

    job = json.loads(there("submit", "--toy", "--json").out)["id"]
    queue = JobStore(Settings().database_url)
    lease = queue.claim("test")
    assert lease is not None
    queue.complete(lease)
    queue.close()
    late = there("cancel", job)
    other = json.loads(there("submit", "--toy", "--json").out)["id"]

    assert (late.code, late.out) == (2, "")
    assert late.err == f"error: Job {job} had ended before: it is done, and stays so. Nothing was cancelled.\n"
    assert there("cancel", other).out == f"{other} is cancelled\n"


def test_lists_in_a_pipe_are_a_whole_line_for_each_row(
    there: Command, atunner: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    ids = [json.loads(there("submit", "--toy", "--json").out)["id"] for _ in range(2)]
    lines = there("status").out.splitlines()

    assert lines[0].split() == ["job", "state", "what", "target", "progress", "reason"]
    assert sorted(line.split()[:4] for line in lines[1:]) == sorted([one, "queued", "toy", "host"] for one in ids)
    assert atunner("list").out == "No runs yet. Start with: atunner optimize --operator matmul\n"


@pytest.mark.parametrize("argv", [(), ("--operator", "matmul", "--run", "r")])
def test_a_brief_is_of_one_task(atunner: Command, argv: tuple[str, ...]) -> None:
    said = atunner("brief", *argv)

    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "give --operator NAME, or --run RUN" in said.err
