#include "file/tty.h"

#include <stdbool.h>

#include "dev/console.h"
#include "dev/timer.h"
#include "file/devices.h"
#include "file/files.h"
#include "file/tty_line.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "task/process.h"

/* asm/ioctls.h of Linux x86-64 */
#define TCGETS   0x5401
#define TCSETS   0x5402
#define TCSETSW  0x5403
#define TCSETSF  0x5404
#define TCSBRK   0x5409
#define TCXONC   0x540a
#define TCFLSH   0x540b
#define TIOCOUTQ 0x5411
#define FIONREAD 0x541b
#define TCSBRKP  0x5425

#define TCIFLUSH  0
#define TCIOFLUSH 2

#define VTIME_NS  100000000ull
#define PART_SIZE 256 /* bytes that are copied at a time */

void tty_init(void)
{
    tty_line_init();
    tty_session_init();
    tty_window_init();
    console_enable_input();
}

/* Moves bytes that are ready into buf, at most one line in canonical mode. *ends: it was the last of the line. */
static size_t take_ready(char *buf, size_t size, bool *ends)
{
    size_t n = 0;
    *ends = false;
    while (n < size && tty.start != tty_readable() && !*ends) {
        uint16_t c = tty.input[tty.start++ % INPUT_SIZE];
        *ends = tty_flag(ICANON) && (c & LINE_ENDS);
        if (!*ends || c != END_OF_FILE)
            buf[n++] = (char)c;
    }
    return n;
}

/* A read that was filled up to a ^D has read that too. */
static void skip_end(void)
{
    if (tty_flag(ICANON) && tty.start != tty_readable() &&
        tty.input[tty.start % INPUT_SIZE] == END_OF_FILE)
        tty.start++;
}

/* Copies what is ready, or a line of it. Returns the bytes, or -EFAULT. */
static int64_t copy_ready(struct user_iter *to, bool *ends)
{
    int64_t total = 0;
    *ends = false;
    while (to->left > 0 && tty.start != tty_readable() && !*ends) {
        char part[PART_SIZE];
        size_t n = take_ready(part, to->left < sizeof(part) ? to->left : sizeof(part), ends);
        if (user_iter_put(to, part, n) < n)
            return -EFAULT;
        total += (int64_t)n;
    }
    if (!*ends && to->left == 0)
        skip_end();
    return total;
}

/* How a read of plain bytes waits: for `min` bytes, until `deadline`, which is pushed back by `between`
 * whenever bytes have come (termios(3), "noncanonical mode"). */
struct patience {
    size_t min;
    uint64_t deadline, between; /* 0: no time */
};

static struct patience patience_now(void)
{
    uint64_t time = tty.termios.cc[VTIME] * VTIME_NS;
    struct patience p = {tty.termios.cc[VMIN], SLEEP_FOREVER, 0};
    if (tty_flag(ICANON))
        return (struct patience){1, SLEEP_FOREVER, 0};
    if (p.min > 0)
        p.between = time;
    else
        p = (struct patience){1, time ? timer_monotonic_ns() + time : 0, 0};
    return p;
}

/* Waits until there is something to read. Returns 0, 1 if the time is over, or an error. */
static int wait_for_input(const struct file *file, uint64_t deadline)
{
    while (tty.start == tty_readable()) {
        if (deadline != SLEEP_FOREVER && timer_monotonic_ns() >= deadline)
            return 1;
        if (file->vfs.flags & O_NONBLOCK)
            return -EAGAIN;
        if (sched_sleep(&tty.waiters, deadline) == -EINTR)
            return -ERESTARTSYS;
    }
    return 0;
}

static int64_t tty_read(struct file *file, struct user_iter *to)
{
    int64_t total = 0;
    if (to->left == 0)
        return 0;
    int error = tty_check_foreground(SIGTTIN);
    if (error)
        return error;
    struct patience p = patience_now();
    for (bool ends = false; to->left > 0 && !ends && (size_t)total < p.min;) {
        int outcome = wait_for_input(file, p.deadline);
        if (outcome != 0)
            return total > 0 || outcome > 0 ? total : outcome;
        int64_t n = copy_ready(to, &ends);
        console_input_interrupt();
        if (n < 0)
            return n;
        total += n;
        if (p.between > 0)
            p.deadline = timer_monotonic_ns() + p.between;
    }
    return total;
}

/* Waits while output is stopped. */
static int wait_for_output(const struct file *file)
{
    while (tty.stopped) {
        if (file->vfs.flags & O_NONBLOCK)
            return -EAGAIN;
        if (sched_sleep(&tty.waiters, SLEEP_FOREVER) == -EINTR)
            return -ERESTARTSYS;
    }
    return 0;
}

static int64_t tty_write(struct file *file, struct user_iter *from)
{
    int64_t total = 0;
    int error = tty_flag(TOSTOP) ? tty_check_foreground(SIGTTOU) : 0;
    if (error)
        return error;
    while (from->left > 0) {
        error = wait_for_output(file);
        if (error)
            return total ? total : error;
        char part[PART_SIZE];
        size_t wanted = from->left < sizeof(part) ? from->left : sizeof(part);
        size_t n = user_iter_take(from, part, wanted);
        tty_put(part, n);
        total += (int64_t)n;
        if (n < wanted)
            return total ? total : -EFAULT;
        if (from->left > 0 && sched_point() != 0)
            break;
    }
    return total;
}

static int set_termios(uint64_t argument, bool discards)
{
    struct termios wanted;
    int error = tty_check_foreground(SIGTTOU);
    if (error)
        return error;
    if (copy_from_user(&wanted, user_ptr(argument), sizeof(wanted)) != 0)
        return -EFAULT;
    if (discards)
        tty_flush_input();
    tty_set(&wanted);
    console_input_interrupt();
    return 0;
}

static int control_flow(uint64_t action)
{
    int error = tty_check_foreground(SIGTTOU);
    return error ? error : tty_flow(action);
}

static int flush(uint64_t which)
{
    int error = tty_check_foreground(SIGTTOU);
    if (error || which > TCIOFLUSH)
        return error ? error : -EINVAL;
    if (which == TCIFLUSH || which == TCIOFLUSH) {
        tty_flush_input();
        console_input_interrupt();
    }
    return 0;
}

static unsigned bytes_ready(void)
{
    unsigned count = 0;
    for (unsigned at = tty.start; at != tty_readable(); at++)
        count += !tty_flag(ICANON) || tty.input[at % INPUT_SIZE] != END_OF_FILE;
    return count;
}

static int tell(uint64_t argument, unsigned number)
{
    return copy_to_user(user_ptr(argument), &number, sizeof(number));
}

static int tty_ioctl(struct file *file, unsigned request, uint64_t argument)
{
    switch (request) {
    case TCGETS:
        return copy_to_user(user_ptr(argument), &tty.termios, sizeof(tty.termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(argument, request == TCSETSF);
    case TCSBRK: /* output is never buffered, and a break is not sent */
    case TCSBRKP:
        return tty_check_foreground(SIGTTOU);
    case TCXONC:
        return control_flow(argument);
    case TCFLSH:
        return flush(argument);
    case TIOCOUTQ:
        return tell(argument, 0);
    case FIONREAD:
        return tell(argument, bytes_ready());
    default: {
        int result = tty_window_ioctl(request, argument);
        return result == -ENOTTY ? tty_session_ioctl(file, request, argument) : result;
    }
    }
}

static unsigned tty_poll(struct file *file)
{
    unsigned wanted = 1;
    (void)file;
    if (!tty_flag(ICANON) && tty.termios.cc[VTIME] == 0 && tty.termios.cc[VMIN] > 0)
        wanted = tty.termios.cc[VMIN];
    return (tty.stopped ? 0 : POLLOUT | POLLWRNORM) |
           (tty_readable() - tty.start >= wanted ? POLLIN | POLLRDNORM : 0);
}

static struct wait_queue *tty_poll_queue(struct file *file)
{
    (void)file;
    return &tty.waiters;
}

const struct file_ops tty_ops = {
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .poll = tty_poll,
    .poll_queue = tty_poll_queue,
};

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
