/* The sandbox layers that a process can put on itself; each is asked for by one bit and fails loudly. */
#ifndef ATUNNER_CONFINE_H
#define ATUNNER_CONFINE_H

#include <stddef.h>

enum {
    LAYER_LIMITS = 1,     /* rlimits: address space, CPU seconds, file size, files, core */
    LAYER_USER = 2,       /* another user without capabilities, when started as root */
    LAYER_LANDLOCK = 4,   /* files, TCP, abstract sockets and signals by the kernel's Landlock */
    LAYER_SECCOMP = 8,    /* system calls by filter */
    LAYER_NAMESPACES = 16 /* own network, process, IPC, host name and mount namespaces */
};

struct limits {
    unsigned long long memory; /* bytes of address space, 0: unlimited */
    unsigned long long file;   /* bytes of any one file */
    unsigned seconds;          /* of CPU */
    unsigned processes;        /* of the other user, threads counted */
    unsigned files;            /* open descriptors */
};

/* How strict the system call filter is. */
enum {
    CALLS_PROGRAM,  /* any program: no network, no tracing, no mounts, no kernel interfaces */
    CALLS_KERNEL,   /* a compute kernel while it is loaded: no new process, no network, no signals to others */
    CALLS_SEALED    /* the same after loading: no file is opened and no memory becomes executable */
};

/* All return 0, or -1 with errno set. */
int confine_limits(const struct limits *limits);
int confine_user(void);
int confine_files(const char *const *readable, const char *const *writable);
int confine_calls(int mode, int threads);
int confine_namespaces(int report); /* forks; the new child returns, the first process mirrors its end */

#endif
