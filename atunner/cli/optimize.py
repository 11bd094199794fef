"""`atunner optimize`: the main job."""

import threading
from pathlib import Path

import typer

from atunner.cli.approve import ended, settled
from atunner.cli.budget import parse_budget
from atunner.cli.common import command, numbers, pairs
from atunner.cli.show import named, progress
from atunner.core.errors import UserError
from atunner.core.task import Task
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.graphs.strategies import BUILT_IN as STRATEGIES
from atunner.llm.specs import FORMS, join
from atunner.settings import Settings
from atunner.wiring import HOST, Session

HELP = """Find a faster kernel for one operator, and prove what is claimed.

Without --target-gpu this machine is the target and everything is measured. With a GPU that is not here, candidates
are compiled for it, inspected, checked for correct results on the CPU and ranked by a model; the bundle that is written
measures them there.

Example: atunner optimize --operator conv2d --input-shape 1,3,224,224 --target-gpu A100
"""

MODEL_HELP = f"{FORMS}; ROLE=SPEC for planner, coder or critic, repeatable; SPEC+SPEC falls back."


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "optimize", HELP)
    def optimize(
        operator: str = typer.Option(..., "--operator", help="What to compute; `atunner operators` lists them."),
        input_shape: str = typer.Option(
            "default", "--input-shape", help="n,c,h,w for conv2d; m,n,k for matmul; else any."
        ),
        target_gpu: str = typer.Option("", "--target-gpu", help="GPU by name; left out: this machine."),
        setting: list[str] = typer.Option([], "--set", help="name=value, e.g. out_channels=64; repeatable."),
        dtype: str = typer.Option("float32", "--dtype", help="Element type."),
        budget: str = typer.Option("128", "--budget", help="Trials, or a time such as 90s or 5m."),
        model: list[str] = typer.Option([], "--model", help=MODEL_HELP),
        max_tokens: int = typer.Option(0, "--max-tokens", min=0, help="Token budget of the model, 0 for none."),
        max_usd: float = typer.Option(0.0, "--max-usd", min=0, help="Dollar budget of the models, 0 for none."),
        prices: Path | None = typer.Option(None, "--prices", help="YAML file of model prices over ours."),
        remeasure: bool = typer.Option(False, "--remeasure", help="With replay:RUN: its answers, measured afresh."),
        strategy: str = typer.Option(
            "expert", "--strategy", help=f"{', '.join(sorted(STRATEGIES))}, or your own as module:factory."
        ),
        strategy_option: list[str] = typer.Option([], "--strategy-option", help="name=value of the strategy."),
        search: str = typer.Option("auto", "--search", help="Which searcher finds the numbers."),
        compiler: str = typer.Option("", "--compiler", help="nvrtc or nvcc for CUDA; gcc or clang for C."),
        target_ratio: float = typer.Option(0.0, "--target-ratio", min=0, help="Stop when this gain is reached."),
        approve: str = typer.Option("", "--approve", help="plan or candidate: what you are asked about first."),
        seed: int = typer.Option(0, "--seed", help="Seed of the searches."),
        output: Path = typer.Option(
            Path(), "--output", show_default=False, help="Folder for results; default atunner-runs/RUN."
        ),
        as_json: bool = typer.Option(False, "--json", help="Print the run's record as JSON."),
    ) -> int:
        """Translate the options, run, and show the record."""
        settings = Settings() if prices is None else Settings(prices=prices)
        task = Task(
            name=operator,
            spec={
                "operator": operator,
                "shape": None if input_shape == "default" else list(numbers(input_shape, "--input-shape")),
                "dtype": dtype,
                "settings": dict(pairs(setting, "--set")),
                **({"compiler": compiler} if compiler else {}),
            },
            target=target_gpu or HOST,
        )
        request = Request(
            task=task,
            budget=parse_budget(budget, max_tokens or None, max_usd or None),
            options=Options(
                search=search,
                seed=seed,
                target_ratio=target_ratio or None,
                strategy={**pairs(strategy_option, "--strategy-option")},
                approve=approve,
            ),
            model=join(model),
            strategy=strategy,
            remeasure=remeasure,
            output=named(output),
        )
        writable(output)
        with Session(settings) as session:
            with progress(as_json) as watch:
                record = session.start(request, watch, threading.Event())
            record = settled(session, record, as_json)
        return ended(record, output, as_json)


def writable(folder: Path) -> None:
    """Find out before anything is spent, and leave nothing behind.

    Raises:
        UserError: nothing can be written there.
    """
    if folder == Path():
        folder = Path("atunner-runs")
    made = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".atunner-probe"
        probe.write_text("")
        probe.unlink()
        for new in made:
            new.rmdir()
    except OSError as error:
        raise UserError(f"Cannot write to --output {folder}: {error.strerror}. Name another folder.") from error
