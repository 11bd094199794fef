/* Copies and fills that go round the caches. Memory that a worker on another core has just used belongs to that core's
 * cache; an ordinary store must first fetch each line from there, which takes some seven times as long. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#define LINE 64u

static size_t before_line(const void *at, size_t bytes)
{
    size_t head = (LINE - (uintptr_t)at % LINE) % LINE;
    return head < bytes ? head : bytes;
}

void bulk_copy(void *into, const void *from, size_t bytes)
{
    unsigned char *to = into;
    const unsigned char *at = from;
    size_t head = before_line(to, bytes), lines;
    memcpy(to, at, head);
    to += head, at += head, bytes -= head;
    lines = bytes / LINE;
#if defined(__x86_64__)
    for (size_t i = 0; i < lines; i++, to += LINE, at += LINE)
        for (size_t j = 0; j < LINE; j += 16)
            _mm_stream_si128((__m128i *)(to + j), _mm_loadu_si128((const __m128i *)(at + j)));
    _mm_sfence();
#else
    memcpy(to, at, lines * LINE);
    to += lines * LINE, at += lines * LINE;
#endif
    memcpy(to, at, bytes - lines * LINE);
}

void bulk_fill(void *into, int byte, size_t bytes)
{
    unsigned char *to = into;
    size_t head = before_line(to, bytes), lines;
    memset(to, byte, head);
    to += head, bytes -= head;
    lines = bytes / LINE;
#if defined(__x86_64__)
    __m128i value = _mm_set1_epi8((char)byte);
    for (size_t i = 0; i < lines; i++, to += LINE)
        for (size_t j = 0; j < LINE; j += 16)
            _mm_stream_si128((__m128i *)(to + j), value);
    _mm_sfence();
#else
    memset(to, byte, lines * LINE);
    to += lines * LINE;
#endif
    memset(to, byte, bytes - lines * LINE);
}

/* Steps of which each needs the one before: they take as long as the core's clock says, whoever shares the core. */
void bulk_spin(unsigned steps)
{
    uint64_t at = steps | 1;
    for (unsigned i = 0; i < steps; i++) {
        at = at * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(at));
    }
}
