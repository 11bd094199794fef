"""The static gate: what a kernel has no business naming, by its tokens and by what its shared object imports."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atunner.core.errors import Rejected
from atunner.core.program import PROGRAM_FILE
from atunner.core.trial import Check
from atunner.tools.elf import imported

VERSION = "1"

_HEADERS = (
    "math.h stddef.h stdint.h stdbool.h string.h float.h limits.h stdlib.h complex.h tgmath.h assert.h inttypes.h "
    "omp.h "
    "immintrin.h x86intrin.h xmmintrin.h emmintrin.h pmmintrin.h tmmintrin.h smmintrin.h nmmintrin.h arm_neon.h "
    "arm_sve.h stdalign.h cuda_fp16.h cuda_bf16.h cuda_runtime.h mma.h cooperative_groups.h cuda_pipeline.h "
    "cooperative_groups/reduce.h cooperative_groups/memcpy_async.h cuda/pipeline cuda/barrier cuda_fp8.h"
)
HEADERS = frozenset(_HEADERS.split())

HARD = {
    "system call": "syscall mmap munmap mprotect mremap fork vfork clone execve execv execl execvp system popen ptrace "
    "kill raise prctl ioctl sigaction signal setjmp longjmp sigsetjmp siglongjmp abort exit _exit _Exit "
    "quick_exit atexit on_exit sched_setaffinity process_vm_readv process_vm_writev memfd_create",
    "thread": "pthread_create thrd_create pthread_atfork pthread_attr_init pthread_cond_wait",
    "file": "fopen fdopen freopen open openat creat read write pread pwrite readv writev unlink remove rename rmdir "
    "mkdir symlink tmpfile fwrite fread fprintf printf puts putchar fputs perror dprintf stdin stdout stderr",
    "socket": "socket connect bind listen accept send sendto recv recvfrom getaddrinfo",
    "loader": "dlopen dlsym dlvsym dladdr dlinfo dl_iterate_phdr __libc_dlopen_mode _DYNAMIC _GLOBAL_OFFSET_TABLE_ "
    "__builtin_apply __builtin_return",
    "clock": "clock_gettime gettimeofday time clock clock_nanosleep nanosleep usleep sleep timespec_get __rdtsc _rdtsc "
    "__rdtscp __builtin_ia32_rdtsc __builtin_ia32_rdtscp omp_get_wtime omp_get_wtick clock64 globaltimer __nanosleep",
    "environment": "getenv secure_getenv environ __environ getpid getppid getauxval program_invocation_name",
    "frame": "__builtin_return_address __builtin_frame_address __builtin_extract_return_addr backtrace alloca_address "
    "__builtin_thread_pointer",
    "constructor": "constructor destructor init_priority ifunc __init_array_start __fini_array_start",
    "judge": "atunner_entry",
}
"""Hard rules: name of the rule and the identifiers that break it."""

ASSEMBLER = frozenset({"asm", "__asm", "__asm__"})
ADVISORY = {
    "vendor library": "cblas_sgemm cblas_dgemm sgemm_ cublasSgemm cublasGemmEx cublasLtMatmul cudnnConvolutionForward",
    "lower precision": "_Float16 __fp16 __bf16 half __half __nv_bfloat16 float16 bfloat16",
    "state kept between calls": "static __thread _Thread_local",
}

_COMMON = "read write open time clock send accept bind connect listen kill raise remove rename sleep exit signal link"
COMMON = frozenset(_COMMON.split())
"""Plain words: they count only where they are called and the same file has no function of that name."""

_RULES = {word: rule for rule, words in HARD.items() for word in words.split()}
_ADVICE = {word: rule for rule, words in ADVISORY.items() for word in words.split()}

_TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?P<directive>^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
      | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
      | (?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])*')
      | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
      | (?P<number>\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*)
      | (?P<punct>\#\#|->|[^\sA-Za-z0-9_])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_INCLUDE = re.compile(r"#\s*(?:include|include_next|import|embed)\b\s*(.*)", re.DOTALL)
_QUOTED = re.compile(r"""["<]([^">]+)[">]""")

IMPORTS = re.compile(
    r"GOMP_\w+|omp_(?!get_wti)\w+|__kmpc_\w+|_ITM_\w+|__cxa_finalize|__gmon_start__|__stack_chk_fail|mem(?:cpy|set|move|cmp)"
    r"|__(?:mem(?:cpy|set|move))_chk|malloc|calloc|realloc|free|aligned_alloc|posix_memalign|qsort|bsearch|abs|labs|div"
    r"|__assert_fail|str(?:len|cmp|ncmp|cpy)|_ZGV\w+|__(?:mul|div|add|sub)[sdtx]c3|__\w*(?:sf|df|hf|tf|xf|bf)\w*"
    r"|(?:a?(?:sin|cos|tan)h?|atan2|exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|sqrt|cbrt|hypot|erfc?|[lt]gamma|ceil|floor"
    r"|trunc|l?l?round|l?l?rint|nearbyint|fabs|fmod|remainder|f(?:ma|max|min|dim)|ldexp|frexp|modf|scalbl?n|copysign|nextafter"
    r"|ilogb|logb|nan|c?exp|cabs|carg|csqrt|clog|cpow|conj|sincos|__\w+_finite)[fl]?"
)
"""What a shared object may import: arithmetic, memory, OpenMP and the linker's own names."""


@dataclass(frozen=True)
class Token:
    """One token of C-like source. kind: comment, directive, string, char, name, number or punct."""

    kind: str
    text: str
    line: int


def tokens(source: str) -> Iterator[Token]:
    """The tokens of C, C++, CUDA or OpenCL source; line splices are joined and what is no token is skipped."""
    line, at = 1, 0
    for match in _TOKEN.finditer(source):
        line += source.count("\n", at, match.start())
        at = match.start()
        yield Token(match.lastgroup or "punct", match.group(), line)


def static(files: Mapping[str, str]) -> tuple[Check, ...]:
    """Look at every source file of a candidate.

    Raises:
        Rejected: a hard rule is broken; the message names the rule, the word and the line.
    """
    advice: list[str] = []
    for name, text in files.items():
        if name == PROGRAM_FILE:
            continue
        for rule, token, hard in findings(text):
            place = f"{name}:{token.line}: {rule} ({token.text.strip()[:40]})"
            if hard:
                raise Rejected(f"Static gate: {place} is not allowed in a kernel.")
            advice.append(place)
    detail = "; ".join(dict.fromkeys(advice)) or "nothing found"
    return (Check(name="static gate", version=VERSION, passed=True, detail=detail),)


def findings(source: str) -> Iterator[tuple[str, Token, bool]]:
    """Rules that `source` breaks: rule, token, and whether it is a hard one. Comments and strings do not count."""
    plain = source.replace("\\\r\n", "").replace("\\\n", "")
    found = [t for t in tokens(plain.replace("??=", "#").replace("%:", "#")) if t.kind != "comment"]
    own = _defined(found)
    for index, token in enumerate(found):
        if token.kind == "directive":
            yield from _directive(token)
        elif token.kind == "name":
            called = index + 1 < len(found) and found[index + 1].text == "("
            if (token.text not in COMMON or (called and token.text not in own)) and not _heads_function(found, index):
                yield from _name(token)


def _heads_function(found: list[Token], index: int) -> bool:
    """Whether this is the `static` of a function, which keeps nothing."""
    if found[index].text != "static":
        return False
    return next((t.text for t in found[index:] if t.text in "(=;[{"), "") == "("


def _defined(found: list[Token]) -> frozenset[str]:
    """Names of functions that have a body here: NAME ( ... ) {."""
    names, opened = set(), list[int]()
    for index, token in enumerate(found):
        if token.text == "(":
            opened.append(index)
        elif token.text == ")" and opened:
            start = opened.pop()
            if start and index + 1 < len(found) and found[index + 1].text == "{":
                names.add(found[start - 1].text)
    return frozenset(names)


def _name(token: Token) -> Iterator[tuple[str, Token, bool]]:
    if token.text in ASSEMBLER:
        yield "assembler", token, True
    elif token.text in _RULES:
        yield _RULES[token.text], token, True
    elif token.text in _ADVICE:
        yield _ADVICE[token.text], token, False


def _directive(token: Token) -> Iterator[tuple[str, Token, bool]]:
    included = _INCLUDE.search(token.text)
    if included:
        quoted = _QUOTED.match(included.group(1).strip())
        if quoted is None or quoted.group(1) not in HEADERS:
            yield "include of another header", token, True
        return
    body = token.text.replace("#", " ", 1)
    if "##" in body:
        yield "token pasting", token, True
    for inner in tokens(body.lstrip()):
        if inner.kind == "name":
            yield from _name(Token("name", inner.text, token.line))


def imports(path: Path) -> Check:
    """Look at what a shared object wants from others.

    Raises:
        Rejected: it imports something that arithmetic does not need.
    """
    foreign = sorted(name for name in imported(path) if not IMPORTS.fullmatch(name))
    if foreign:
        raise Rejected(f"Import gate: the built kernel calls {', '.join(foreign[:5])}, which a kernel has no use for.")
    return Check(name="import gate", version=VERSION, passed=True, detail="imports arithmetic, memory and OpenMP only")
