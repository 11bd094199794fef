"""The evaluation agent: what the round was worth, and whether to go on."""

from dataclasses import replace
from enum import StrEnum

from atunner.agents.brief import AGENT_LIMIT, Brief, told
from atunner.core.consult import Spoken, Toolbox, consult, fitting
from atunner.core.ports import Model
from atunner.core.task import Budget, Spent
from atunner.core.value import Value


class Decision(StrEnum):
    """What happens next."""

    CONTINUE = "continue"
    CONFIRM = "confirm"


class Standing(Value):
    """Where the run stands after a round. best and baseline are figures in the objective's unit, None if there is none.

    ratio: how many times better best is than baseline. gain: than the best before this round (1.0: no progress).
    stale: rounds in a row without progress. headroom: best over roofline bound, None when unknown.
    exhausted: no family has an untried point left. last: this was the last round that is allowed.
    """

    round: int
    budget: Budget
    spent: Spent
    best: float | None = None
    baseline: float | None = None
    ratio: float | None = None
    gain: float = 1.0
    stale: int = 0
    headroom: float | None = None
    target_ratio: float | None = None
    at_limit: bool = False
    exhausted: bool = False
    last: bool = False
    patience: int = 2


class Verdict(Value):
    """The evaluation agent's answer."""

    decision: Decision
    reason: str


def rules(standing: Standing) -> Verdict:
    """Stop on: budget, target reached, nothing left to gain, nothing left to try, no progress within patience."""
    for reason in (_budget(standing), _target(standing), _limit(standing), _progress(standing)):
        if reason:
            return Verdict(decision=Decision.CONFIRM, reason=reason)
    return Verdict(decision=Decision.CONTINUE, reason=f"round {standing.round}: {_gain(standing)}, budget left")


def _gain(standing: Standing) -> str:
    return "no progress" if standing.gain <= 1.0 else f"best improved {standing.gain:.3g}x on the round before"


def _budget(standing: Standing) -> str:
    bound = standing.spent.over(standing.budget)
    return f"the budget of {bound} is spent" if bound else ""


def _target(standing: Standing) -> str:
    if standing.target_ratio is None or standing.ratio is None or standing.ratio < standing.target_ratio:
        return ""
    return f"the target ratio {standing.target_ratio:g} is reached"


def _limit(standing: Standing) -> str:
    if standing.at_limit:
        return "nothing is left to gain: the roofline says so"
    if standing.exhausted:
        return "nothing is left to try: every family's space is exhausted"
    return f"all {standing.round + 1} rounds are done" if standing.last else ""


def _progress(standing: Standing) -> str:
    late = standing.stale >= standing.patience
    return f"no progress in {standing.stale} rounds" if late else ""


OPENING = "You are the evaluation agent: you say whether a search goes on. Budgets are kept whatever you say."
NOW = 'Answer "continue" or "confirm" with your reason.'


def prompt(standing: Standing, verdict: Verdict, limit: int = AGENT_LIMIT) -> Brief:
    """What a model is told. Seconds differ from run to run: without them a replay asks what was asked then."""
    parts = {
        "The rules say": (verdict.model_dump_json(),),
        "Where the run stands": standing.model_dump_json(indent=1, exclude={"spent": {"seconds"}}).splitlines(),
    }
    return told("evaluation", OPENING, parts, NOW, limit)


async def decide(model: Model | None, tools: Toolbox, standing: Standing) -> Spoken[Verdict]:
    """Go on or confirm. Hard bounds (budget, nothing left to try, the last round) are never asked.

    A model cannot end a search whose last round made progress: a wrong word would cost the user what was still to gain.
    """
    verdict = rules(standing)
    if _budget(standing) or standing.exhausted or standing.last:
        return Spoken(verdict, "rules")
    limit = fitting(model, "evaluation", Verdict, AGENT_LIMIT)
    asked = prompt(standing, verdict, limit).text
    spoken = await consult(model, "evaluation", asked, Verdict, lambda: verdict, tools)
    early = verdict.decision is Decision.CONTINUE and standing.stale == 0
    if early and spoken.answer.decision is Decision.CONFIRM:
        return replace(spoken, answer=_gone_on(spoken.answer, standing))
    return spoken


def _gone_on(said: Verdict, standing: Standing) -> Verdict:
    reason = f"the search goes on, {_gain(standing)}; the model would have ended it: {said.reason}"
    return Verdict(decision=Decision.CONTINUE, reason=reason)
