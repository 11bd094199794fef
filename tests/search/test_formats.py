import json

import pytest

from atunner.core.errors import UserError
from atunner.core.status import Status
from atunner.search import SearchSpace, searcher
from atunner.search.formats import kernel_tuner_cache, t1, t4

T1 = {
    "General": {"FormatVersion": 1},
    "ConfigurationSpace": {
        "TuningParameters": [
            {"Name": "block", "Type": "int", "Values": "[16 * i for i in range(1, 9) if i != 5]"},
            {"Name": "unroll", "Type": "int", "Values": "list(range(1, 4))"},
            {"Name": "layout", "Type": "string", "Values": "['row', 'column']"},
        ],
        "Conditions": [{"Expression": "block * unroll <= 128", "Parameters": ["block", "unroll"]}],
    },
    "KernelSpecification": {"KernelName": "copy", "KernelFile": "copy.cu", "ProblemSize": [1024]},
}
CACHE = {
    "device_name": "Recorder 1",
    "kernel_name": "copy",
    "tune_params_keys": ["block", "unroll"],
    "tune_params": {"block": [16, 32], "unroll": [1, 2]},
    "cache": {
        "16,1": {"block": 16, "unroll": 1, "time": 2.0, "compile_time": 100.0, "benchmark_time": 5.0},
        "32,1": {"block": 32, "unroll": 1, "time": 1.0, "compile_time": 90.0, "benchmark_time": 4.0},
        "32,2": {"block": 32, "unroll": 2, "time": "RuntimeFailedConfig", "compile_time": 80.0},
    },
}


def test_a_t1_file_is_a_space() -> None:
    described = t1.read(json.dumps(T1))

    assert described.space.parameters[0].values == (16, 32, 48, 64, 96, 112, 128)
    assert described.space.parameters[1].values == (1, 2, 3)
    assert described.KernelSpecification.KernelName == "copy"
    assert len(SearchSpace(described.space)) == 2 * (7 + 4 + 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"General": {"FormatVersion": 2}}, "format version 2; version 1 is read"),
        ({"KernelSpecification": {"KernelName": "copy"}}, "KernelSpecification.KernelFile"),
        ({"ConfigurationSpace": {"TuningParameters": []}}, "TuningParameters"),
    ],
)
def test_a_bad_t1_file_is_told_in_one_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        t1.read(json.dumps(T1 | change))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[", "3", "open('x')", "[i for i in range(9) for j in range(9)]", "[]"])
def test_a_bad_value_list_names_its_parameter(text: str) -> None:
    bad = {"TuningParameters": [{"Name": "block", "Values": text}]}

    with pytest.raises(UserError, match="'block'"):
        _ = t1.read(json.dumps(T1 | {"ConfigurationSpace": bad})).space


def test_a_cache_file_is_history() -> None:
    cache = kernel_tuner_cache.read(json.dumps(CACHE))

    assert [e.value for e in cache.entries] == [2.0, 1.0, None]
    assert cache.entries[0].cost_ms == 105.0
    search = searcher("auto", cache.space, 0, history=[cache.source])
    assert search.ask(1) == [{"block": 32, "unroll": 1}]


def test_a_cache_file_that_was_left_open_is_read() -> None:
    cut = json.dumps(CACHE)[: -len("}}")] + ","

    assert len(kernel_tuner_cache.read(cut).entries) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"cache": {"1": {"time"', "damaged cache file: line 1"),
        ("[1]", "object was expected"),
        ('{"results": [], "metadata": {}}', "A T4 results file: it has no search space"),
        ('{"ConfigurationSpace": {}, "General": {}}', "A T1 file: it describes a kernel"),
        (json.dumps(CACHE | {"cache": {}}), "without entries"),
        (json.dumps(CACHE | {"cache": {"16,1": {"block": 16}}}), "'16,1' has not all parameters"),
        (json.dumps({k: v for k, v in CACHE.items() if k != "tune_params"}), "'tune_params'"),
    ],
)
def test_a_damaged_cache_file_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        kernel_tuner_cache.read(text)

    assert "\n" not in str(caught.value)


def test_results_are_written_as_t4() -> None:
    good = t4.Result(configuration={"block": 16}, status=Status.OK, value=1.5, runtimes_ms=(1.4, 1.6))
    bad = t4.Result(configuration={"block": 32}, status=Status.NOT_BUILT)
    document = json.loads(json.dumps(t4.document([good, bad])))

    assert document["schema_version"] == "1.0.0"
    assert document["results"][0]["measurements"] == [{"name": "time", "value": 1.5, "unit": "ms"}]
    assert [r["invalidity"] for r in document["results"]] == ["correct", "compile"]
    assert document["results"][1]["measurements"] == []
