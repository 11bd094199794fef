/* Words of random bits, counted by their number of ones. Arguments: how many, and a seed; `dump` last prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long counts[65];

static unsigned long step(unsigned long x)
{
    x ^= x << 13;
    x ^= x >> 7;
    return x ^ (x << 17);
}

static void count(long many, unsigned long seed)
{
    for (long i = 0; i < many; i++) {
        int ones = 0;
        seed = step(seed);
        for (int bit = 0; bit < 64; bit++)
            ones += (seed >> bit) & 1;
        counts[ones]++;
    }
}

int main(int argc, char **argv)
{
    int dump = argc > 1 && !strcmp(argv[argc - 1], "dump");
    long many = argc > 1 + dump ? atol(argv[1]) : 2000000;
    unsigned long seed = argc > 2 + dump ? strtoul(argv[2], NULL, 10) : 1;
    count(many, seed | 1);
    if (dump)
        for (int i = 0; i < 65; i++)
            printf("%lu\n", counts[i]);
    return 0;
}
