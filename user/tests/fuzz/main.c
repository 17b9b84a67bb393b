/*
 * Makes random, hostile system calls: all numbers, bad pointers, huge lengths, odd descriptors.
 *
 *     fuzz SEED COUNT [--root] [--without NUMBER,NUMBER,...]
 *
 * The children that make the calls are user 1000. With --root, which is refused on Linux, they are
 * user 0, and leave out the calls that would end the test; --without leaves out more.
 *
 * Exits with 0 if, after each round of children, the memory and the limits of the supervisor are
 * unchanged, its timer runs, all children could be killed, and /proc/umbra-frames adds up. The
 * sequence of each child depends only on the seed; how the children interleave depends on time.
 *
 * The supervisor must be process 1. On Linux it becomes process 1 of its own namespaces, which
 * needs root; if it cannot make them, the exit status is 77.
 */
#include "fuzz.h"
#include "namespaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_SKIPPED 77 /* Meson reads it as a skipped test */

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "child") == 0) {
        child_again(argv);
    }
    if (argc < 3) {
        fprintf(stderr, "usage: fuzz SEED COUNT [--root] [--without NUMBER,NUMBER,...]\n");
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
    if (getpid() != 1) {
        fprintf(stderr, "fuzz: not process 1, and there are no namespaces for this user\n");
        return EXIT_SKIPPED;
    }
    if (root && linux_host) {
        fprintf(stderr, "fuzz: --root is not for Linux\n");
        return 2;
    }
    printf("fuzz: seed %s, %s calls as user %d\n", argv[1], argv[2], root ? 0 : FUZZ_USER);
    fflush(stdout);
    return supervise(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), root, linux_host);
}
