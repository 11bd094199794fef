import sys
import time

import pytest

from atunner.tools.process import MAX_OUTPUT, ProgramMissing, ProgramTimedOut, run, running


def test_endless_output_costs_no_memory_and_ends_in_time() -> None:
    with pytest.raises(ProgramTimedOut, match="did not end within"):
        run(sys.executable, "-c", "while True: print('x' * 100000)", timeout_s=0.5)


def test_output_is_cut_and_the_exit_code_kept() -> None:
    done = run(sys.executable, "-c", "print('x' * 3_000_000); raise SystemExit(7)", timeout_s=120)

    assert done.code == 7
    assert len(done.output) == MAX_OUTPUT


def test_what_a_program_leaves_running_ends_with_it() -> None:
    mark = "left-behind-by-a-test"
    code = f"import os; os.fork() or os.execvp('sleep', ['{mark}', '600'])"
    run(sys.executable, "-c", code, timeout_s=120)

    deadline = time.monotonic() + 60
    while running(mark) and time.monotonic() < deadline:
        pass
    assert running(mark) == ()


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ProgramMissing, match="no-such-program"):
        run("no-such-program", timeout_s=60)


def test_standard_input_is_given_and_the_environment_is_what_was_asked() -> None:
    done = run("/usr/bin/env", timeout_s=60, env={"A": "1"})

    assert done.output == "A=1\n"
    assert run("/bin/cat", timeout_s=60, stdin="hello").output == "hello"
