"""The Model port: providers, local files, scripts and replays behind one way to ask. `specs` says what may be named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atunner.core.call import CallLog
from atunner.core.errors import UserError
from atunner.llm.chat import ChatModel, Manner
from atunner.llm.contexts import told
from atunner.llm.panel import CastModel
from atunner.llm.prices import price
from atunner.llm.providers import chat_speaker
from atunner.llm.purse import Bounds, Purse
from atunner.llm.replay import ReplaySpeaker
from atunner.llm.scripted import script
from atunner.llm.speakers import Speaker
from atunner.llm.specs import Cast, Spec, cast
from atunner.llm.tooling import TOOL

LIMIT_S = 120.0


@dataclass(frozen=True)
class Terms:
    """On what terms a run may ask models. key: of OpenAI or a compatible server. prices: the user's own file.

    diverged: told once when a replayed run asks something else than was recorded: role and number of the call.
    cast: under which name a replay answers, "" for its own. contexts: what each model holds, by its name, as a run has
    kept it; None: it is to be found out.
    """

    tokens: int | None = None
    usd: float | None = None
    key: str = ""
    prices: Path | None = None
    limit_s: float = LIMIT_S
    retry_s: float = 0.5
    diverged: Callable[[str, int], None] = lambda role, number: None
    cast: str = ""
    contexts: Mapping[str, int] | None = None


def model(text: str, run: str, log: CallLog, terms: Terms = Terms()) -> CastModel | None:
    """The models that `text` names (see `specs`), recording their calls for `run`; None for "none".

    Raises:
        UserError: the text has another form, a key or file is missing, or a dollar budget meets an unknown price.
    """
    chosen = cast("" if text == "none" else text)
    if not chosen.specs:
        return None
    source = replay_of(text)
    if source:
        return _replayed(source, run, log, terms)
    purse = Purse(run, log, Bounds(terms.tokens, terms.usd))
    made = {spec: _one(spec, run, log, purse, terms) for spec in chosen.specs}
    contexts = {m.name: m.context for m in made.values() if m.context is not None}
    return CastModel(_named(chosen), lambda role: [made[spec] for spec in chosen.of(role)], contexts)


def replay_of(text: str) -> str:
    """The run that a model text repeats, "" where it is no replay.

    Raises:
        UserError: a replay stands beside other models.
    """
    specs = cast("" if text == "none" else text).specs
    found = [s.name for s in specs if s.kind == "replay"]
    if found and len(specs) > 1:
        raise UserError("replay:RUN gives every role what it answered then; name no other model beside it.")
    return found[0] if found else ""


def _replayed(source: str, run: str, log: CallLog, terms: Terms) -> CastModel:
    """The models of a recorded run by their names and roles, free, each answering from the record."""
    calls = log.calls(source)
    if not calls:
        raise UserError(f"Run {source} has no recorded model calls to replay; `atunner list` names the runs.")
    purse = Purse(run, log, Bounds(terms.tokens))
    roles: dict[str, list[str]] = {}
    contexts = terms.contexts or {}
    for call in calls:
        if call.model.startswith(TOOL):
            continue
        names = roles.setdefault(call.role, [])
        names += [call.model] if call.model not in names else []
    made = {
        name: ChatModel(
            ReplaySpeaker([c for c in calls if c.model == name], terms.diverged),
            name,
            run,
            log,
            purse,
            price(f"replay:{source}"),
            Manner(
                context=contexts.get(name),
                retry_s=0.0,
                listed=price(name, terms.prices),
                remembered=lambda key: log.call(source, key),
            ),
        )
        for name in {name for names in roles.values() for name in names}
    }
    return CastModel(terms.cast or f"replay:{source}", lambda role: [made[n] for n in roles.get(role, [])], contexts)


def _named(chosen: Cast) -> str:
    """The one model's own name, or the whole cast."""
    return chosen.specs[0].name if len(chosen.specs) == 1 else chosen.text


def named(text: str) -> str:
    """The name under which the models of `text` answer."""
    return _named(cast("" if text == "none" else text)) if text != "none" else "none"


def _one(spec: Spec, run: str, log: CallLog, purse: Purse, terms: Terms) -> ChatModel:
    cost = price(spec.text, terms.prices)
    if terms.usd is not None and cost is None:
        raise UserError(
            f"A dollar budget needs the price of {spec.text}, which is unknown: "
            "give it in a file with --prices, or bound --max-tokens."
        )
    speaker, context = _speaker(spec, terms)
    output = 8192 if context is None else max(256, min(8192, context // 2))
    manner = Manner(output=output, context=context, secrets=(terms.key,), retry_s=terms.retry_s)
    return ChatModel(speaker, spec.text, run, log, purse, cost, manner)


def _speaker(spec: Spec, terms: Terms) -> tuple[Speaker, int | None]:
    """Who speaks, and how many tokens it can hold, where that is known."""
    known = None if terms.contexts is None else terms.contexts.get(spec.text)
    if spec.kind == "scripted":
        return script(Path(spec.name)), known
    if spec.kind == "gguf":
        from atunner.llm.embedded import serve

        served = serve(Path(spec.name))
        inner = Spec(kind="compatible", name=served.name, url=served.url)
        return chat_speaker(inner, "", terms.limit_s), known or told(inner) or served.context
    context = told(spec, terms.key) if terms.contexts is None else known
    return chat_speaker(spec, terms.key, terms.limit_s), context
