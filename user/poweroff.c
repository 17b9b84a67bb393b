/*
 * Powers the machine off, or restarts it with the argument -r. It does not stop any process first,
 * so it requires the argument -f as well, unless it is process 1.
 */
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int action = RB_POWER_OFF;
    int sure = getpid() == 1;

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
        fprintf(stderr, "poweroff: this stops the machine at once; use -f to confirm\n");
        return 1;
    }
    if (reboot(action) != 0) {
        perror("poweroff");
    }
    return 1;
}
