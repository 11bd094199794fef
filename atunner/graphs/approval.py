"""A person between proposal and build: the graph stops at a question and goes on when the record has its answer.

The database is the truth: the question is recorded before the graph stops, and a node that runs again finds the answer
there, however often the process was killed in between.
"""

from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from atunner.agents.codegen import Draft, Proposal
from atunner.agents.evaluation import Decision as Next
from atunner.agents.evaluation import Verdict
from atunner.core.approval import MOST_COMMENT, MOST_STEPS, Approved, Decision, Question
from atunner.core.errors import UserError
from atunner.core.record import AgentNote, RunState
from atunner.graphs.deps import Deps, RunMemory
from atunner.graphs.events import Event
from atunner.graphs.state import TuningState

ASKED, ANSWERED = "asked", "answered"
PLANNERS = ("plan", "outcomes")
"""Memo entries of strategies that ask for approval of their plan themselves, before anything is written."""


def desk(run: str) -> str:
    """The stream of a run's questions and answers."""
    return f"{run}:approvals"


def answer(memory: RunMemory, run: str, question: Question) -> Decision | None:
    """What a person said to a question."""
    return answer_to(memory, run, question.id)


def answer_to(memory: RunMemory, run: str, question_id: str) -> Decision | None:
    """What a person said to the question of that id."""
    found = [Decision.model_validate(e.body) for e in memory.events(desk(run)) if e.kind == ANSWERED]
    return next((d for d in found if d.question == question_id), None)


def pending(memory: RunMemory, run: str) -> Question | None:
    """The question that a run waits at."""
    asked = [Question.model_validate(e.body) for e in memory.events(desk(run)) if e.kind == ASKED]
    return next((q for q in asked if answer(memory, run, q) is None), None)


def decide(
    memory: RunMemory,
    run: str,
    approved: bool,
    comment: str = "",
    steps: tuple[str, ...] = (),
    question_id: str | None = None,
) -> Question:
    """Record a person's answer to the question that a run waits at; the same answer twice is one.

    question_id: what the answer is to; None for whatever is asked now.

    Raises:
        UserError: it waits at none or at another one, was answered, steps are empty or were given for a candidate, or
            the comment is too long.
    """
    question = pending(memory, run)
    if question is None and memory.head(run).state is RunState.WAITING:
        raise UserError(f"Run {run} was answered; go on with: atunner resume {run}")
    if question is None:
        raise UserError(f"Run {run} waits for no approval. Look at it with: atunner show {run}")
    if question_id is not None and question_id != question.id:
        given = f"the answer is to question {question_id}" if question_id else "the answer names no question"
        raise UserError(f"Run {run} asks question {question.id}, and {given}. It asks: {question.title}")
    if steps and (question.kind is not Approved.PLAN or not approved):
        raise UserError("Steps can be given only where a plan is approved; leave --step out.")
    if not all(step.strip() for step in steps):
        raise UserError("A step needs words that say what to do; got an empty one.")
    if len(steps) > MOST_STEPS:
        raise UserError(f"A plan has at most {MOST_STEPS} steps; got {len(steps)}.")
    if len(comment) > MOST_COMMENT:
        raise UserError(f"A comment has at most {MOST_COMMENT} characters; got {len(comment)}. Say it shorter.")
    decision = Decision(question=question.id, approved=approved, comment=comment, steps=steps)
    memory.event(desk(run), ANSWERED, decision.model_dump(mode="json"), key=f"{question.id}:answer")
    if answer(memory, run, question) != decision:
        raise UserError(f"Question {question.id} of {run} was just answered otherwise; the first answer holds.")
    return question


def repeat(memory: RunMemory, source: str, run: str) -> None:
    """Give a replay the answers that a person gave then: the same question has the same id."""
    for entry in memory.events(desk(source)):
        if entry.kind == ANSWERED and isinstance(entry.body, dict):
            memory.event(desk(run), ANSWERED, entry.body, key=f"{entry.body['question']}:answer")


def wait_for(deps: Deps, question: Question) -> Decision:
    """The person's answer; where there is none yet, the question is recorded and the graph stops here."""
    found = answer(deps.memory, deps.run, question)
    if found is not None:
        return found
    deps.memory.event(desk(deps.run), ASKED, question.model_dump(mode="json"), key=question.id)
    deps.watch(
        Event(run=deps.run, kind="approval", round=question.round, stage=str(question.kind), message=question.title)
    )
    return Decision.model_validate(interrupt(question.model_dump(mode="json")))


def wanted(deps: Deps, kind: Approved) -> bool:
    """Whether this run asks a person about such things."""
    return deps.options.approve == kind


def said(deps: Deps, state: TuningState, decisions: list[Decision], what: str) -> None:
    """Note what a person decided."""
    verdicts = (f"{what} {'approved' if d.approved else 'refused'}" for d in decisions)
    words = (": ".join(filter(None, (v, d.comment))) for v, d in zip(verdicts, decisions, strict=True))
    note = AgentNote(round=state.round, agent="approval", by="person", summary="; ".join(words))
    deps.memory.note(deps.run, note)


async def approve(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Ask about each draft, or about the round's moves where the strategy has no plan of its own."""
    deps, proposal = runtime.context, state.proposal
    if proposal is None:
        return {}
    if wanted(deps, Approved.CANDIDATE) and proposal.drafts:
        return _drafts(deps, state, proposal)
    if wanted(deps, Approved.PLAN) and not any(name in state.memo for name in PLANNERS):
        return _moves(deps, state, proposal)
    return {}


def _drafts(deps: Deps, state: TuningState, proposal: Proposal) -> dict[str, Any]:
    decisions = [wait_for(deps, _about(draft, state.round)) for draft in proposal.drafts]
    said(deps, state, decisions, "candidate")
    drafts = tuple(_settled(draft, one) for draft, one in zip(proposal.drafts, decisions, strict=True))
    return {"proposal": proposal.model_copy(update={"drafts": drafts})}


def _about(draft: Draft, round_: int) -> Question:
    rewrite = draft.rewrite
    values = (f"{name} in {list(found)}" for name, found in rewrite.parameters.items())
    lines = (rewrite.summary, f"written by {draft.by}", *values)
    title = f"May the kernel {rewrite.name!r} be built and run?"
    return Question(
        kind=Approved.CANDIDATE, round=round_, title=title, lines=tuple(filter(None, lines)), source=rewrite.source
    )


def _settled(draft: Draft, decision: Decision) -> Draft:
    if decision.approved:
        return draft
    return draft.model_copy(update={"refused": f"a person refused it: {decision.comment or 'no reason given'}"})


def _moves(deps: Deps, state: TuningState, proposal: Proposal) -> dict[str, Any]:
    lines = tuple(f"{m.family}: {m.points} points, {m.reason}" for m in proposal.moves)
    drafts = tuple(f"kernel {d.rewrite.name}: {d.rewrite.summary}" for d in proposal.drafts)
    question = Question(
        kind=Approved.PLAN, round=state.round, title=f"May round {state.round} be searched so?", lines=lines + drafts
    )
    decision = wait_for(deps, question)
    said(deps, state, [decision], "plan")
    if decision.approved:
        return {}
    reason = f"a person ended the search: {decision.comment or 'no reason given'}"
    return {"verdict": Verdict(decision=Next.CONFIRM, reason=reason)}


def agreed(state: TuningState) -> Literal["admission", "confirm"]:
    """On to the build, or to the end where a person refused the round."""
    refused = state.verdict is not None and state.verdict.decision is Next.CONFIRM
    return "confirm" if refused else "admission"
