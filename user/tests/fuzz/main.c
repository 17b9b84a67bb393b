/*
 * Makes random, hostile system calls: all numbers, bad pointers, huge lengths, odd descriptors.
 *
 *     fuzz SEED COUNT [--root] [--without NUMBER,NUMBER,...]
 *
 * The children that make them are user 1000, or (--root, not on Linux) user 0 without the calls that
 * would end the test. Ends with 0 if the machine stood it: the supervisor's memory is unchanged, its
 * timer runs, all children can be ended, and /proc/umbra-frames adds up. The sequence of each child
 * depends on the seed only; how they interleave does not. Needs root, and to be process 1, which it
 * is in namespaces of its own on Linux.
 */
#include "fuzz.h"
#include "namespaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "child") == 0) {
        child_again(argv);
    }
    if (argc < 3 || getuid() != 0) {
        return 2;
    }
    bool root = false;
    for (int i = 3; i < argc; i++) {
        root = root || strcmp(argv[i], "--root") == 0;
        if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            left_out = argv[++i];
        }
    }
    bool linux_host = separate();
    if (getpid() != 1 || (root && linux_host)) {
        fprintf(stderr, "fuzz: needs to be process 1%s\n", root ? ", and --root is not for Linux" : "");
        return 2;
    }
    printf("fuzz: seed %s, %s calls as user %d\n", argv[1], argv[2], root ? 0 : FUZZ_USER);
    fflush(stdout);
    return supervise(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), root, linux_host);
}
