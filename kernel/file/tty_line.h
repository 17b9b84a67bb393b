/* What is typed at the terminal and what it shows: keys that edit the line, echo, and the processing of output
 * (Linux's N_TTY, termios(3)). Flags and keys that are not here have no effect. */
#ifndef UMBRA_FILE_TTY_LINE_H
#define UMBRA_FILE_TTY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/sched.h"

/* asm/termbits.h of Linux x86-64: c_iflag, c_oflag, c_lflag */
#define PARMRK 0000010u
#define ISTRIP 0000040u
#define INLCR  0000100u
#define IGNCR  0000200u
#define ICRNL  0000400u
#define IUCLC  0001000u
#define IXON   0002000u
#define IXANY  0004000u
#define IUTF8  0040000u

#define OPOST  0000001u
#define OLCUC  0000002u
#define ONLCR  0000004u
#define OCRNL  0000010u
#define ONOCR  0000020u
#define ONLRET 0000040u
#define XTABS  0014000u

#define ISIG    0000001u
#define ICANON  0000002u
#define ECHO    0000010u
#define ECHOE   0000020u
#define ECHOK   0000040u
#define ECHONL  0000100u
#define NOFLSH  0000200u
#define TOSTOP  0000400u
#define ECHOCTL 0001000u
#define ECHOKE  0004000u
#define IEXTEN  0100000u

#define TCOOFF 0
#define TCOON  1
#define TCIOFF 2
#define TCION  3

enum {
    VINTR,
    VQUIT,
    VERASE,
    VKILL,
    VEOF,
    VTIME,
    VMIN,
    VSWTC,
    VSTART,
    VSTOP,
    VSUSP,
    VEOL,
    VREPRINT,
    VDISCARD,
    VWERASE,
    VLNEXT,
    VEOL2
};

struct termios {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line;
    uint8_t cc[19];
};

#define INPUT_SIZE 4096

/* The mark of a byte in `input` after which a read of lines ends. */
#define LINE_ENDS   0x100u
#define END_OF_FILE LINE_ENDS /* with NUL, which such a read leaves out: ^D */

#define ECHO_SIZE 4096

/* The terminal. `input` is a ring of bytes with marks. In canonical mode those before `ready` can be read, and those
 * between ready and `end` are the line that is being edited; in the other one all can be read. `echoes` is a ring
 * of what is still to be echoed: nothing, unless output has stopped. */
struct tty {
    struct termios termios;
    uint16_t input[INPUT_SIZE];
    unsigned start, ready, end;
    bool next_is_plain;           /* the last key was VLNEXT */
    unsigned column, line_column; /* of the cursor; of the first byte of the line that is edited */
    bool stopped;                 /* output has: by VSTOP, or */
    bool stopped_by_program;      /* by TCXONC; then no key starts it */
    uint16_t echoes[ECHO_SIZE];
    unsigned echo_start, echo_end;
    struct wait_queue waiters; /* for input, and to write */
};

extern struct tty tty;

/* Sets the terminal as Linux has it after boot. */
void tty_line_init(void);

/* Whether a flag of c_lflag is set. */
static inline bool tty_flag(uint32_t bit)
{
    return tty.termios.lflag & bit;
}

/* The end of what can be read. */
static inline unsigned tty_readable(void)
{
    return tty_flag(ICANON) ? tty.ready : tty.end;
}

/* Takes another setting. Between lines and plain bytes all that was typed becomes one line, or plain bytes. */
void tty_set(const struct termios *wanted);

/* Throws away what was typed and is not read yet. */
void tty_flush_input(void);

/* Writes a program's output, processed as c_oflag says, also if output has stopped. */
void tty_put(const char *text, size_t size);

/* TCXONC: stops and starts output, or sends the key VSTOP or VSTART. Returns 0 or -EINVAL. */
int tty_flow(uint64_t action);

#endif
