"""The short YAML description of a kernel to tune."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from atunner.core.errors import UnknownName, UserError
from atunner.core.program import Launch
from atunner.core.space import Parameter, Space
from atunner.operators.user import Answer, Argument, Tolerance, UserKernel
from atunner.search.formats import geometry, source
from atunner.search.formats.agreement import agreeing
from atunner.search.formats.lists import only_when, plain_constraint, spread, value_list
from atunner.tools.text import text_of

KEYS = (
    *("kernel", "name", "language", "sizes", "problem_size", "check", "parameters", "constraints", "arguments"),
    *("grid", "grid_divisors", "block", "shared_bytes", "flags", "deterministic", "reference", "tolerance"),
    *("flops", "bytes"),
)
PARAMETER = frozenset({"values", "from", "to", "step", "times", "default", "when"})
_TENSOR = re.compile(
    r"(?P<dtype>\w+)\s*\[(?P<shape>.*)\]\s*(?P<role>input|output|inout)?\s*"
    r"(?:=\s*(?P<value>\S+)|from\s+(?P<file>\S.*)|in\s+(?P<low>-?\d+)\.\.(?P<high>-?\d+))?"
)
_SCALAR = re.compile(r"(?P<dtype>\w+)\s*=\s*(?P<value>.+)")


def read(path: Path) -> UserKernel:
    """Read a YAML file; files that it names lie beside it.

    Raises:
        UserError: not such a file; says which key and what is expected.
    """
    content = _content(path)
    for key in content:
        if key not in KEYS:
            raise UserError(f"{path.name}: {UnknownName('key', key, KEYS)}")
    if "kernel" not in content:
        raise UserError(f"{path.name} does not name its source; write kernel: FILE.")
    return described(content, path.parent / str(content["kernel"]), path)


def described(content: Mapping[str, Any], file: Path, path: Path) -> UserKernel:
    """The kernel in `file` with what `content` says of it; `path` is where that was read."""
    text = source.read_source(file)
    name = source.kernel_name(text, file.name, str(content.get("name", "")))
    language = source.language_of(file, str(content.get("language", "")))
    sizes = _sizes(content, path)
    found = source.tunables(text)
    space, default = _space(content, found, path)
    try:
        return UserKernel(
            name=name,
            language=language,
            file=file.name,
            source=text,
            arguments=_arguments(content, text, name, sizes, path),
            sizes=sizes,
            check=_checked(content, sizes, path),
            launch=_launch(content, name, language, space, path),
            flags=tuple(str(f) for f in content.get("flags", ())),
            deterministic=bool(content.get("deterministic", "atomic" not in text)),
            space=space,
            default={**found.defaults, **default},
            answer=_answer(content, path),
            tolerance=_tolerance(content, path),
            flops=str(content.get("flops", "")),
            bytes=str(content.get("bytes", "")),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise UserError(f"{path.name}: {where}: {first['msg']}.") from error


def _content(path: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(text_of(path))
    except YAMLError as error:
        raise UserError(f"{path.name} is not YAML: {' '.join(str(error).split())[:160]}.") from error
    if not isinstance(content, Mapping):
        raise UserError(f"{path.name} must hold 'key: value' lines. Known keys: {', '.join(KEYS)}.")
    return {str(k): v for k, v in content.items()}


def _mapping(content: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    found = content.get(key) or {}
    if not isinstance(found, Mapping):
        raise UserError(f"{path.name}: {key} must hold 'name: value' lines, got {type(found).__name__}.")
    return {str(k): v for k, v in found.items()}


def _checked(content: Mapping[str, Any], sizes: Mapping[str, int], path: Path) -> dict[str, int]:
    """The smaller sizes to check at; each has a size of the problem to stand for."""
    found = _whole(_mapping(content, "check", path), "size to check", path)
    other = [name for name in found if name not in sizes]
    if other:
        raise UserError(f"{path.name}: check: {UnknownName('size', other[0], list(sizes))}")
    return found


def _sizes(content: Mapping[str, Any], path: Path) -> dict[str, int]:
    extents = content.get("problem_size", [])
    sizes: dict[str, Any] = dict(geometry.problem_sizes(extents if isinstance(extents, list) else [extents]))
    return _whole(sizes | _mapping(content, "sizes", path), "size", path)


def _whole(sizes: Mapping[str, Any], kind: str, path: Path) -> dict[str, int]:
    """The numbers by name. Raises UserError: one is not whole, or not above 0."""
    for name, value in sizes.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UserError(f"{path.name}: the {kind} {name} must be a whole number above 0, got {value!r}.")
    return dict(sizes)


def _space(content: Mapping[str, Any], found: source.Tunables, path: Path) -> tuple[Space, dict[str, Any]]:
    given = _mapping(content, "parameters", path)
    default: dict[str, Any] = {}
    declared = [p for p in found.parameters if p.name in found.defaults or not given]
    values = {p.name: p.values for p in declared}
    for name, said in given.items():
        if isinstance(said, Mapping):
            if unknown := {str(k) for k in said} - PARAMETER:
                known = ", ".join(sorted(PARAMETER))
                raise UserError(f"{path.name}: the parameter {name} takes {known}; got {min(unknown)!r}.")
            values[name] = value_list(name, said["values"]) if "values" in said else spread(name, said)
            default |= {name: said["default"]} if "default" in said else {}
        else:
            values[name] = value_list(name, said)
    conditional = tuple(
        only_when(name, str(said["when"]), default.get(name, values[name][0]))
        for name, said in given.items()
        if isinstance(said, Mapping) and "when" in said
    )
    for name, chosen in default.items():
        if chosen not in values[name]:
            raise UserError(f"{path.name}: the default {chosen!r} of {name} is not among {list(values[name])[:8]}.")
    told = content.get("constraints") or []
    constraints = (
        *found.constraints,
        *conditional,
        *(plain_constraint(str(c)) for c in (told if isinstance(told, list) else [told])),
    )
    parameters = tuple(Parameter(name=n, values=v) for n, v in values.items())
    return Space(parameters=parameters, constraints=constraints), default


def _arguments(
    content: Mapping[str, Any], text: str, name: str, sizes: Mapping[str, int], path: Path
) -> tuple[Argument, ...]:
    declared = source.functions(text).get(name, ())
    given = _mapping(content, "arguments", path)
    if not given:
        return tuple(_guessed(d, sizes, path) for d in declared)
    for d in declared:
        if d.name not in given and d.name:
            raise UserError(f"{path.name}: the kernel takes {d.name!r}, which is not among the arguments.")
    names = [d.name for d in declared]
    other = [n for n in given if n not in names] if names and all(names) else []
    if other:
        raise UserError(f"{path.name}: the kernel does not take {other[0]!r}; it takes {', '.join(names)}.")
    order = names if set(names) == set(given) else list(given)
    constants = {d.name: d.constant for d in declared}
    made = [_argument(n, str(given[n]), constants.get(n, False), path) for n in order]
    return agreeing(made, declared, path.name)


def _argument(name: str, text: str, constant: bool, path: Path) -> Argument:
    scalar, tensor = _SCALAR.fullmatch(text.strip()), _TENSOR.fullmatch(text.strip())
    if tensor:
        role = tensor["role"] or ("input" if constant else "inout")
        made: dict[str, object] = {"name": name, "dtype": tensor["dtype"], "role": role}
        made["shape"] = tuple(e.strip() for e in tensor["shape"].split(",") if e.strip())
        if tensor["file"]:
            made |= {"fill": "file", "file": str((path.parent / tensor["file"].strip()).resolve())}
        elif tensor["value"]:
            made |= {"fill": "constant", "value": tensor["value"]}
        elif tensor["low"]:
            if int(tensor["low"]) > int(tensor["high"]):
                raise UserError(
                    f"{path.name}: the argument {name} is {text!r}; in LOW..HIGH the lower end comes first."
                )
            made |= {"low": int(tensor["low"]), "high": int(tensor["high"])}
        return Argument.model_validate(made)
    if scalar:
        return Argument(name=name, dtype=scalar["dtype"], role="scalar", value=scalar["value"].strip())
    raise UserError(
        f"{path.name}: the argument {name} is {text!r}; write float32[n, m] input, output or inout, optionally "
        "followed by = NUMBER, from FILE or in LOW..HIGH; or int32 = EXPRESSION for a scalar."
    )


def _guessed(declared: source.Declared, sizes: Mapping[str, int], path: Path) -> Argument:
    """An argument by its declaration alone: tensors have one element for each point of the problem."""
    if not declared.dtype:
        raise UserError(f"{path.name}: the type of the argument {declared.name!r} is not known; describe it in YAML.")
    if not sizes:
        raise UserError(f"{path.name}: how large is the problem? Give --problem-size, or describe it in YAML.")
    if declared.pointer:
        role = "input" if declared.constant else "inout"
        shape = (" * ".join(sizes),)
        return Argument.model_validate({"name": declared.name, "dtype": declared.dtype, "role": role, "shape": shape})
    if declared.name in sizes:
        return Argument(name=declared.name, dtype=declared.dtype, role="scalar", value=declared.name)
    if declared.dtype.startswith(("int", "uint")) and len(sizes) == 1:
        return Argument(name=declared.name, dtype=declared.dtype, role="scalar", value=next(iter(sizes)))
    raise UserError(f"{path.name}: the scalar {declared.name!r} needs a value; describe the arguments in YAML.")


def _launch(content: Mapping[str, Any], name: str, language: str, space: Space, path: Path) -> Launch:
    for key in ("grid", "block", "grid_divisors", "shared_bytes"):
        if content.get(key) and language not in geometry.GPU:
            raise UserError(f"{path.name}: {key} is for kernels of GPUs, and {name} is {language}; leave it out.")
    parameters = [p.name for p in space.parameters]
    extents = content.get("problem_size", [])
    problem = tuple(geometry.problem_sizes(extents if isinstance(extents, list) else [extents]))
    divisors = {a: [str(d) for d in _list(ds)] for a, ds in _mapping(content, "grid_divisors", path).items()}
    block = tuple(str(b) for b in _list(content.get("block", [])))
    made = geometry.launch(name, language, parameters, problem, divisors, block)
    grid = tuple(str(g) for g in _list(content.get("grid", [])))
    if language in geometry.GPU and not grid and not problem:
        raise UserError(f"{path.name}: how many blocks are started? Give problem_size or grid.")
    update = {"shared_bytes": str(content.get("shared_bytes", 0)), **({"grid": grid} if grid else {})}
    return made.model_copy(update=update)


def _tolerance(content: Mapping[str, Any], path: Path) -> Tolerance:
    given = _mapping(content, "tolerance", path)
    for name in given:
        if name not in Tolerance.model_fields:
            raise UserError(f"{path.name}: {UnknownName('tolerance', name, Tolerance.model_fields)}")
    return Tolerance.model_validate(given)


def _list(given: object) -> list[object]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _answer(content: Mapping[str, Any], path: Path) -> Answer:
    told = content.get("reference")
    if told is None:
        return Answer()
    said = {"python": told} if isinstance(told, str) else told
    if not isinstance(said, Mapping) or not {"python", "file"} & said.keys():
        raise UserError(f"{path.name}: reference takes python: FILE (and function: NAME), or file: {{argument: FILE}}.")
    if "python" in said:
        text = source.read_source(path.parent / str(said["python"]), "reference")
        return Answer(kind="python", text=text, function=str(said.get("function", "reference")))
    if not isinstance(said["file"], Mapping):
        raise UserError(f"{path.name}: reference file takes one FILE for each output, as in file: {{y: y.npy}}.")
    return Answer(kind="file", files={str(n): str((path.parent / str(f)).resolve()) for n, f in said["file"].items()})
