#include "file/tty.h"

#include <stdbool.h>

#include "dev/console.h"
#include "file/console_input.h"
#include "file/devices.h"
#include "file/files.h"
#include "file/tty_session.h"
#include "file/tty_window.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "task/process.h"

/* asm/termbits.h, asm/ioctls.h of Linux x86-64 */
#define TCGETS  0x5401
#define TCSETS  0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404

#define ICRNL   0000400u
#define OPOST   0000001u
#define ONLCR   0000004u
#define ISIG    0000001u
#define ICANON  0000002u
#define ECHO    0000010u
#define ECHOE   0000020u
#define ECHOCTL 0001000u
#define IEXTEN  0100000u

enum { VINTR = 0, VQUIT = 1, VERASE = 2, VKILL = 3, VEOF = 4, VTIME = 5, VMIN = 6 };

struct termios {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line;
    uint8_t cc[19];
};

#define CONTROL    0x40 /* between a control character and its letter */
#define INPUT_SIZE 4096

/* One terminal. `input` is a ring of bytes: those before `ready` can be read, those between ready and
 * `end` are the line that is being edited. END_OF_FILE marks a ^D. */
static struct {
    struct termios termios;
    uint16_t input[INPUT_SIZE];
    unsigned start, ready, end;
    struct wait_queue readers;
} tty;

#define END_OF_FILE 0x100u

void tty_init(void)
{
    tty.termios = (struct termios){
        .iflag = ICRNL,
        .oflag = OPOST | ONLCR,
        .cflag = 0x1cb2, /* 115200, 8 bits, CREAD, HUPCL */
        .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOCTL | IEXTEN,
        .cc = {[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1},
    };
    tty.start = tty.ready = tty.end = 0;
    tty_session_init();
    tty_window_init();
    wait_queue_init(&tty.readers);
    console_enable_input();
}

static bool flag(uint32_t bit)
{
    return tty.termios.lflag & bit;
}

static void echo(char c)
{
    if (flag(ECHO))
        console_write(&c, 1);
}

static void erase_one(void)
{
    if (tty.end == tty.ready)
        return;
    tty.end--;
    if (flag(ECHO))
        console_write("\b \b", 3);
}

static void append(uint16_t c)
{
    if (tty.end - tty.start < INPUT_SIZE)
        tty.input[tty.end++ % INPUT_SIZE] = c;
}

static bool edit_line(char c)
{
    if (c == (char)tty.termios.cc[VERASE] || c == '\b')
        erase_one();
    else if (c == (char)tty.termios.cc[VKILL])
        while (tty.end != tty.ready)
            erase_one();
    else if (c == (char)tty.termios.cc[VEOF]) {
        append(END_OF_FILE);
        return true;
    } else {
        append((uint8_t)c);
        echo(c);
        return c == '\n';
    }
    return false;
}

static void take_byte(char c)
{
    if (c == '\r' && (tty.termios.iflag & ICRNL))
        c = '\n';
    if (flag(ISIG) && (c == (char)tty.termios.cc[VINTR] || c == (char)tty.termios.cc[VQUIT])) {
        tty.end = tty.ready;
        if (flag(ECHO) && flag(ECHOCTL))
            console_write((const char[]){'^', (char)(c ^ CONTROL)}, 2);
        tty_signal_foreground(c == (char)tty.termios.cc[VINTR] ? SIGINT : SIGQUIT);
        return;
    }
    bool whole = true;
    if (flag(ICANON)) {
        whole = edit_line(c);
    } else {
        append((uint8_t)c);
        echo(c);
    }
    if (whole) {
        tty.ready = tty.end;
        sched_wake_all(&tty.readers);
    }
}

void console_input_interrupt(void)
{
    char c;
    /* If the ring is full, the byte stays in the port, and the sender waits. */
    while (tty.end - tty.start < INPUT_SIZE && console_read_byte(&c))
        take_byte(c);
}

/* Moves the readable bytes into buf, at most one line in canonical mode. */
static size_t take_ready(char *buf, size_t size)
{
    size_t n = 0;
    while (n < size && tty.start != tty.ready) {
        uint16_t c = tty.input[tty.start++ % INPUT_SIZE];
        if (c == END_OF_FILE)
            break;
        buf[n++] = (char)c;
        if (c == '\n' && flag(ICANON))
            break;
    }
    return n;
}

static int64_t tty_read(struct file *file, struct user_iter *to)
{
    char line[256];
    if (to->left == 0)
        return 0;
    int error = tty_check_foreground(SIGTTIN);
    if (error)
        return error;
    while (tty.start == tty.ready) {
        if (file->vfs.flags & O_NONBLOCK)
            return -EAGAIN;
        if (!flag(ICANON) && tty.termios.cc[VMIN] == 0 && tty.termios.cc[VTIME] == 0)
            return 0;
        if (sched_sleep(&tty.readers, SLEEP_FOREVER) != 0)
            return -ERESTARTSYS;
    }
    size_t n = take_ready(line, to->left < sizeof(line) ? to->left : sizeof(line));
    console_input_interrupt();
    return user_iter_put(to, line, n) == n ? (int64_t)n : -EFAULT;
}

static int64_t tty_write(struct file *file, struct user_iter *from)
{
    int64_t total = 0;
    (void)file;
    while (from->left > 0) {
        char part[256];
        size_t wanted = from->left < sizeof(part) ? from->left : sizeof(part);
        size_t n = user_iter_take(from, part, wanted);
        console_write(part, n);
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
        tty.start = tty.ready = tty.end;
    tty.termios = wanted;
    if (!flag(ICANON) && tty.ready != tty.end) {
        tty.ready = tty.end;
        sched_wake_all(&tty.readers);
    }
    return 0;
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
    default: {
        int result = tty_window_ioctl(request, argument);
        return result == -ENOTTY ? tty_session_ioctl(file, request, argument) : result;
    }
    }
}

static unsigned tty_poll(struct file *file)
{
    (void)file;
    return POLLOUT | POLLWRNORM | (tty.start != tty.ready ? POLLIN | POLLRDNORM : 0);
}

static struct wait_queue *tty_poll_queue(struct file *file)
{
    (void)file;
    return &tty.readers;
}

const struct file_ops tty_ops = {
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .poll = tty_poll,
    .poll_queue = tty_poll_queue,
};
