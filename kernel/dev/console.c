#include "dev/console.h"

#include <stdint.h>

#include "arch/cpu.h"
#include "dev/timer.h"

/* The console, and the serial port that tells the size of its window. */

#define DEBUG_PORT 0xe9

static bool serial_absent;
static bool line_open;

static uint8_t uart_in(unsigned reg)
{
    return cpu_inb((uint16_t)(COM1 + reg));
}

static void uart_out(unsigned reg, uint8_t value)
{
    cpu_outb((uint16_t)(COM1 + reg), value);
}

void console_init(void)
{
    uart_out(UART_SCR, 0x5a);
    if (uart_in(UART_SCR) != 0x5a) {
        serial_absent = true;
        return;
    }
    uart_out(UART_IER, 0);
    uart_out(UART_LCR, LCR_DLAB);
    uart_out(UART_DATA, 1); /* 115200 */
    uart_out(UART_IER, 0);
    uart_out(UART_LCR, LCR_8N1);
    uart_out(UART_FCR, 0x00); /* FIFOs off: emulators then wait for each byte to be read */
    uart_out(UART_MCR, MCR_INTERRUPT_ON);
}

static void wait_for(uint8_t lsr_bits)
{
    while ((uart_in(UART_LSR) & lsr_bits) != lsr_bits)
        ;
}

static void serial_write(char c)
{
    wait_for(LSR_THR_EMPTY);
    uart_out(UART_DATA, (uint8_t)c);
}

static inline void write(const char *text, size_t size, bool returns)
{
    const bool has_serial = !serial_absent;
    for (size_t i = 0; i < size; i++) {
        if (has_serial && returns && text[i] == '\n')
            serial_write('\r');
        if (has_serial)
            serial_write(text[i]);
        cpu_outb(DEBUG_PORT, (uint8_t)text[i]);
    }
    if (size > 0)
        line_open = text[size - 1] != '\n';
}

void console_write(const char *text, size_t size)
{
    write(text, size, true);
}

void console_write_plain(const char *text, size_t size)
{
    write(text, size, false);
}

void console_start_line(void)
{
    if (line_open)
        console_write("\n", 1);
}

void console_flush(void)
{
    if (!serial_absent)
        wait_for(LSR_TRANSMITTER_EMPTY);
}

void console_enable_input(void)
{
    if (!serial_absent)
        uart_out(UART_IER, IER_RECEIVED);
}

bool console_read_byte(char *byte)
{
    if (serial_absent || !(uart_in(UART_LSR) & LSR_DATA_READY))
        return false;
    *byte = (char)uart_in(UART_DATA);
    return true;
}

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
