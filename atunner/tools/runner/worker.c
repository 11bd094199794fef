/* The run worker: loads one candidate, calls it when told, and sends raw times back; it is thrown away after that.
 *
 *   worker CONTROL REPLY ARENA BYTES LAYERS MEMORY SECONDS CPUS LIBRARY...
 *
 * CONTROL, REPLY, ARENA and every LIBRARY are inherited descriptors. The arena is shared with the parent, which writes
 * inputs into it and reads outputs from it; the worker knows neither the layout nor what is right. A timed round has two
 * halves with the parent's "go" between them, so that the parent's own clock sees the calls and little else. */
#define _GNU_SOURCE
#include "confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { READY = 1, ARMED = 2, SAMPLE = 3, DONE = 4, FAILED = 5 };
enum { FLUSH = 1, TOUCH = 2, SEAL = 4, TIMED = 8 };
#define PAGE 4096u
#define LINE 64u
#define MAX_POINTERS 64u
#define MAX_LIBRARIES 64

struct command {
    uint64_t key;
    uint32_t op, library, calls, per_sample, pointers, flags;
};
struct frame {
    uint64_t key;
    uint32_t kind, index;
    uint64_t value, extra;
};
typedef void entry_function(void *const *buffers);

static int control, reply;
static unsigned char *arena;
static entry_function *entries[MAX_LIBRARIES];

static void send_all(const void *content, size_t bytes)
{
    for (const char *at = content; bytes;) {
        ssize_t sent = write(reply, at, bytes);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            _exit(124);
        at += sent;
        bytes -= (size_t)sent;
    }
}

static void send_frame(uint64_t key, uint32_t kind, uint32_t index, uint64_t value)
{
    struct frame frame = {key, kind, index, value, 0};
    send_all(&frame, sizeof frame);
}

static void fail(uint32_t step)
{
    send_frame(0, FAILED, step, (uint64_t)errno);
    _exit(123);
}

static void receive(void *into, size_t bytes)
{
    unsigned char *at = into;
    while (bytes) {
        ssize_t got = read(control, at, bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            _exit(0); /* the parent is done with us */
        at += got;
        bytes -= (size_t)got;
    }
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void flush(uint64_t from, uint64_t to)
{
#if defined(__x86_64__)
    for (uint64_t at = from; at < to; at += LINE)
        _mm_clflush(arena + at);
    _mm_mfence();
#elif defined(__aarch64__)
    for (uint64_t at = from; at < to; at += LINE)
        __asm__ volatile("dc civac, %0" ::"r"(arena + at) : "memory");
    __asm__ volatile("dsb sy" ::: "memory");
#endif
}

static void touch(uint64_t from, uint64_t to, uint64_t step)
{
    for (uint64_t at = from; at < to; at += step) {
        volatile unsigned char *byte = arena + at;
        *byte = *byte;
    }
}

/* calls: for each call its slot (from, to; page aligned) and the offset of each pointer. */
static void arm(const struct command *c, const uint64_t *table, void **pointers)
{
    for (uint32_t i = 0; i < c->calls; i++, table += 2 + c->pointers) {
        if (c->flags & SEAL && mprotect(arena + table[0], table[1] - table[0], PROT_READ | PROT_WRITE))
            fail(21);
        touch(table[0], table[1], c->flags & TOUCH ? LINE : PAGE);
        if (c->flags & FLUSH)
            flush(table[0], table[1]);
        for (uint32_t j = 0; j < c->pointers; j++)
            pointers[i * c->pointers + j] = arena + table[2 + j];
    }
}

static void round_of_calls(const struct command *c)
{
    uint32_t stride = 2 + c->pointers, samples = (c->calls + c->per_sample - 1) / c->per_sample;
    uint64_t *table = malloc((size_t)c->calls * stride * sizeof *table), go;
    void **pointers = malloc((size_t)c->calls * c->pointers * sizeof *pointers);
    uint64_t *times = calloc(samples, sizeof *times);
    struct frame *frames = malloc((samples + 1) * sizeof *frames);
    if (!table || !pointers || !times || !frames)
        fail(20);
    receive(table, (size_t)c->calls * stride * sizeof *table);
    arm(c, table, pointers);
    entry_function *entry = entries[c->library];
    if (c->flags & TIMED) {
        send_frame(c->key, ARMED, 0, 0);
        receive(&go, sizeof go);
    }
    void *const *at = pointers;
    for (uint32_t s = 0, i = 0; s < samples; s++) {
        uint64_t before = now();
        for (uint32_t b = 0; b < c->per_sample && i < c->calls; b++, i++, at += c->pointers)
            entry(at);
        times[s] = now() - before;
    }
    if (c->flags & SEAL) { /* a thread that would finish the work later dies of its write */
        const uint64_t *last = table + (size_t)(c->calls - 1) * stride;
        mprotect(arena + last[0], last[1] - last[0], PROT_READ);
    }
    frames[0] = (struct frame){c->key, DONE, samples, 0, 0};
    for (uint32_t s = 0; s < samples; s++)
        frames[s + 1] = (struct frame){c->key, SAMPLE, s, times[s], 0};
    send_all(frames, (samples + 1) * sizeof *frames);
    free(frames);
    free(table);
    free(pointers);
    free(times);
}

static int pin(const char *cpus)
{
    cpu_set_t set;
    int count = 0;
    CPU_ZERO(&set);
    for (const char *at = cpus; *at; at++) {
        char *end;
        unsigned long cpu = strtoul(at, &end, 10);
        if (end == at)
            break;
        CPU_SET(cpu, &set);
        count++;
        at = end;
        if (!*at)
            break;
    }
    if (count && sched_setaffinity(0, sizeof set, &set))
        fail(10);
    return count;
}

static void load(int index, int descriptor)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail(30);
    *(void **)&entries[index] = dlsym(library, "atunner_entry");
    if (!entries[index])
        fail(31);
    close(descriptor);
}

static void confine(int layers, const struct limits *limits, int threads)
{
    static const char *const libraries[] = {"/lib",     "/lib64",          "/usr/lib", "/usr/lib64",
                                            "/usr/local/lib", "/etc/ld.so.cache", "/proc/self", NULL};
    if (layers & LAYER_LIMITS && confine_limits(limits))
        fail(11);
    if (layers & LAYER_USER && (confine_user() || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)))
        fail(12);
    if (prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)) /* after the change of user, which would clear it */
        fail(9);
    if (layers & LAYER_LANDLOCK && confine_files(libraries, NULL))
        fail(13);
    if (layers & LAYER_SECCOMP && confine_calls(CALLS_KERNEL, threads))
        fail(14);
}

int main(int argc, char **argv)
{
    if (argc < 9 || argc - 9 > MAX_LIBRARIES)
        return 122;
    control = atoi(argv[1]);
    reply = atoi(argv[2]);
    int descriptor = atoi(argv[3]), layers = atoi(argv[5]);
    size_t bytes = strtoull(argv[4], NULL, 10);
    struct limits limits = {strtoull(argv[6], NULL, 10), 1 << 20, (unsigned)atoi(argv[7]), 256, 256};
    if (layers & LAYER_NAMESPACES && confine_namespaces(reply))
        fail(15);
    int threads = pin(argv[8]) > 1;
    arena = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (arena == MAP_FAILED)
        fail(8);
    close(descriptor);
    confine(layers, &limits, threads);
    for (int i = 9; i < argc; i++)
        load(i - 9, atoi(argv[i]));
    if (layers & LAYER_LANDLOCK && confine_files(NULL, NULL))
        fail(16);
    if (layers & LAYER_SECCOMP && confine_calls(CALLS_SEALED, threads))
        fail(17);
    send_frame(0, READY, 0, 0);
    for (;;) {
        struct command command;
        receive(&command, sizeof command);
        if (command.op != 1 || command.library >= (uint32_t)(argc - 9) || !command.per_sample || !command.calls ||
            command.pointers > MAX_POINTERS)
            fail(40);
        round_of_calls(&command);
    }
}
