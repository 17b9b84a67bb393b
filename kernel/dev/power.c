#include "dev/power.h"

#include <stddef.h>

#include "arch/cpu.h"
#include "dev/console.h"
#include "dev/print.h"

#define QEMU_DEBUG_EXIT 0xf4   /* QEMU's isa-debug-exit: exit code (value << 1) | 1 */
#define QEMU_ACPI_PM1A  0x604  /* PM1a control block of QEMU's PC machines */
#define ACPI_SLEEP_S5   0x2000 /* SLP_EN with SLP_TYP 0 */
#define BOCHS_SHUTDOWN  0x8900
#define RESET_CONTROL   0xcf9
#define KEYBOARD_STATUS 0x64

static _Noreturn void machine_off(unsigned status)
{
    static const char shutdown[] = "Shutdown";
    cpu_cli();
    console_flush();
    cpu_outb(QEMU_DEBUG_EXIT, (uint8_t)status);
    cpu_outw(QEMU_ACPI_PM1A, ACPI_SLEEP_S5);
    for (size_t i = 0; i < sizeof(shutdown) - 1; i++)
        cpu_outb(BOCHS_SHUTDOWN, (uint8_t)shutdown[i]);
    for (;;)
        cpu_hlt();
}

void power_off(enum verdict verdict, unsigned value)
{
    unsigned status = 125;
    switch (verdict) {
    case VERDICT_EXIT:
        print("verdict: exit %u", value);
        status = value;
        break;
    case VERDICT_SIGNAL:
        print("verdict: signal %u", value);
        status = 128 + value;
        break;
    case VERDICT_PANIC:
        print("verdict: panic");
        break;
    case VERDICT_REFUSED:
        print("verdict: refused");
        break;
    case VERDICT_NO_INIT:
        print("verdict: no init");
        break;
    }
    machine_off(status);
}

void power_reset(void)
{
    cpu_cli();
    console_flush();
    cpu_outb(RESET_CONTROL, 0x02);
    cpu_outb(RESET_CONTROL, 0x06);
    cpu_outb(KEYBOARD_STATUS, 0xfe);
    for (;;)
        cpu_hlt();
}
