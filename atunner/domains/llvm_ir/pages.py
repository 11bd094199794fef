"""Large memory of a program on huge pages: what it allocates, and its own large data, one page for each 2 MiB.

The first touch of a page of 4 KiB costs up to two microseconds; a program that fills some megabytes and computes for
some milliseconds spends a good part of its time on that. The program's own text stays as it is: a file of ours is
linked in, through which its calls for memory go.
"""

from functools import lru_cache
from pathlib import Path

USUAL, HUGE = "usual", "huge"
FILE = "atunner_pages.c"
_SWITCH = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_CALLS = ("malloc", "calloc", "aligned_alloc", "posix_memalign")
WRAPPED = tuple(f"-Wl,--wrap={name}" for name in _CALLS)

SOURCE = """\
/* Puts what a program allocates in large pieces, and its own large data, on huge pages. It changes no value. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)2 << 20)
#define LARGE(size) ((size) >= PAGE / 2 && (size) <= SIZE_MAX / 2)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
extern char __bss_start[], _end[];

/* Freed as any other memory is. A short rest stays on small pages: to clear a huge one would take longer. */
static void *large(size_t alignment, size_t size)
{
    size_t whole = (size + PAGE - PAGE / 4) / PAGE * PAGE;
    void *memory = __real_aligned_alloc(alignment > PAGE ? alignment : PAGE, whole > size ? whole : size);
    if (memory)
        madvise(memory, whole, MADV_HUGEPAGE);
    return memory;
}

void *__wrap_malloc(size_t size) { return LARGE(size) ? large(1, size) : __real_malloc(size); }

void *__wrap_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || !LARGE(bytes))
        return __real_calloc(count, size);
    void *memory = large(1, bytes);
    return memory ? memset(memory, 0, bytes) : memory;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return LARGE(size) ? large(alignment, size) : __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    int sound = alignment && alignment % sizeof(void *) == 0 && (alignment & (alignment - 1)) == 0;
    void *made = LARGE(size) && sound ? large(alignment, size) : NULL;
    if (!made)
        return __real_posix_memalign(memory, alignment, size);
    *memory = made;
    return 0;
}

__attribute__((constructor)) static void own_data(void)
{
    uintptr_t first = ((uintptr_t)__bss_start + PAGE - 1) / PAGE * PAGE, last = (uintptr_t)_end;
    if (first + PAGE <= last)
        madvise((void *)first, last - first, MADV_HUGEPAGE);
}
"""


@lru_cache
def on_request(switch: Path = _SWITCH) -> bool:
    """Whether this machine gives huge pages to those who ask, and to nobody else."""
    try:
        return "[madvise]" in switch.read_text(encoding="ascii")
    except OSError:
        return False


def choices() -> tuple[str, ...]:
    """The values worth trying here."""
    return (USUAL, HUGE) if on_request() else (USUAL,)


def linked(pages: str, folder: Path) -> tuple[str, ...]:
    """What a link takes more for these pages; the file is put into `folder`."""
    if pages != HUGE:
        return ()
    (folder / FILE).write_text(SOURCE, encoding="utf-8")
    return (*WRAPPED, str(folder / FILE))
