/* Bytes typed on the console, kept from the interrupt until somebody reads them. */
#ifndef UMBRA_FILE_CONSOLE_INPUT_H
#define UMBRA_FILE_CONSOLE_INPUT_H

/* Takes what the serial port has and wakes who waits for it. */
void console_input_interrupt(void);

#endif
