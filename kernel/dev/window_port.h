/* The second serial port: the host tells there how large the window of the console is. */
#ifndef UMBRA_DEV_WINDOW_PORT_H
#define UMBRA_DEV_WINDOW_PORT_H

#include <stdbool.h>

/* Enables the port and its interrupt, if the machine has it. After timer_init(). */
void window_port_init(void);

/* Stores one byte of input and returns true, or returns false if there is none. */
bool window_port_read(char *byte);

#endif
