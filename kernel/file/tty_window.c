#include "file/tty_window.h"

#include <stdbool.h>

#include "dev/window_port.h"
#include "file/tty_session.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "task/process.h"

/* asm/ioctls.h of Linux x86-64 */
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414

#define ROWS_DEFAULT    24
#define COLUMNS_DEFAULT 80

struct winsize {
    uint16_t rows, columns, x_pixels, y_pixels;
};

/* A line "ROWS COLUMNS" as far as it is read. */
struct size_line {
    uint32_t numbers[2];
    unsigned field, digits; /* of the number that is being read */
    bool is_wrong;
};

static struct winsize window;
static struct size_line line;

static void set_size(struct winsize size)
{
    bool changed = size.rows != window.rows || size.columns != window.columns;
    window = size;
    if (changed)
        tty_signal_foreground(SIGWINCH);
}

/* Reads one character; returns true at the end of a correct line, with both numbers above 0. */
static bool take_character(struct size_line *l, char c)
{
    if (c >= '0' && c <= '9') {
        l->numbers[l->field] = l->numbers[l->field] * 10 + (uint32_t)(c - '0');
        l->digits++;
        l->is_wrong |= l->numbers[l->field] > UINT16_MAX;
        return false;
    }
    bool separates = (c == ' ' || c == 'x') && l->field == 0;
    l->is_wrong |= l->digits == 0 || l->numbers[l->field] == 0 || (!separates && c != '\n');
    if (separates) {
        l->field = 1;
        l->digits = 0;
        return false;
    }
    return c == '\n' && l->field == 1 && !l->is_wrong;
}

static struct winsize size_of(const struct size_line *l)
{
    return (struct winsize){(uint16_t)l->numbers[0], (uint16_t)l->numbers[1], 0, 0};
}

void tty_window_init(void)
{
    const char *text = cmdline_value("window");
    struct size_line first = {0};
    while (text && *text)
        (void)take_character(&first, *text++);
    bool is_size = take_character(&first, '\n');
    window = is_size ? size_of(&first) : (struct winsize){ROWS_DEFAULT, COLUMNS_DEFAULT, 0, 0};
    line = (struct size_line){0};
    window_port_init();
}

void tty_window_interrupt(void)
{
    char c;
    while (window_port_read(&c)) {
        if (take_character(&line, c))
            set_size(size_of(&line));
        if (c == '\n')
            line = (struct size_line){0};
    }
}

int tty_window_ioctl(unsigned request, uint64_t argument)
{
    struct winsize wanted;
    if (request == TIOCGWINSZ)
        return copy_to_user(user_ptr(argument), &window, sizeof(window));
    if (request != TIOCSWINSZ)
        return -ENOTTY;
    int error = copy_from_user(&wanted, user_ptr(argument), sizeof(wanted));
    if (!error)
        set_size(wanted);
    return error;
}
