#include "dev/window_port.h"

#include <stdint.h>

#include "arch/cpu.h"
#include "dev/timer.h"
#include "dev/uart.h"

#define LINE_COM2 3

static bool is_there;

static void put(unsigned reg, uint8_t value)
{
    cpu_outb((uint16_t)(COM2 + reg), value);
}

static uint8_t get(unsigned reg)
{
    return cpu_inb((uint16_t)(COM2 + reg));
}

void window_port_init(void)
{
    put(UART_SCR, 0x5a);
    is_there = get(UART_SCR) == 0x5a;
    if (!is_there)
        return;
    put(UART_LCR, LCR_DLAB);
    put(UART_DATA, 1); /* 115200 */
    put(UART_IER, 0);
    put(UART_LCR, LCR_8N1);
    put(UART_FCR, 0); /* FIFOs off: emulators then wait for each byte to be read */
    put(UART_MCR, MCR_INTERRUPT_ON);
    put(UART_IER, IER_RECEIVED);
    timer_enable_line(LINE_COM2);
}

bool window_port_read(char *byte)
{
    if (!is_there || !(get(UART_LSR) & LSR_DATA_READY))
        return false;
    *byte = (char)get(UART_DATA);
    return true;
}
