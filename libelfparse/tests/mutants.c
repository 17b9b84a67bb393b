/*
 * mutants CORPUS: for each line "ADDRESS BYTE" of standard input runs the unit tests and the corpus
 * in a child whose code has that byte there, and prints whether they noticed. Built by mutation.py,
 * which renames the programs' main functions. With LINK the tests of linking are all that runs.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LINK
int link_main(void);
int link_lookup_main(void);

static int run_all(char *corpus)
{
    (void)corpus;
    return link_main() != 0 || link_lookup_main() != 0;
}
#else
int rules_main(void);
int plan_main(void);
int walk_main(void);
int machines_main(void);
int pages_main(void);
int replay_main(int argc, char **argv);

static int run_all(char *corpus)
{
    char *arguments[] = {(char *)"replay", corpus, NULL};

    optind = 1;
    return rules_main() != 0 || plan_main() != 0 || walk_main() != 0 || machines_main() != 0 ||
           pages_main() != 0 || replay_main(2, arguments) != 0;
}
#endif

static void patch(uintptr_t address, uint8_t byte)
{
    uintptr_t page = address & ~(uintptr_t)4095;

    if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        exit(0); /* nothing was changed: counts as not noticed */
    *(uint8_t *)address = byte;
}

static int noticed(char *corpus, uintptr_t address, unsigned byte)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 1);
        dup2(null, 2);
        alarm(2); /* what never ends is noticed as well */
        if (address != 0)
            patch(address, (uint8_t)byte);
        exit(run_all(corpus) != 0);
    }
    return waitpid(child, &status, 0) != child || status != 0;
}

int main(int argc, char **argv)
{
    unsigned long address;
    unsigned byte;

    if (argc != 2 || noticed(argv[1], 0, 0)) {
        fputs("the tests fail without any change\n", stderr);
        return 1;
    }
    while (scanf("%lx %x", &address, &byte) == 2) {
        printf("%lx %d\n", address, noticed(argv[1], address, byte));
        fflush(stdout);
    }
    return 0;
}
