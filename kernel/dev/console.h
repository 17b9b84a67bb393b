/* The console: the first serial port and Bochs's debug port. Both get every byte. Input comes from
 * the serial port. */
#ifndef UMBRA_DEV_CONSOLE_H
#define UMBRA_DEV_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Sets the serial port to 115200 8N1 without FIFOs. Before this call, output uses the firmware's
 * settings. If the port does not exist (floating bus), it is not used after this call. */
void console_init(void);

/* Writes all bytes; a line feed goes to the serial port as CR LF, except of console_write_plain(). Waits for the
 * device. */
void console_write(const char *text, size_t size);
void console_write_plain(const char *text, size_t size);

/* Begins a new line unless the last byte written was a line feed. */
void console_start_line(void);

/* Waits until the last byte has left the serial port, so that power-off loses none. */
void console_flush(void);

/* Enables the serial port's interrupt for input. */
void console_enable_input(void);

/* Stores one byte of input and returns true, or returns false if there is none. */
bool console_read_byte(char *byte);

#endif
