/* The size of the terminal's window. The console is a serial line, which has none, so the host sends the
 * size of its own window, as lines "ROWS COLUMNS" on the second serial port. The size at boot is in the
 * word window=ROWSxCOLUMNS of the command line. */
#ifndef UMBRA_FILE_TTY_WINDOW_H
#define UMBRA_FILE_TTY_WINDOW_H

#include <stdint.h>

void tty_window_init(void);

/* Takes the waiting bytes of the second serial port. A new size sends SIGWINCH to the foreground. */
void tty_window_interrupt(void);

/* TIOCGWINSZ and TIOCSWINSZ; -ENOTTY for other requests. */
int tty_window_ioctl(unsigned request, uint64_t argument);

#endif
