/*
 * Process 1 of the machine that boot/stress.py boots. It runs Debian's stress-ng, one stressor
 * after the other, each with a limit of time, and prints how each one ended.
 *
 *     runner LIST SECONDS LIMIT
 *
 * LIST is a file with one name on each line. Each stressor runs for SECONDS. After LIMIT seconds it
 * is killed. The processes that a stressor leaves running are killed in any case. Console lines:
 *
 *     stress: begin NAME
 *     stress: said TEXT                    the last lines of stress-ng's output
 *     stress: end NAME exit N | signal N | limit
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT    "/run/output"
#define PLACE     "/tmp/stress"
#define TAIL      16 /* lines that are kept */
#define LINE_SIZE 400

static volatile sig_atomic_t over;

static void on_limit(int number)
{
    (void)number;
    over = 1;
}

static void set_limit(unsigned seconds)
{
    struct sigaction action = {.sa_handler = on_limit};
    struct itimerval value = {{seconds > 0, 0}, {seconds, 0}}; /* again each second, if missed */

    over = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &value, NULL);
}

static _Noreturn void run(char *name, char *seconds)
{
    char option[160];
    char *argv[] = {"stress-ng",   option, "1", "--pathological", "--timeout", seconds,
                    "--temp-path", PLACE,  NULL};
    char *envp[] = {"PATH=/usr/bin:/bin", "HOME=/root", "LC_ALL=C", "TERM=dumb", NULL};
    int out = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    int null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    setsid();
    snprintf(option, sizeof option, "--%s", name);
    execve("/usr/bin/stress-ng", argv, envp);
    _exit(127);
}

/* Kills and reaps all other processes. Returns false if one of them stays. */
static bool clear(void)
{
    for (int i = 0; i < 500; i++) {
        kill(-1, SIGKILL);
        pid_t got;
        do {
            got = waitpid(-1, NULL, WNOHANG);
        } while (got > 0);
        if (got < 0 && errno == ECHILD) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void print_output(void)
{
    static char lines[TAIL][LINE_SIZE];
    unsigned count = 0;
    FILE *file = fopen(OUTPUT, "re");

    while (file != NULL && fgets(lines[count % TAIL], LINE_SIZE, file) != NULL) {
        char *line = lines[count % TAIL];
        line[strcspn(line, "\n")] = '\0';
        count++;
    }
    if (file != NULL) {
        fclose(file);
    }
    for (unsigned i = count > TAIL ? count - TAIL : 0; i < count; i++) {
        printf("stress: said %s\n", lines[i % TAIL]);
    }
}

static void one(char *name, char *seconds, unsigned limit)
{
    int status = 0;
    pid_t got = 0;

    printf("stress: begin %s\n", name);
    mount("stress", "/tmp", "tmpfs", 0, "mode=1777");
    mkdir(PLACE, 0777);
    set_limit(limit);
    pid_t pid = fork();
    if (pid == 0) {
        run(name, seconds);
    }
    while (!over && got != pid) { /* orphans are reaped too */
        got = waitpid(-1, &status, 0);
    }
    set_limit(0);
    bool cleared = clear();
    print_output();
    umount2("/tmp", MNT_DETACH);
    printf("stress: end %s ", name);
    if (got != pid) {
        printf("limit");
    } else if (WIFSIGNALED(status)) {
        printf("signal %d", WTERMSIG(status));
    } else {
        printf("exit %d", WEXITSTATUS(status));
    }
    printf("%s\n", cleared ? "" : " left");
}

int main(int argc, char **argv)
{
    static char line[128];
    FILE *list = argc == 4 ? fopen(argv[1], "re") : NULL;

    if (list == NULL) {
        fprintf(stderr, "usage: runner LIST SECONDS LIMIT\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        one(line, argv[2], (unsigned)atoi(argv[3]));
    }
    return 0;
}
