/* Functions that the portable part of the kernel calls and the host supplies: panics, console,
 * random numbers; and memory for both. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dev/console.h"
#include "dev/random.h"
#include "host/fail.h"
#include "host/ram.h"
#include "lib/check.h"

static jmp_buf catcher;
static bool catching;
static char message[1024];

void (*host_fail_leave)(void);

void host_fail_end(void)
{
    if (catching)
        longjmp(catcher, 1);
    fprintf(stderr, "%s\n", message);
    abort();
}

static _Noreturn void end(void)
{
    if (catching && host_fail_leave)
        host_fail_leave();
    host_fail_end();
}

void host_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    end();
}

/* Programs lie below 0x570000000000, with the break, and some TiB below the end of user addresses. */
#define HOST_MAP 0x5a0000000000ull

uint8_t *host_map(size_t count, size_t bytes)
{
    static uint64_t next = HOST_MAP;
    const size_t each = PAGE_SIZE + bytes, size = count * each + PAGE_SIZE;
    uint8_t *mapped =
        mmap((void *)next, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        host_fail("no %zu bytes for the kernel", size);
    for (size_t i = 0; i < count; i++)
        if (mprotect(mapped + i * each + PAGE_SIZE, bytes, PROT_READ | PROT_WRITE))
            host_fail("%zu bytes for the kernel stay inaccessible", bytes);
    next += size;
    return mapped;
}

void panic(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    end();
}

void check_failed(const char *file, int line, const char *condition, const char *fmt, ...)
{
    va_list args;
    int n = snprintf(message, sizeof(message), "%s:%d: %s does not hold:", file, line, condition);
    va_start(args, fmt);
    vsnprintf(message + n, sizeof(message) - (size_t)n, fmt, args);
    va_end(args);
    end();
}

const char *fail_of(void (*run)(void *ctx), void *ctx)
{
    if (catching)
        abort();
    if (setjmp(catcher) == 0) {
        catching = true;
        run(ctx);
        catching = false;
        return NULL;
    }
    catching = false;
    return message;
}

static char output[8192];
static size_t output_length;
static char input[8192]; /* a ring of typed bytes */
static size_t input_start, input_end;

void console_write_plain(const char *text, size_t size)
{
    if (size >= sizeof(output) - output_length)
        output_length = 0;
    if (size >= sizeof(output))
        return;
    memcpy(output + output_length, text, size);
    output_length += size;
    output[output_length] = '\0';
}

bool console_shows_returns;

void console_write(const char *text, size_t size)
{
    for (size_t i = 0; console_shows_returns && i < size; i++) {
        if (text[i] == '\n')
            console_write_plain("\r", 1);
        console_write_plain(text + i, 1);
    }
    if (!console_shows_returns)
        console_write_plain(text, size);
}

void console_start_line(void)
{
    if (output_length > 0 && output[output_length - 1] != '\n')
        console_write("\n", 1);
}

void console_init(void)
{
}

void console_flush(void)
{
}

void console_enable_input(void)
{
    input_start = input_end = 0;
}

void console_type(const char *text)
{
    while (*text)
        input[input_end++ % sizeof(input)] = *text++;
}

bool console_has_input(void)
{
    return input_start != input_end;
}

bool console_read_byte(char *byte)
{
    if (!console_has_input())
        return false;
    *byte = input[input_start++ % sizeof(input)];
    return true;
}

static const char *window_bytes = "";

void window_type(const char *text)
{
    window_bytes = text;
}

void window_port_init(void)
{
    window_bytes = "";
}

bool window_port_read(char *byte)
{
    if (!*window_bytes)
        return false;
    *byte = *window_bytes++;
    return true;
}

const char *console_text(void)
{
    return output;
}

void console_forget(void)
{
    output_length = 0;
    output[0] = '\0';
}

static unsigned long long random_state = 1;

void random_seed(unsigned long long seed)
{
    random_state = seed * 2 + 1;
}

/* A multiplicative congruential generator. Only its high bits are random enough. */
uint64_t random_u64(void)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 2; i++) {
        random_state *= 6364136223846793005ull;
        word = word << 32 | random_state >> 32;
    }
    return word;
}

void random_init(void)
{
}

void random_bytes(void *to, size_t size)
{
    for (uint8_t *p = to; size > 0; size--)
        *p++ = (uint8_t)random_u64();
}
