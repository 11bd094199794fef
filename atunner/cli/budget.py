"""`--budget 200`, `--budget 90s`, `--budget 5m`, `--budget 200,5m`: what a run may cost."""

from atunner.core.errors import UserError
from atunner.core.task import Budget

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_budget(text: str, tokens: int | None = None, usd: float | None = None) -> Budget:
    """Trials, a time, or both separated by a comma.

    Raises:
        UserError: another form, or a bound that is not above zero.
    """
    trials: int | None = None
    seconds: float | None = None
    for part in filter(None, (p.strip() for p in text.split(","))):
        try:
            if part[-1] in UNITS:
                seconds = float(part[:-1]) * UNITS[part[-1]]
            else:
                trials = int(part)
        except ValueError as error:
            raise UserError(f"--budget takes trials or a time, as in 200, 90s or 5m; got {text!r}.") from error
    if trials is None and seconds is None:
        raise UserError(f"--budget takes trials or a time, as in 200, 90s or 5m; got {text!r}.")
    if (trials is not None and trials < 1) or (seconds is not None and not 0 < seconds < 1e9):
        raise UserError(f"--budget must be above zero, got {text!r}: nothing could be tried.")
    return Budget(trials=trials, seconds=seconds, tokens=tokens, usd=usd)
