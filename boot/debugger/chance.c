/* Loaded into Bochs before the C library, so that a machine does the same in each run at each tick.
 *
 * Its RDRAND draws from rand(), which would differ: here is another one.
 *
 * It looks for keys on the serial line at ticks that are the same in each run, by select() and read() on the
 * terminal UMBRA_LINE. Each key that it gets is recorded in the file UMBRA_KEYS, with the number of the look.
 * As long as the file has keys that were not given yet, they are given at their looks, and no others.
 *
 * The user stops the machine at a look too, which is recorded like a key.
 *
 * At each stop Bochs draws the screen. For that it asks for the time, by which the next interrupt of the timer comes some
 * ticks earlier or later: a machine would not do the same after other stops. So the screen is not drawn. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The file has this, then a struct key for each key. */
struct head {
    uint64_t given; /* the number of keys that were given */
    uint64_t stop;  /* not 0: stop at the next look */
};

#define STOP 256 /* instead of a byte */

struct key {
    uint64_t look, byte;
};

static uint64_t state = 0x9e3779b97f4a7c15;
static uint64_t looks, given;
static int line = -1, file = -1;
static bool is_waiting; /* a look has found a key: read() will ask for it */
static uint8_t waiting;

/* The function of Bochs' VGA: bx_vgacore_c::refresh_display(void *, bool). */
void refresh_display(void *vga, bool redraw) __asm__("_ZN12bx_vgacore_c15refresh_displayEPvb");

void refresh_display(void *vga, bool redraw)
{
    (void)vga;
    (void)redraw;
}

int rand(void)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (int)(state >> 33);
}

void srand(unsigned seed)
{
    (void)seed;
}

static bool is_line(int descriptor)
{
    const char *path = getenv("UMBRA_LINE"), *keys = getenv("UMBRA_KEYS");
    struct stat wanted, found;
    if (line < 0 && path && keys && stat(path, &wanted) == 0 && fstat(descriptor, &found) == 0 &&
        S_ISCHR(found.st_mode) && found.st_rdev == wanted.st_rdev) {
        line = descriptor;
        file = open(keys, O_RDWR | O_CLOEXEC);
    }
    return file >= 0 && descriptor == line;
}

static void write_file(const void *bytes, size_t size, off_t place)
{
    if (pwrite(file, bytes, size, place) != (ssize_t)size)
        abort();
}

static bool is_stop_wanted(void)
{
    uint64_t stop;
    return pread(file, &stop, sizeof stop, offsetof(struct head, stop)) == sizeof stop && stop != 0;
}

/* Looks for a key; `ready` says whether the terminal has one. Returns whether there is one. */
static bool look(bool ready)
{
    struct key key;
    off_t place = (off_t)(sizeof(struct head) + given * sizeof key);
    looks++;
    if (pread(file, &key, sizeof key, place) == sizeof key) {
        if (key.look != looks)
            return false;
    } else {
        if (is_stop_wanted())
            key = (struct key){looks, STOP};
        else if (ready && syscall(SYS_read, line, &waiting, 1) == 1)
            key = (struct key){looks, waiting};
        else
            return false;
        write_file(&key, sizeof key, place);
    }
    given++;
    write_file(&given, sizeof given, offsetof(struct head, given));
    if (key.byte == STOP) {
        raise(SIGINT); /* as ^C in Bochs */
        return false;
    }
    waiting = (uint8_t)key.byte;
    is_waiting = true;
    return true;
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit)
{
    bool is_look = count > 0 && reads && FD_ISSET(count - 1, reads) && is_line(count - 1);
    int found = (int)syscall(SYS_select, count, reads, writes, errors, limit);
    if (!is_look)
        return found;
    FD_ZERO(reads);
    if (!look(found > 0))
        return 0;
    FD_SET(line, reads);
    return 1;
}

ssize_t read(int descriptor, void *buffer, size_t size)
{
    if (is_waiting && descriptor == line && size > 0) {
        is_waiting = false;
        *(uint8_t *)buffer = waiting;
        return 1;
    }
    return syscall(SYS_read, descriptor, buffer, size);
}
