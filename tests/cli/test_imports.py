"""What a command costs before it begins: it imports its own room and not the others."""

import subprocess
import sys

import pytest
import typer

from atunner.cli.app import ROOMS, build


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
