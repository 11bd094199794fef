/* Programs that try to get out of the sandbox or to hurt the machine: hostile NAME OUTSIDE PARENT PORT.
 * Exit code 42: the attack succeeded. Anything else: it was stopped. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUCCEEDED 42
#define MIB (1l << 20)

static const char *outside;
static pid_t parent;
static int port;

static int write_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT, 0666);
    return file >= 0 && write(file, "x", 1) == 1 ? SUCCEEDED : 1;
}

static int file_escape(void) { return write_file(outside); }

static int symlink_out(void) { return symlink(outside, "way-out") ? 2 : write_file("way-out"); }

static int read_secret(void)
{
    char byte;
    int file = open(outside, O_RDONLY);
    return file >= 0 && read(file, &byte, 1) == 1 ? SUCCEEDED : 1;
}

static int delete_outside(void) { return unlink(outside) ? 1 : SUCCEEDED; }

static int network(int kind)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, kind, 0);
    if (s < 0)
        return 1;
    if (kind == SOCK_DGRAM)
        return sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1 ? SUCCEEDED : 1;
    return connect(s, (struct sockaddr *)&to, sizeof to) ? 1 : SUCCEEDED;
}

static int tcp(void) { return network(SOCK_STREAM); }

static int udp(void) { return network(SOCK_DGRAM); }

static int abstract_socket(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int length = snprintf(to.sun_path + 1, sizeof to.sun_path - 1, "atunner-%d", port);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    return s >= 0 && !connect(s, (struct sockaddr *)&to, size) ? SUCCEEDED : 1;
}

static int trace_parent(void) { return ptrace(PTRACE_SEIZE, parent, 0, 0) ? 1 : SUCCEEDED; }

static int signal_parent(void) { return kill(parent, 0) ? 1 : SUCCEEDED; }

static int fill_disk(void)
{
    static char block[MIB];
    int file = open("full", O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 64; i++)
        if (write(file, block, sizeof block) != sizeof block)
            return 1;
    return SUCCEEDED;
}

static int memory(void)
{
    char *all = malloc(1024 * MIB);
    if (!all)
        return 1;
    memset(all, 1, 1024 * MIB);
    return all[5] ? SUCCEEDED : 1;
}

static int fork_bomb(void)
{
    for (int i = 0; i < 200; i++)
        if (fork() == 0)
            for (;;)
                sleep(1000);
    return 0;
}

static int orphan(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            char name[16] = "atn-orphan";
            int file = open("orphan", O_WRONLY | O_CREAT, 0644);
            dprintf(file, "%d %s", getpid(), name);
            close(file);
            sleep(1000);
        }
        _exit(0);
    }
    usleep(100000);
    return 0;
}

static int endless_output(void)
{
    static char block[MIB];
    memset(block, 'x', sizeof block);
    for (;;)
        if (write(1, block, sizeof block) < 0)
            return 1;
}

static int endless_sleep(void)
{
    for (;;)
        sleep(1000);
}

static int leaves_early(void) { return 0; }

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {
        {"file_escape", file_escape},     {"symlink_out", symlink_out},       {"read_secret", read_secret},
        {"delete_outside", delete_outside}, {"tcp", tcp},                     {"udp", udp},
        {"abstract_socket", abstract_socket}, {"trace_parent", trace_parent}, {"signal_parent", signal_parent},
        {"fill_disk", fill_disk},         {"memory", memory},                 {"fork_bomb", fork_bomb},
        {"orphan", orphan},               {"endless_output", endless_output}, {"endless_sleep", endless_sleep},
        {"leaves_early", leaves_early},
    };
    if (argc != 5)
        return 99;
    outside = argv[2];
    parent = atoi(argv[3]);
    port = atoi(argv[4]);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, argv[1]))
            return all[i].run();
    return 98;
}
