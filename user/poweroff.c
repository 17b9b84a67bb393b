/*
 * Power the machine off, or restart it with the argument -r. Needs the right to do so; on a
 * machine that other people use it asks for -f as well, since it stops nothing first.
 */
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int action = RB_POWER_OFF;
    int sure = getppid() == 1 || getpid() == 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-r") == 0) {
            action = RB_AUTOBOOT;
        } else if (strcmp(argv[i], "-f") == 0) {
            sure = 1;
        } else {
            fprintf(stderr, "usage: poweroff [-f] [-r]\n");
            return 2;
        }
    }
    if (!sure) {
        fprintf(stderr, "poweroff: not started by init; -f to do it all the same\n");
        return 1;
    }
    if (reboot(action) != 0) {
        perror("poweroff");
    }
    return 1;
}
