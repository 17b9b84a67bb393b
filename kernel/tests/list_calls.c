/* Prints the list of system calls, kernel/SYSCALLS.md, from the kernel's table. With the name of a
 * file as its argument, checks that the file has this text. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscall/calls.h"

struct call {
    int number;
    const char *name, *signature, *missing; /* missing: NULL: nothing, "": the call itself */
};

#define COMPLETE      NULL
#define PARTIAL(text) text

#define TEXT_OF(type, name, meaning)  #type " " #name
#define SIGNATURE(register, argument) TEXT_OF argument
#define SIGNATURE_NONE                ""
#define JOIN0(a)                      a
#define JOIN1(a)                      a
#define JOIN2(a, b)                   a ", " b
#define JOIN3(a, b, c)                a ", " b ", " c
#define JOIN4(a, b, c, d)             a ", " b ", " c ", " d
#define JOIN5(a, b, c, d, e)          a ", " b ", " c ", " d ", " e
#define JOIN6(a, b, c, d, e, f)       a ", " b ", " c ", " d ", " e ", " f
#define JOIN(count, ...)              JOIN##count(__VA_ARGS__)

#define CALL(number, call, state, count, ...)                                                      \
    {number, #call, JOIN(count, LIST_ARGUMENTS(count, SIGNATURE, __VA_ARGS__)), state},
#define MISSING(number, call) {number, #call, NULL, ""},
#define SILENT(number, call)  {number, #call, NULL, ""},

static const struct call calls[] = {
#include "syscall/calls.def"
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static size_t count(int missing)
{
    size_t found = 0;
    for (size_t i = 0; i < CALLS; i++)
        found += (calls[i].missing && !*calls[i].missing) == missing;
    return found;
}

static void print_existing(FILE *out)
{
    fprintf(out, "| number | call | state |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < CALLS; i++) {
        const struct call *c = &calls[i];
        if (!c->signature)
            continue;
        fprintf(out, "| %d | `%s(%s)` | %s%s |\n", c->number, c->name, c->signature,
                c->missing ? "partial: " : "complete", c->missing ? c->missing : "");
    }
}

static void print_missing(FILE *out)
{
    for (size_t i = 0, column = 0; i < CALLS; i++) {
        char item[64];
        if (calls[i].signature)
            continue;
        size_t length =
            (size_t)snprintf(item, sizeof(item), "%d %s", calls[i].number, calls[i].name);
        if (column + length + 2 > 110) {
            fprintf(out, ",\n");
            column = 0;
        }
        fprintf(out, "%s%s", column > 0 ? ", " : "", item);
        column += length + 2;
    }
    fprintf(out, "\n");
}

static void print_list(FILE *out)
{
    fprintf(
        out,
        "# System calls\n\n"
        "Generated from `syscall/calls.def` by `tests/list_calls.c`: `ninja -C build syscalls-md` "
        "updates it.\n\n"
        "Of the calls of Linux 6.1 on x86-64, %zu exist and %zu do not. The types give the bits of "
        "the register that a call\nuses, as on Linux: `int` and `unsigned` 32 bits, `umode_t` 16, "
        "all others 64. `user_t` is a pointer into user\nmemory, `virt_t` a user address. "
        "A call is complete if it does all that its manual page describes, except features\nthat "
        "the kernel lacks as a whole (threads, namespaces, capabilities, security modules, swap, "
        "file systems on disks).\n\n",
        count(0), count(1));
    print_existing(out);
    fprintf(out, "\n## Missing calls (ENOSYS)\n\n");
    print_missing(out);
}

/* True if the file has the text that print_list() has printed into `list`. */
static int is_same(FILE *list, FILE *file)
{
    int a, b;
    rewind(list);
    do {
        a = fgetc(list);
        b = fgetc(file);
    } while (a == b && a != EOF);
    return a == b;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_list(stdout);
        return 0;
    }
    FILE *list = tmpfile(), *file = fopen(argv[1], "r");
    if (!list || !file) {
        perror(argv[1]);
        return 1;
    }
    print_list(list);
    if (is_same(list, file))
        return 0;
    fprintf(stderr, "%s is not what the table says: ninja -C build syscalls-md\n", argv[1]);
    return 1;
}
