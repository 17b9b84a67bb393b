/* The terminal on the console: line editing, echo and the ioctls that programs ask terminals for
 * (termios(3)). */
#ifndef UMBRA_FILE_TTY_H
#define UMBRA_FILE_TTY_H

struct file_ops;

void tty_init(void);

extern const struct file_ops tty_ops;

#endif
