/*
 * Runs the program `fault` once for each mode of faults.tsv. Each run must end by the signal that
 * the table gives, and this program and the kernel go on.
 */
#include "tap.h"
#include "proc.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_TABLE 16384

static const struct {
    const char *name;
    int number;
} signals[] = {{"SIGSEGV", SIGSEGV}, {"SIGBUS", SIGBUS},   {"SIGILL", SIGILL},
               {"SIGFPE", SIGFPE},   {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT}};

static int signal_number(const char *name)
{
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (strcmp(signals[i].name, name) == 0) {
            return signals[i].number;
        }
    }
    return -1;
}

/*
 * Modes that behave differently under QEMU's TCG: it treats icebp as an invalid opcode, never
 * raises a SIMD exception, and raises #GP instead of #SS.
 */
static bool unknown_to_tcg(const char *mode)
{
    unsigned eax = 0x40000000; /* the hypervisor's leaf */
    unsigned words[3] = {0};

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(words[0]), "=c"(words[1]), "=d"(words[2]));
    return memcmp(words, "TCGTCGTCGTCG", 12) == 0 &&
           (strcmp(mode, "icebp") == 0 || strcmp(mode, "sse-divide") == 0 ||
            strcmp(mode, "non-canonical-stack") == 0);
}

static void test_mode(const char *mode, const char *signal)
{
    if (unknown_to_tcg(mode)) {
        skip("QEMU's TCG does otherwise", "%s ends a program by %s", mode, signal);
        return;
    }
    int status = WITHOUT_CORE(run("fault", mode, NULL, NULL));

    ok(status == KILLED(signal_number(signal)), "%s ends a program by %s", mode, signal);
    if (status != KILLED(signal_number(signal))) {
        diag("it ended with %s", status_text(status));
    }
}

/* Parses the table without changing it: names end at the next tab. Returns the number of modes. */
static unsigned test_table(char *text)
{
    unsigned modes = 0;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *word = NULL;
        const char *mode = strtok_r(line, "\t", &word);
        const char *signal = strtok_r(NULL, "\t", &word);
        if (mode != NULL && mode[0] != '#' && signal != NULL) {
            test_mode(mode, signal);
            modes++;
        }
    }
    return modes;
}

int main(int argc, char **argv)
{
    static char text[MAX_TABLE + 1];

    tap_begin(argc, argv);
    int fd = open(beside("faults.tsv"), O_RDONLY);
    ssize_t size = read(fd, text, MAX_TABLE);
    close(fd);
    ok(size > 0 && size < MAX_TABLE, "faults.tsv is read");
    unsigned modes = test_table(text);
    ok(modes >= 40, "%u modes were tried", modes);
    return tap_end();
}
