"""A run's model calls as they were recorded: every prompt and answer."""

from collections.abc import Iterable

from atunner.core.call import ModelCall


def transcript(calls: Iterable[ModelCall]) -> str:
    """Prompts and answers in order, each with who asked, of which model, at what cost, and their hashes."""
    return "\n".join(_one(number, call) for number, call in enumerate(calls, 1)) or "No model was asked in this run.\n"


def _one(number: int, call: ModelCall) -> str:
    usd = "price unknown" if call.usd is None else f"{call.usd:.5f} USD"
    why = f" ({call.reason})" if call.reason else ""
    about = "about " if call.estimated else ""
    mode = call.mode or ("not sent" if call.outcome in ("budget", "too_long") else "no answer")
    return (
        f"=== {number}. {call.role} asks {call.model}, attempt {call.attempt}: {call.outcome}{why}\n"
        f"=== {about}{call.input_tokens} tokens in ({call.cached_tokens} cached), {call.output_tokens} out, {usd}, "
        f"{call.seconds:.2f} s, {mode}; hashes {call.prompt_hash}, {call.answer_hash or '-'}\n"
        f"--- prompt\n{call.prompt}\n--- answer\n{call.answer if call.answer is not None else '(none)'}\n"
    )
