"""The list of commands that `atunner --help` prints, without importing any of them."""

import typer

SUMMARIES = {
    "optimize": "Find a faster kernel for one operator, and prove what is claimed",
    "tune": "Tune the parameters of your own code",
    "list": "List runs, newest first",
    "show": "Show one run: facts, agents, leaderboard, result",
    "resume": "Go on with a run; no recorded trial is judged again",
    "export": "Write a run's files again, its bundle, or its record",
    "import": "Take back what a bundle measured",
    "compare": "Show runs side by side",
    "replay": "Run again what was recorded",
    "approve": "Answer what a run waits for",
    "cost": "Show what a run's model calls cost",
    "brief": "Print what a model would be told",
    "inspect": "Read a kernel's machine code for one or more GPUs",
    "judge": "The judge itself",
    "verify": "Check an evidence bundle again, from scratch",
    "ir": "Single steps on C programs and their LLVM IR",
    "operators": "List the operators",
    "devices": "List the devices of the knowledge base and this machine's processor",
    "doctor": "Say what is on this machine",
    "serve": "Serve the REST API and the dashboard",
    "worker": "Work on the jobs of the database until SIGTERM",
    "submit": "Hand a job to a server: an operator, a kernel or a C program",
    "status": "Say where a job stands, or list jobs",
    "logs": "Print what happened in a job",
    "cancel": "End a job; what it found is kept",
    "job": "Jobs of a server: change them, see what they found",
}
"""Each command and how its own help begins."""


def completed() -> str:
    """The command whose options a shell completes, "" where none does: its script sets the words typed so far."""
    from atunner.settings import environment

    told = environment()
    words = (told.get("COMP_WORDS") or told.get("_TYPER_COMPLETE_ARGS") or "").split()
    return words[1] if len(words) > 1 and "_ATUNNER_COMPLETE" in told else ""


def outline(app: typer.Typer) -> None:
    """Add every command by name and summary alone; calling one does nothing."""
    for name, summary in SUMMARIES.items():
        app.command(name, short_help=f"{summary}.")(_nothing)


def _nothing() -> None:
    return
