/* Sandbox layers: rlimits, user, Landlock, seccomp, namespaces. Linux only. */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static int limit(int what, unsigned long long value)
{
    struct rlimit wanted = {value, value}, now;
    if (getrlimit(what, &now))
        return -1;
    if (now.rlim_max < value)
        wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    return setrlimit(what, &wanted);
}

int confine_limits(const struct limits *l)
{
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, l->file) || limit(RLIMIT_NOFILE, l->files))
        return -1;
    if (l->seconds && limit(RLIMIT_CPU, l->seconds))
        return -1;
    if (l->processes && geteuid() == 0 && limit(RLIMIT_NPROC, l->processes)) /* counts all that a user runs: for the other user */
        return -1;
    if (l->memory && limit(RLIMIT_AS, l->memory))
        return -1;
    return 0;
}

int confine_user(void)
{
    if (geteuid() != 0)
        return 0;
    gid_t none = NOBODY;
    if (setgroups(1, &none) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
        return -1;
    return 0; /* leaving uid 0 clears every capability */
}

/* Landlock, declared here because the headers of many systems are older than their kernel. */
struct ruleset_attr {
    uint64_t files, net, scoped;
};
struct __attribute__((packed)) path_attr {
    uint64_t allowed;
    int32_t parent;
};
#define LL_EXECUTE 1ull
#define LL_WRITE 2ull
#define LL_READ_FILE 4ull
#define LL_READ_DIR 8ull
#define LL_ALL_V1 ((1ull << 13) - 1)

static int allow_path(int ruleset, const char *path, uint64_t access, uint64_t handled)
{
    struct stat kind;
    struct path_attr rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0)
        return errno == ENOENT || errno == EACCES ? 0 : -1;
    if (!fstat(rule.parent, &kind) && !S_ISDIR(kind.st_mode))
        access &= LL_EXECUTE | LL_WRITE | LL_READ_FILE | (1ull << 14) | (1ull << 15);
    rule.allowed = access & handled;
    int failed = (int)syscall(445, ruleset, 1, &rule, 0);
    close(rule.parent);
    return failed;
}

int confine_files(const char *const *readable, const char *const *writable)
{
    long abi = syscall(444, NULL, 0, 1);
    if (abi < 1)
        return -1;
    struct ruleset_attr attr = {.files = LL_ALL_V1};
    if (abi >= 2)
        attr.files |= 1ull << 13;
    if (abi >= 3)
        attr.files |= 1ull << 14;
    if (abi >= 5)
        attr.files |= 1ull << 15;
    if (abi >= 4)
        attr.net = 3;
    if (abi >= 6)
        attr.scoped = 3;
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int ruleset = (int)syscall(444, &attr, size, 0);
    if (ruleset < 0)
        return -1;
    int failed = 0;
    for (; readable && *readable; readable++)
        failed |= allow_path(ruleset, *readable, LL_EXECUTE | LL_READ_FILE | LL_READ_DIR, attr.files);
    for (; writable && *writable; writable++)
        failed |= allow_path(ruleset, *writable, attr.files, attr.files);
    failed |= prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    failed |= (int)syscall(446, ruleset, 0);
    close(ruleset);
    return failed ? -1 : 0;
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define MAX_FILTER 400
struct program {
    struct sock_filter code[MAX_FILTER];
    unsigned short length;
};

static void emit(struct program *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    if (p->length < MAX_FILTER)
        p->code[p->length++] = (struct sock_filter){code, yes, no, k};
}

#define LOAD(p, field) emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(p, what) emit(p, BPF_RET | BPF_K, 0, 0, what)
#define DENY (SECCOMP_RET_ERRNO | EPERM)

static void on_call(struct program *p, long number, uint32_t action)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)number);
    RETURN(p, action);
}

/* Action when the low word of argument `arg` has any bit of `mask`; falls through otherwise. */
static void on_bits(struct program *p, long number, int arg, uint32_t mask, uint32_t action)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)number);
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)arg));
    emit(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, mask);
    RETURN(p, action);
    LOAD(p, nr);
}

/* Action when the low word of the first argument is not `value`. */
static void unless_first(struct program *p, long number, uint32_t value, uint32_t action)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)number);
    LOAD(p, args[0]);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    RETURN(p, action);
    LOAD(p, nr);
}

/* Of no use to a compute kernel or a compiler, and a way out for one that is hostile. */
static const long hostile[] = {
    __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_mount, __NR_umount2, __NR_pivot_root,
    __NR_chroot, __NR_unshare, __NR_setns, __NR_bpf, __NR_perf_event_open, __NR_keyctl, __NR_add_key,
    __NR_request_key, __NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register, __NR_init_module,
    __NR_finit_module, __NR_delete_module, __NR_kexec_load, __NR_reboot, __NR_swapon, __NR_swapoff,
    __NR_userfaultfd, __NR_pidfd_getfd, __NR_pidfd_send_signal, __NR_sethostname, __NR_settimeofday,
    __NR_clock_settime, __NR_open_by_handle_at, __NR_process_madvise,
};

static const long outward[] = {
    __NR_execve, __NR_execveat, __NR_kill, __NR_tkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo, __NR_setsid,
    __NR_setpgid, __NR_sched_setaffinity, __NR_sched_setscheduler, __NR_sched_setattr, __NR_setpriority,
    __NR_memfd_create, __NR_shmget, __NR_msgget, __NR_semget, __NR_mq_open, __NR_inotify_init1, __NR_timer_create, __NR_setitimer,
#ifdef __NR_fork
    __NR_fork, __NR_vfork,
#endif
};

static int install(struct program *p)
{
    struct sock_fprog filter = {.len = p->length, .filter = p->code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -1;
    return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
}

static void sealed_rules(struct program *p)
{
    on_bits(p, __NR_mmap, 2, PROT_EXEC, DENY);
    on_bits(p, __NR_mprotect, 2, PROT_EXEC, DENY);
    on_call(p, __NR_openat, SECCOMP_RET_ERRNO | EACCES);
#ifdef __NR_open
    on_call(p, __NR_open, SECCOMP_RET_ERRNO | EACCES);
    on_call(p, __NR_creat, SECCOMP_RET_ERRNO | EACCES);
#endif
    on_call(p, __NR_openat2, SECCOMP_RET_ERRNO | EACCES);
    on_call(p, __NR_prctl, SECCOMP_RET_KILL_PROCESS); /* ours to use until here */
    on_call(p, __NR_seccomp, SECCOMP_RET_KILL_PROCESS);
}

static void kernel_rules(struct program *p, int threads)
{
    for (size_t i = 0; i < sizeof outward / sizeof *outward; i++)
        on_call(p, outward[i], SECCOMP_RET_KILL_PROCESS);
    on_call(p, __NR_clone3, SECCOMP_RET_ERRNO | ENOSYS); /* so that libc falls back to clone, whose flags can be read */
    if (threads)
        on_bits(p, __NR_clone, 0, CLONE_THREAD, SECCOMP_RET_ALLOW);
    on_call(p, __NR_clone, SECCOMP_RET_KILL_PROCESS);
    unless_first(p, __NR_tgkill, (uint32_t)getpid(), SECCOMP_RET_KILL_PROCESS);
    on_call(p, __NR_socket, SECCOMP_RET_KILL_PROCESS);
    on_call(p, __NR_socketpair, SECCOMP_RET_KILL_PROCESS);
}

int confine_calls(int mode, int threads)
{
#ifndef ARCH
    (void)mode, (void)threads;
    errno = ENOSYS;
    return -1;
#else
    static struct program p;
    p.length = 0;
    LOAD(&p, arch);
    emit(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    RETURN(&p, SECCOMP_RET_KILL_PROCESS);
    LOAD(&p, nr);
#if defined(__x86_64__)
    emit(&p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000u); /* the x32 numbers would pass by every rule below */
    RETURN(&p, SECCOMP_RET_KILL_PROCESS);
#endif
    if (mode == CALLS_SEALED) {
        sealed_rules(&p);
        RETURN(&p, SECCOMP_RET_ALLOW);
        return install(&p);
    }
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        on_call(&p, hostile[i], mode == CALLS_KERNEL ? SECCOMP_RET_KILL_PROCESS : DENY);
    if (mode == CALLS_KERNEL)
        kernel_rules(&p, threads);
    unless_first(&p, __NR_socket, AF_UNIX, DENY);
    RETURN(&p, SECCOMP_RET_ALLOW);
    return install(&p);
#endif
}

static void mirror(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        kill(getpid(), WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
}

int confine_namespaces(int report)
{
    int own = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWPID;
    if (unshare(geteuid() ? own | CLONE_NEWUSER : own))
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child) {
        uint32_t frame[8] = {0, 0, 6, (uint32_t)child}; /* key 0, kind, index, value, extra */
        if (report >= 0 && write(report, frame, sizeof frame) != sizeof frame)
            _exit(125);
        mirror(child);
    }
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}
