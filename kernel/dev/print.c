#include "dev/print.h"

#include "dev/console.h"
#include "lib/variable.h"

/* A message has names that programs choose: they cannot begin another line or command the terminal. */
static void hide_controls(char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
}

void vprint(const char *fmt, va_list args)
{
    UNINITIALIZED char line[PRINT_MAX]; /* vformat() says how much of it is set */
    size_t length = vformat(line, sizeof(line), fmt, args);
    if (length >= sizeof(line))
        length = sizeof(line) - 1;
    hide_controls(line, length);
    console_start_line();
    console_write("umbra: ", 7);
    console_write(line, length);
    console_write("\n", 1);
}

void print(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
}
