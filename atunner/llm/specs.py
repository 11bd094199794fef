"""What `--model` may say: one model, one for each role, and models to fall back on.

none | openai:NAME | ollama:NAME | URL#NAME | gguf:FILE | scripted:FILE | replay:RUN
planner=SPEC,coder=SPEC,critic=SPEC      a role without a model is played by the rules; *=SPEC is all others
SPEC+SPEC                                the second is asked when the first gives no answer
"""

from collections.abc import Sequence

from atunner.core.errors import UnknownName, UserError
from atunner.core.value import Value

KINDS = ("openai", "ollama", "gguf", "scripted", "replay")
FORMS = "none, openai:NAME, ollama:NAME, URL#NAME, gguf:FILE, scripted:FILE or replay:RUN"
EVERY = "*"
PLAYED_BY = {
    "planner": ("codegen", "performance", "fusion"),
    "coder": (),
    "critic": ("evaluation",),
    "operator": (),
    "hardware": (),
    "performance": (),
    "fusion": (),
    "codegen": (),
    "evaluation": (),
}
"""Roles that may be named, and the agents that each speaks for when these have no model of their own."""


class Spec(Value):
    """One model. kind: one of KINDS or "compatible"; name: model, file or run; url: of a compatible server."""

    kind: str
    name: str
    url: str = ""

    @property
    def text(self) -> str:
        """As it is written on the command line."""
        return f"{self.url}#{self.name}" if self.url else f"{self.kind}:{self.name}"


class Cast(Value):
    """Which models play which role, in the order asked."""

    roles: dict[str, tuple[Spec, ...]]

    def of(self, role: str) -> tuple[Spec, ...]:
        """The models of a role: its own, those of the role that speaks for it, else those of all others."""
        if role in self.roles:
            return self.roles[role]
        speaker = next((r for r, played in PLAYED_BY.items() if role in played and r in self.roles), EVERY)
        return self.roles.get(speaker, ())

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Every model, each once."""
        return tuple(dict.fromkeys(spec for specs in self.roles.values() for spec in specs))

    @property
    def text(self) -> str:
        """The canonical form, which `cast` reads back."""
        if not self.specs:
            return "none"
        parts = {role: "+".join(s.text for s in specs) for role, specs in self.roles.items()}
        return parts[EVERY] if set(parts) == {EVERY} else ",".join(f"{r}={t}" for r, t in parts.items())


def join(texts: Sequence[str]) -> str:
    """Several `--model` options as one text."""
    return ",".join(t.strip() for t in texts if t.strip())


def cast(text: str) -> Cast:
    """Read `--model`.

    Raises:
        UserError: another form, an unknown role, or a role named twice.
    """
    roles: dict[str, tuple[Spec, ...]] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        role, equals, specs = part.partition("=")
        if not equals or "://" in role or ":" in role:
            role, specs = EVERY, part
        if role != EVERY and role not in PLAYED_BY:
            raise UnknownName("role", role, PLAYED_BY)
        if role in roles:
            what = "--model was given two models for all roles" if role == EVERY else f"--model names {role} twice"
            raise UserError(f"{what}; to fall back on a second one write FIRST+SECOND.")
        roles[role] = tuple(spec(s) for s in specs.split("+") if s != "none")
    return Cast(roles={role: specs for role, specs in roles.items() if specs})


def spec(text: str) -> Spec:
    """Read one model.

    Raises:
        UserError: another form.
    """
    if text.startswith(("http://", "https://")):
        url, _, name = text.partition("#")
        if not name:
            raise UserError(f"Expected URL#NAME, got {text!r}: name the model after a '#', as in {text}#my-model.")
        return Spec(kind="compatible", name=name, url=url.rstrip("/"))
    kind, _, name = text.partition(":")
    if kind in KINDS and name:
        return Spec(kind=kind, name=name)
    raise UserError(f"Expected {FORMS} as the model, got {text!r}.")
