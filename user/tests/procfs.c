/*
 * Processes and memory in /proc: self/exe, self/maps, meminfo.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define MAX_TEXT 65536

static char text[MAX_TEXT + 1];

static bool read_all(int fd)
{
    ssize_t used = 0;
    ssize_t got = 0;

    while (used < MAX_TEXT && (got = read(fd, text + used, (size_t)(MAX_TEXT - used))) > 0) {
        used += got;
    }
    text[used] = '\0';
    return got == 0;
}

static bool read_text(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return false;
    }
    bool whole = read_all(fd);
    close(fd);
    return whole;
}

static void test_exe(const char *name)
{
    static char target[PATH_MAX + 1];
    static char own[PATH_MAX + 1];
    char *argv[] = {"child", "exit", "21", NULL};
    pid_t pid = 0;

    ssize_t length = readlink("/proc/self/exe", target, PATH_MAX);
    ok(length > 0 && target[0] == '/', "/proc/self/exe is a link to an absolute path");
    target[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(target, '/');
    ok(slash != NULL && strcmp(slash + 1, name) == 0, "to this program");
    is(spawn(&pid, "/proc/self/exe", argv, argv + 3), 0, "it can be executed");
    is(wait_for(pid), EXITED(21), "and is this program");
    is(readlink("/proc/self/exe", own, 3), 3, "a short buffer gets the first bytes");
}

struct seen {
    unsigned lines, wrong, writable_and_executable;
    bool text, stack, mapping;
    uintptr_t last_end;
};

static void note_line(const char *line, struct seen *seen, uintptr_t mapping)
{
    uintptr_t start = 0;
    uintptr_t end = 0;
    char permissions[5] = "";
    uintptr_t code = (uintptr_t)note_line;
    uintptr_t local = (uintptr_t)&permissions;

    if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) != 3) {
        seen->wrong++;
        return;
    }
    if (start >= USER_END) {
        return; /* Linux lists its vsyscall page */
    }
    seen->lines++;
    seen->wrong += start < seen->last_end || end <= start || ((start | end) & 4095) != 0;
    seen->last_end = end;
    seen->writable_and_executable += permissions[1] == 'w' && permissions[2] == 'x';
    seen->text = seen->text || (code - start < end - start && strcmp(permissions, "r-xp") == 0);
    seen->stack = seen->stack || (local - start < end - start && strcmp(permissions, "rw-p") == 0);
    seen->mapping = seen->mapping || (mapping - start < end - start && mapping + PAGE <= end &&
                                      strcmp(permissions, "r--s") == 0);
}

static void test_maps(void)
{
    struct seen seen = {0};
    void *mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ok(read_text("/proc/self/maps"), "/proc/self/maps");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        note_line(line, &seen, (uintptr_t)mapping);
    }
    ok(seen.lines >= 4 && seen.wrong == 0, "its lines are in order and do not overlap");
    ok(seen.text, "the text is there, readable and executable");
    ok(seen.stack, "the stack is there, readable and writable");
    ok(seen.mapping, "a shared read-only mapping is there as such");
    is(seen.writable_and_executable, 0, "nothing is writable and executable");
}

static long field(const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL ? atol(at + strlen(name)) : -1;
}

static void test_meminfo(void)
{
    struct sysinfo info;
    int fd = open("/proc/meminfo", O_RDONLY);

    ok(fd >= 0 && read_all(fd), "/proc/meminfo");
    sysinfo(&info); /* before the file is closed, which may free a page */
    close(fd);
    long total = (long)(info.totalram * info.mem_unit / 1024);
    long free = (long)(info.freeram * info.mem_unit / 1024);
    is(field("MemTotal:"), total, "MemTotal is what sysinfo says");
    if (on_linux()) {
        skip("others use the memory of this machine", "MemFree is what sysinfo says");
        return;
    }
    is(field("MemFree:"), free, "MemFree is what sysinfo says");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (argc == 3 && strcmp(argv[1], "exit") == 0) {
        return atoi(argv[2]);
    }
    if (on_linux() && access("/proc/self", F_OK) != 0) {
        skip("/proc is not mounted", "what is in /proc");
        return tap_end();
    }
    test_exe(strrchr(argv[0], '/') + 1);
    test_maps();
    test_meminfo();
    return tap_end();
}
