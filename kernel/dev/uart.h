/* The registers of a 16550 serial port, and the ports of the first two. */
#ifndef UMBRA_DEV_UART_H
#define UMBRA_DEV_UART_H

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
