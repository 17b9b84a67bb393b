/*
 * What is typed at a whole kernel's terminal, and what a program reads of it.
 *
 * Input: bytes that are typed, except that 0xff and the byte after it are a read() of so many bytes, and 0xfe changes
 * between lines that are edited and plain bytes.
 * Proves: every read returns what a naive terminal would give, to the last byte; the kernel's books are right after
 * each call.
 * Does not prove: signals from keys, other termios flags, several readers.
 * Oracles: a naive terminal of two arrays; the checks of kernel/host/check.h.
 * Rate: 350/s
 */
#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/machine.h"
#include "lib/errno.h"
#include "proc/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Stacks of threads are left in the middle of a function: nothing of theirs is kept. */
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0:quarantine_size_mb=8:malloc_context_size=4";
}

#define TYPED_MAX   2048      /* less than the terminal keeps */
#define LINE_ENDS   0x100     /* the mark of a byte that ends its line */
#define END_OF_FILE LINE_ENDS /* with NUL: it only ends the line */
#define TERMIOS     (USER_DATA + 0x1000)
#define BUFFER      (USER_DATA + 0x2000)
#define LFLAG       12 /* offset in struct termios */
#define ICANON      2u

static const uint8_t *input;
static size_t input_size;

/* The naive terminal. */
static uint16_t ready[TYPED_MAX], line[TYPED_MAX];
static size_t nr_ready, nr_line;
static bool edits, is_literal;

/* Of the line: it ends, and can be read. */
static void line_is_ready(void)
{
    memcpy(ready + nr_ready, line, nr_line * sizeof(line[0]));
    nr_ready += nr_line;
    nr_line = 0;
}

static bool is_of_word(uint8_t c)
{
    return isalnum(c) || c == '_' || (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

static void erase_word(void)
{
    size_t word_end = nr_line;
    while (word_end > 0 && !is_of_word((uint8_t)line[word_end - 1]))
        word_end--;
    nr_line = word_end;
    while (nr_line > 0 && is_of_word((uint8_t)line[nr_line - 1]))
        nr_line--;
}

static void type_naively(uint8_t c)
{
    if (!is_literal && (c == 17 || c == 19))
        return; /* ^Q and ^S are for the output */
    if (!is_literal && c == '\r')
        c = '\n';
    bool ends = !edits || (!is_literal && (c == '\n' || c == 4));
    if (is_literal || !edits)
        line[nr_line++] = c;
    else if (c == 127)
        nr_line -= nr_line > 0;
    else if (c == 21)
        nr_line = 0;
    else if (c == 23)
        erase_word();
    else if (c == 4)
        line[nr_line++] = END_OF_FILE;
    else if (c != 18 && c != 22)
        line[nr_line++] = c | (ends ? LINE_ENDS : 0);
    is_literal = edits && !is_literal && c == 22;
    if (ends)
        line_is_ready();
}

/* A read of a line that is filled takes a ^D after it too. */
static long read_naively(char *to, size_t size)
{
    size_t n = 0, taken = 0;
    bool ends = false;
    if (nr_ready == 0)
        return -EAGAIN;
    while (n < size && taken < nr_ready && !ends) {
        uint16_t c = ready[taken++];
        ends = edits && (c & LINE_ENDS);
        if (!ends || c != END_OF_FILE)
            to[n++] = (char)c;
    }
    if (edits && !ends && taken < nr_ready && ready[taken] == END_OF_FILE)
        taken++;
    nr_ready -= taken;
    memmove(ready, ready + taken, nr_ready * sizeof(ready[0]));
    return (long)n;
}

static void read_and_compare(size_t size)
{
    char wanted[256], got[256];
    long count = read_naively(wanted, size);
    long answer = sys(SYS_read, 0, BUFFER, size);
    if (answer != count)
        host_fail("read(%zu) returned %ld, not %ld", size, answer, count);
    if (count <= 0)
        return;
    user_read(got, BUFFER, (size_t)count);
    if (memcmp(got, wanted, (size_t)count) != 0)
        host_fail("read(%zu) returned other bytes", size);
}

static void change_mode(void)
{
    edits = !edits;
    uint32_t flags = (uint32_t)user_load(TERMIOS + LFLAG) ^ ICANON;
    user_write(TERMIOS + LFLAG, &flags, sizeof(flags));
    if (sys(SYS_ioctl, 0, 0x5402 /* TCSETS */, TERMIOS) != 0)
        host_fail("TCSETS failed");
    line_is_ready();
    for (size_t i = 0; i < nr_ready; i++)
        ready[i] &= 0xff;
    if (edits && nr_ready > 0)
        ready[nr_ready - 1] |= LINE_ENDS;
    is_literal = false;
}

/* Types the bytes up to the next 0xfe or 0xff. NUL ends a string, and ^C, ^Z and ^\ are signals. */
static size_t type_some(size_t at)
{
    char text[TYPED_MAX + 1];
    size_t n = 0;
    for (; at < input_size && input[at] < 0xfe; at++) {
        uint8_t c = input[at];
        if (c == 0 || c == 3 || c == 26 || c == 28 || c == 0xa5 || c == 0xaa)
            c = 'x';
        text[n++] = (char)c;
        type_naively(c);
    }
    text[n] = '\0';
    user_type(text);
    return at;
}

static void reads(void)
{
    (void)sys(SYS_fcntl, 0, F_SETFL, O_RDWR | O_NONBLOCK);
    if (sys(SYS_ioctl, 0, 0x5401 /* TCGETS */, TERMIOS) != 0)
        host_fail("TCGETS failed");
    for (size_t at = 0; at < input_size;) {
        if (input[at] == 0xff && at + 1 < input_size) {
            read_and_compare(1 + input[at + 1] % 255);
            at += 2;
        } else if (input[at] >= 0xfe) {
            change_mode();
            at++;
        } else {
            at = type_some(at);
        }
    }
    while (nr_ready > 0)
        read_and_compare(255);
    read_and_compare(255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct machine_options options = {.frames = 1024, .check_calls = true};
    input = data;
    input_size = size < TYPED_MAX ? size : TYPED_MAX;
    nr_ready = nr_line = 0;
    edits = true;
    is_literal = false;
    struct machine_end end = machine_run(reads, &options);
    if (end.verdict != VERDICT_EXIT || end.value != 0)
        host_fail("the machine ends with verdict %d, %u", (int)end.verdict, end.value);
    return 0;
}
