/* The console: the first serial port and Bochs's debug port, which both get every byte. Input comes
 * from the serial port. */
#ifndef UMBRA_DEV_CONSOLE_H
#define UMBRA_DEV_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Sets the serial port to 115200 8N1 without FIFOs. Before it, writing works on what firmware
 * set up. A port that is not there (floating bus) is then left alone. */
void console_init(void);

/* Writes all bytes; a line feed goes to the serial port as CR LF. Waits for the device. */
void console_write(const char *text, size_t size);

/* Begins a new line unless the last byte written ended one. */
void console_start_line(void);

/* Waits until the last byte has left the serial port, so that power-off loses none. */
void console_flush(void);

/* From now on the serial port interrupts for input. */
void console_enable_input(void);

/* Stores one byte of input and returns true, or returns false if there is none. */
bool console_read_byte(char *byte);

#endif
