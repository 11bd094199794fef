/* Puts sandbox layers on itself and becomes the program:
 *
 *   launcher LAYERS MEMORY FILE SECONDS [-w WRITABLE]... [-r READABLE]... [-c DESCRIPTOR] -- PROGRAM ARGUMENT...
 *
 * It writes to DESCRIPTOR what processor time it took itself, in nanoseconds: the program is not to answer for it. */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST 62

static void tell_time(int descriptor)
{
    struct timespec taken;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &taken);
    dprintf(descriptor, "%lld", taken.tv_sec * 1000000000LL + taken.tv_nsec);
    close(descriptor);
}

int main(int argc, char **argv)
{
    const char *readable[MOST + 2] = {0}, *writable[MOST + 2] = {0};
    int reads = 0, writes = 0, clock = -1, at = 5;
    if (argc < 7)
        return 122;
    int layers = atoi(argv[1]);
    struct limits limits = {strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), (unsigned)atoi(argv[4]), 4096, 1024};
    for (; at + 1 < argc && strcmp(argv[at], "--"); at += 2) {
        if (!strcmp(argv[at], "-w") && writes < MOST)
            writable[writes++] = argv[at + 1];
        else if (!strcmp(argv[at], "-r") && reads < MOST)
            readable[reads++] = argv[at + 1];
        else if (!strcmp(argv[at], "-c"))
            clock = atoi(argv[at + 1]);
        else
            return 122;
    }
    if (at + 1 >= argc)
        return 122;
    if ((layers & LAYER_NAMESPACES && confine_namespaces(-1)) || (layers & LAYER_LIMITS && confine_limits(&limits)) ||
        (layers & LAYER_USER && confine_user()) || (layers & LAYER_LANDLOCK && confine_files(readable, writable)) ||
        (layers & LAYER_SECCOMP && confine_calls(CALLS_PROGRAM, 1))) {
        fprintf(stderr, "sandbox: %s\n", strerror(errno));
        return 121;
    }
    if (clock >= 0)
        tell_time(clock);
    execv(argv[at + 1], argv + at + 1);
    fprintf(stderr, "sandbox: %s: %s\n", argv[at + 1], strerror(errno));
    return 120;
}
