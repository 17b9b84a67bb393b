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

/* The second serial port: the host tells there how large the window of the console is. */

/* Enables the port and its interrupt, if the machine has it. After timer_init(). */
void window_port_init(void);

/* Stores one byte of input and returns true, or returns false if there is none. */
bool window_port_read(char *byte);

/* The registers of a 16550 serial port, and the ports of the first two. */

#define COM1 0x3f8
#define COM2 0x2f8

#define UART_DATA 0 /* with DLAB set: the divisor's low byte */
#define UART_IER  1 /* with DLAB set: the divisor's high byte */
#define UART_FCR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5
#define UART_SCR  7

#define LCR_DLAB 0x80
#define LCR_8N1  0x03

#define MCR_INTERRUPT_ON 0x0b /* DTR, RTS and the interrupt line */

#define IER_RECEIVED 0x01

#define LSR_DATA_READY        0x01
#define LSR_THR_EMPTY         0x20
#define LSR_TRANSMITTER_EMPTY 0x40

#endif
