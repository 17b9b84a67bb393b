/* Which session the terminal belongs to, and which of its process groups has it (Linux's tty_jobctrl.c).
 * There is one terminal. At the start it belongs to the session of process 1, as if that had asked for
 * it; the leader of another session that asks takes it over from there. */
#ifndef UMBRA_FILE_TTY_SESSION_H
#define UMBRA_FILE_TTY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct file;
struct process;

void tty_session_init(void);

/* Whether the terminal is the controlling one of the process. */
bool tty_controls(const struct process *process);

/* It was opened by a name that makes it the controlling terminal of a leader without one. */
void tty_session_opened(const struct file *file);

/* The group that has it; 0: none. */
int tty_foreground(void);

/* Before the current process reads (SIGTTIN) or changes the terminal (SIGTTOU): 0; from the background
 * -ERESTARTSYS after the signal has been sent, or -EIO where nothing would come of that: no process is
 * ever stopped. */
int tty_check_foreground(int signal);

/* TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY; -ENOTTY for all others. */
int tty_session_ioctl(const struct file *file, unsigned request, uint64_t argument);

/* The process ends: the terminal of a leader has no session then. */
void tty_session_exit(struct process *process);

#endif
