"""What a command costs before it begins: it imports its own room and not the others."""

import os
import subprocess
import sys
from typing import Any

import pytest
import typer

from atunner.cli.app import ROOMS, build
from atunner.cli.outline import SUMMARIES


def names(app: typer.Typer) -> set[str]:
    return {str(c.name) for c in app.registered_commands} | {str(g.name) for g in app.registered_groups}


def test_the_table_names_every_command() -> None:
    assert names(build()) == {name for commands in ROOMS.values() for name in commands}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_registers_what_the_table_says(room: str) -> None:
    assert names(build(ROOMS[room][0])) == set(ROOMS[room])


@pytest.mark.parametrize(
    ("argument", "heavy"), [("--version", "pydantic"), ("status", "langgraph"), ("devices", "langgraph")]
)
def test_a_light_command_imports_nothing_heavy(argument: str, heavy: str) -> None:
    code = f"import sys; from atunner.cli.app import build; build({argument!r}); print({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.stdout == "False\n", done.stderr


def test_the_outline_says_of_each_command_what_its_own_help_begins_with() -> None:
    whole: Any = typer.main.get_command(build())
    told = {name: " ".join((one.help or "").split()) for name, one in whole.commands.items()}

    assert set(SUMMARIES) == set(told)
    assert [name for name, summary in SUMMARIES.items() if not told[name].startswith(summary)] == []
    assert max(len(summary) for summary in SUMMARIES.values()) < 70


@pytest.mark.parametrize("argv", [["--help"], ["optimise"], []])
def test_help_imports_no_command(argv: list[str]) -> None:
    look = "print([room for room in ROOMS if f'atunner.cli.{room}' in sys.modules])"
    code = f"import sys; from atunner.cli.app import ROOMS, run; run({argv!r}); {look}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr


def test_a_shell_completes_the_options_of_one_command() -> None:
    typed = {"_ATUNNER_COMPLETE": "complete_bash", "COMP_WORDS": "atunner devices --js", "COMP_CWORD": "2"}
    code = "import sys; from atunner.cli.app import run; sys.exit(run([]))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, **typed}
    )

    assert done.stdout.split() == ["--json"], done.stderr
