import pytest
from hypothesis import given
from hypothesis import strategies as st

from atunner.core.errors import NotBuilt, Rejected
from atunner.domains.kernels.gate import static, tokens
from atunner.tools.compilers import allowed

KERNEL = "void k(float *y) { y[0] = 1; }\n"


@pytest.mark.parametrize(
    "source",
    [
        'static const char *s = "system(rm)"; // fork\n',
        "/* asm #include <unistd.h> */\n",
        "static void write(float *y) { y[0] = 1; } void m(float *y) { write(y); }\n",
        "void m(float *y) { float time = y[0], clock = 2; y[0] = time * clock; }\n",
        "#include <math.h>\n#include <immintrin.h>\n#pragma GCC optimize(3)\n",
    ],
)
def test_what_only_looks_bad_passes(source: str) -> None:
    assert static({"k.c": source + KERNEL})[0].passed


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("int fo\\\nrk(void); void m() { fork(); }", "system call"),
        ("#include <unistd.h>\n", "include"),
        ("  #  include <sys/socket.h>\n", "include"),
        ("void m() { write(1, 0, 0); }", "file"),
        ("#define X __asm__\n", "assembler"),
        ("#define P(a) a##k\n", "token pasting"),
        ("long t = __rdtsc();", "clock"),
    ],
)
def test_what_is_bad_is_named_with_its_line(source: str, rule: str) -> None:
    with pytest.raises(Rejected, match=rule):
        static({"k.c": KERNEL + source})


@given(st.text(alphabet="ab/*\"'\\\n #<>=+", max_size=60))
def test_any_text_has_tokens_in_order(text: str) -> None:
    lines = [t.line for t in tokens(text)]

    assert lines == sorted(lines)


@pytest.mark.parametrize("flag", ["-O3", "-march=native", "-funroll-loops", "-ffast-math", "-mprefer-vector-width=512"])
def test_flags_for_code_generation_are_taken(flag: str) -> None:
    assert allowed([flag]) == (flag,)


@pytest.mark.parametrize(
    "flag",
    ["-o/tmp/x", "-fplugin=x.so", "@args", "-include", "-Wl,-rpath,x", "-fprofile-use=a", "-DX=1", "-I/", "-B/x"],
)
def test_flags_that_reach_further_are_refused(flag: str) -> None:
    with pytest.raises(NotBuilt, match="not allowed"):
        allowed([flag])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("static inline float twice(float x) { return 2 * x; }", "nothing found"),
        ("static const float scaled(float x);", "nothing found"),
        ("static int calls;", "k.c:1: state kept between calls (static)"),
        ("static float table[] = {1.0f};", "k.c:1: state kept between calls (static)"),
        ("void m(void) { static int n = f(3); }", "k.c:1: state kept between calls (static)"),
    ],
)
def test_what_keeps_state_is_noted_and_functions_are_not(source: str, said: str) -> None:
    assert static({"k.c": source})[0].detail == said
