/* The terminal on the console: line editing, echo and the ioctls that programs ask terminals for
 * (termios(3)). */
#ifndef UMBRA_FILE_TTY_H
#define UMBRA_FILE_TTY_H

#include <stdbool.h>
#include <stdint.h>

struct file_ops;

void tty_init(void);

extern const struct file_ops tty_ops;

/* The session of the terminal, and its foreground process group (Linux's tty_jobctrl.c). There is
 * one terminal. At boot it is the controlling terminal of process 1's session, without a request.
 * The leader of another session can take it from there. */

struct file;
struct process;

void tty_session_init(void);

/* True if the terminal is the controlling terminal of the process. */
bool tty_controls(const struct process *process);

/* Call it when the terminal is opened: it becomes the controlling terminal of a leader without
 * one. */
void tty_session_opened(const struct file *file);

/* The foreground group; 0: none. */
int tty_foreground(void);

/* Sends a signal to all processes of the foreground group. */
void tty_signal_foreground(int signal);

/* Call it before the current process reads (SIGTTIN) or changes the terminal (SIGTTOU). Returns 0
 * in the foreground. In the background it returns -ERESTARTSYS after sending the signal, or -EIO if
 * the signal has no effect: no process is ever stopped. */
int tty_check_foreground(int signal);

/* TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY; -ENOTTY for all others. */
int tty_session_ioctl(const struct file *file, unsigned request, uint64_t argument);

/* Call it when a process ends: a leader's terminal then has no session. */
void tty_session_exit(struct process *process);

/* The size of the terminal's window. The console is a serial line, which has none, so the host sends the
 * size of its own window, as lines "ROWS COLUMNS" on the second serial port. The size at boot is in the
 * word window=ROWSxCOLUMNS of the command line. */

void tty_window_init(void);

/* Takes the waiting bytes of the second serial port. A new size sends SIGWINCH to the foreground. */
void tty_window_interrupt(void);

/* TIOCGWINSZ and TIOCSWINSZ; -ENOTTY for other requests. */
int tty_window_ioctl(unsigned request, uint64_t argument);

/* Bytes typed on the console, stored from the interrupt until a process reads them. */

/* Reads the bytes of the serial port and wakes the readers. To be called as well whenever the ring has got room: a
 * byte that waits in the port since the ring was full causes no further interrupt. */
void console_input_interrupt(void);

#endif
