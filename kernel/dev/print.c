#include "dev/print.h"

#include "dev/console.h"

void vprint(const char *fmt, va_list args)
{
    char line[PRINT_MAX];
    size_t length = vformat(line, sizeof(line), fmt, args);
    if (length >= sizeof(line))
        length = sizeof(line) - 1;
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
