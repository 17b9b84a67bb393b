/* The program that boot/questions.tsv asks about: a dynamic, position-independent program of the C
 * library of this machine. It prints, its stack grows, it forks, the child writes to a shared page and
 * runs a second program. With the argument "type" it prints the lines that are typed instead, and with "sleep" it sleeps. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_PIECE 8192
#define STACK_DEPTH 40
#define NAPS        12

static int counter = 7;

__attribute__((noinline)) static int grow(int depth)
{
    volatile char piece[STACK_PIECE];
    piece[0] = (char)depth;
    return depth == 0 ? 0 : grow(depth - 1) + piece[0];
}

/* As strlen(). It is inlined in two places. */
__attribute__((always_inline)) static inline size_t length_of(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

__attribute__((noinline)) static void report(const char *text)
{
    if (write(STDOUT_FILENO, text, length_of(text)) < 0)
        _exit(2);
}

static void run_second(void)
{
    int status = 0;
    if (fork() == 0) {
        counter = 8;
        execl("/bin/second", "second", (char *)NULL);
        _exit(3);
    }
    if (wait(&status) < 0 || status != 0)
        _exit(4);
}

static int repeat_lines(void)
{
    char line[80];
    ssize_t size;
    while ((size = read(STDIN_FILENO, line, sizeof line)) > 0)
        if (write(STDOUT_FILENO, line, (size_t)size) != size)
            return 2;
    return 0;
}

static int sleep_often(void)
{
    for (int i = 0; i < NAPS; i++) {
        struct timespec nap = {0, 17000000 + i * 3012345};
        nanosleep(&nap, NULL);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return strcmp(argv[1], "sleep") == 0 ? sleep_often() : repeat_lines();
    report("asked: begins\n");
    if (grow(STACK_DEPTH) == 0)
        return 1;
    run_second();
    report("asked: ends\n");
    return counter != 7 || length_of(argv[0]) == 0;
}
