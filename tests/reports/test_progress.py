import io
import json

from rich.console import Console

from atunner.core.status import Provenance
from atunner.graphs.events import Event
from atunner.reports.progress import Lines, Progress

FIRST = Event(
    run="r",
    kind="trial",
    round=1,
    stage="evaluation",
    best=0.5,
    baseline=1.0,
    unit="score",
    provenance=Provenance.PREDICTED,
    done=8,
    budget=64,
    seconds=12.0,
    budget_s=180.0,
    eta_s=75.0,
)


def test_a_pipe_gets_plain_lines() -> None:
    stream = io.StringIO()
    with Progress.on(Console(file=stream, width=200)) as progress:
        progress(FIRST)

    assert stream.getvalue() == (
        "round 1 evaluation: best 0.5 of naive (predicted); 8 done; "
        "left 56 of 64 trials and 2 min 48 s; to go 1 min 15 s\n"
    )


def test_lines_say_only_what_is_new() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(Console(file=stream, width=200), quiet_s=5.0, clock=lambda: now[0])
    for done in range(8, 12):
        lines(FIRST.model_copy(update={"done": done}))
    lines(FIRST.model_copy(update={"done": 12, "best": 0.4}))
    now[0] = 6.0
    lines(FIRST.model_copy(update={"done": 13, "best": 0.4}))
    lines(FIRST.model_copy(update={"kind": "note", "message": "memory is the roof [see facts]"}))

    told = stream.getvalue().splitlines()
    assert len(told) == 4
    assert told[1].startswith("round 1 evaluation: best 0.4 of")
    assert told[3] == "round 1 evaluation: memory is the roof [see facts]"


def test_a_program_gets_every_event_whole() -> None:
    stream = io.StringIO()
    with Progress.json(stream) as progress:
        progress(FIRST)
        progress(FIRST)

    assert [Event.model_validate(json.loads(line)) for line in stream.getvalue().splitlines()] == [FIRST, FIRST]


def test_a_terminal_gets_a_panel_that_goes_away() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    with Progress.on(console) as progress:
        progress(FIRST)
        progress(FIRST.model_copy(update={"kind": "note", "stage": "hardware", "message": "memory is the roof"}))

    text = stream.getvalue()
    assert "best so far" in text
    assert "56 of 64 trials and 2 min 48 s" in text
    assert "memory is the roof" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")


def test_a_panel_keeps_its_figures_while_an_agent_speaks() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    note = Event(run="r", kind="note", round=1, stage="hardware", message="memory is the roof")
    with Progress.on(console) as progress:
        progress(note)
        progress(FIRST)
        progress(note)

    text = stream.getvalue()
    assert "56 of 64 trials and 2 min 48 s" in text.rpartition("memory is the roof")[2]
    assert "no bound" not in text
    assert "none yet" not in text


def test_measured_figures_are_times() -> None:
    stream = io.StringIO()
    event = FIRST.model_copy(
        update={"best": 250.0, "baseline": 1000.0, "unit": "us", "provenance": Provenance.MEASURED, "eta_s": None}
    )
    Progress.on(Console(file=stream, width=200))(event)

    assert "best 250 us (naive 1 ms)" in stream.getvalue()
    assert stream.getvalue().endswith("to go unknown\n")
