/* Bytes typed on the console, stored from the interrupt until a process reads them. */
#ifndef UMBRA_FILE_CONSOLE_INPUT_H
#define UMBRA_FILE_CONSOLE_INPUT_H

/* Reads the bytes of the serial port and wakes the readers. */
void console_input_interrupt(void);

#endif
