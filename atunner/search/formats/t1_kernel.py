"""The kernel that a T1 description names: its source, arguments, launch and reference."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atunner.core.errors import UserError
from atunner.core.space import Parameter, Space
from atunner.operators.user import Answer, Argument, Tolerance, UserKernel
from atunner.search.formats import geometry, source, t1
from atunner.search.formats.lists import plain_constraint, size_of, value_list
from atunner.tools.text import text_of

TYPES = {
    **{"float": "float32", "double": "float64", "half": "float16", "bool": "bool"},
    **{f"{u}int{b}": f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64)},
}
ROLES = {"ReadOnly": "input", "WriteOnly": "output", "ReadWrite": "inout"}


def read(path: Path) -> UserKernel:
    """Read a T1 file; the kernel's file is looked for beside it.

    Raises:
        UserError: not T1, of another version, or it asks for what is not supported; says which.
    """
    described = t1.read(text_of(path))
    spec = described.KernelSpecification.model_dump()
    try:
        return _kernel(described, spec, path)
    except KeyError as error:
        raise UserError(f"{path.name} is not a complete T1 file: {error.args[0]!r} is missing.") from error
    except (TypeError, AttributeError) as error:
        raise UserError(f"{path.name} is not a T1 file: an entry has another form than expected ({error}).") from error


def _kernel(described: t1.Description, spec: Mapping[str, Any], path: Path) -> UserKernel:
    space = _space(described)
    file = path.parent / spec["KernelFile"]
    text = source.read_source(file)
    language = source.language_of(file, str(spec.get("Language", "")))
    name = source.kernel_name(text, file.name, str(spec.get("KernelName", "")))
    extents = spec.get("ProblemSize") or []
    problem = tuple(int(e) for e in (extents if isinstance(extents, list) else [extents]))
    names: dict[str, object] = {"ProblemSize": problem, **{p.name: p.values for p in space.parameters}}
    names |= {str(a["Name"]): a["FillValue"] for a in spec.get("Arguments", []) if a["MemoryType"] == "Scalar"}
    given = {p.Name: (p.model_extra or {}) for p in described.ConfigurationSpace.TuningParameters}
    default = {n: value_list(n, [extra["Default"]])[0] for n, extra in given.items() if "Default" in extra}
    arguments = tuple(_argument(a, i, names, path) for i, a in enumerate(spec.get("Arguments", [])))
    return UserKernel(
        name=name,
        language=language,
        file=file.name,
        source=text,
        arguments=arguments,
        sizes=geometry.problem_sizes(problem),
        launch=_launch(spec, name, language, space, len(problem)),
        flags=tuple(str(f) for f in spec.get("CompilerOptions", [])),
        deterministic="atomic" not in text,
        space=space,
        default=default,
        answer=_answer(spec, path),
        tolerance=_tolerance(spec),
    )


def _space(described: t1.Description) -> Space:
    """The space with truth values as 1 and 0, and conditions in Python."""
    declared = described.space
    parameters = tuple(Parameter(name=p.name, values=value_list(p.name, list(p.values))) for p in declared.parameters)
    return Space(parameters=parameters, constraints=tuple(plain_constraint(c) for c in declared.constraints))


def _argument(given: Mapping[str, Any], index: int, names: Mapping[str, object], path: Path) -> Argument:
    name = str(given.get("Name", f"argument_{index}"))
    kind, memory = str(given["Type"]), given["MemoryType"]
    plain = kind.rstrip("0123456789") if kind not in TYPES else kind
    width = int(kind[len(plain) :] or 1)
    if plain not in TYPES:
        raise UserError(f"The argument {name!r} of {path.name} has type {kind!r}. Known: {', '.join(sorted(TYPES))}.")
    if memory == "Scalar":
        return Argument(name=name, dtype=TYPES[plain], role="scalar", value=str(given["FillValue"]))
    if memory != "Vector" or given.get("MemType", "Global") not in ("Global", "Vector"):
        where = memory if memory != "Vector" else given["MemType"]
        raise UserError(
            f"The argument {name!r} of {path.name} is in {where} memory; only Vector and Scalar are passed."
        )
    role = ROLES.get(given.get("AccessType", "ReadWrite"), "inout")
    fill = _fill(given, name, path)
    size = size_of(given["Size"], f"The Size of {name!r}", names) * width
    return Argument.model_validate({"name": name, "dtype": TYPES[plain], "role": role, "shape": (str(size),), **fill})


def _fill(given: Mapping[str, Any], name: str, path: Path) -> dict[str, object]:
    kind = given.get("FillType", "Random")
    if kind == "Constant":
        return {"fill": "constant", "value": str(given.get("FillValue", 0))}
    if kind == "BinaryRaw":
        return {"fill": "file", "file": str((path.parent / given["DataSource"]).resolve())}
    if kind == "Random":
        return {"fill": "random", "high": max(1, int(given.get("FillValue", 100)))}
    raise UserError(f"The argument {name!r} of {path.name} is filled by {kind!r}. Known: Constant, Random, BinaryRaw.")


def _launch(spec: Mapping[str, Any], name: str, language: str, space: Space, axes: int) -> Any:
    local, given = spec.get("LocalSize", {}), spec.get("GlobalSize", {})
    block = tuple(str(local.get(a, "1")) for a in "XYZ") if local else ()
    parameters = [p.name for p in space.parameters]
    if axes:
        problem = tuple(geometry.problem_sizes([0] * axes))
        named = {a: spec.get(f"GridDiv{a.upper()}") for a in geometry.AXES}
        divisors = {a: [str(d) for d in found] for a, found in named.items() if found}
        made = geometry.launch(name, language, parameters, problem, divisors, block)
    else:
        made = geometry.launch(name, language, parameters, (), {}, block)
        sizes = [plain_constraint(str(given.get(a, "1"))) for a in "XYZ"]
        threads = spec.get("GlobalSizeType", "CUDA") == "OpenCL"
        grid = tuple(f"cdiv({s}, {b})" if threads else s for s, b in zip(sizes, made.block, strict=False))
        made = made.model_copy(update={"grid": grid}) if language in geometry.GPU else made
    return made.model_copy(update={"shared_bytes": str(spec.get("SharedMemory") or 0)})


def _answer(spec: Mapping[str, Any], path: Path) -> Answer:
    references = spec.get("ReferenceArguments") or []
    if not references:
        return Answer()
    for one in references:
        if one["FillType"] != "BinaryRaw":
            raise UserError(
                f"The reference {one['Name']!r} of {path.name} is {one['FillType']!r}; BinaryRaw is read here."
            )
    files = {r["TargetName"]: str((path.parent / r["DataSource"]).resolve()) for r in references}
    return Answer(kind="file", files=files)


def _tolerance(spec: Mapping[str, Any]) -> Tolerance:
    found = [r for r in spec.get("ReferenceArguments") or [] if "ValidationThreshold" in r]
    if not found:
        return Tolerance()
    threshold = float(found[0]["ValidationThreshold"])
    if found[0].get("ValidationMethod") == "SideBySideRelativeComparison":
        return Tolerance(relative=threshold)
    return Tolerance(relative=0.0, absolute=threshold)
