/* Runs a candidate once on buffers of exactly their size, so that the sanitizers see every step beyond them.
 *
 *   check COUNT: for each buffer a file in/N with its contents; outputs and workspaces are poisoned by the parent too. */
#include <stdio.h>
#include <stdlib.h>

void atunner_entry(void *const *buffers);

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0;
    void **buffers = calloc((size_t)count + 1, sizeof *buffers);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "in/%d", i);
        FILE *file = fopen(name, "rb");
        if (!file || fseek(file, 0, SEEK_END))
            return 3;
        long bytes = ftell(file);
        rewind(file);
        if (bytes < 0 || posix_memalign(&buffers[i], 64, (size_t)bytes) ||
            fread(buffers[i], 1, (size_t)bytes, file) != (size_t)bytes)
            return 3;
        fclose(file);
    }
    atunner_entry(buffers);
    for (int i = 0; i < count; i++)
        free(buffers[i]);
    free(buffers);
    return 0;
}
