#include "dev/timer.h"

#include <stdbool.h>

#include "arch/cpu.h"
#include "arch/x86.h"

#define PIC1              0x20
#define PIC2              0xa0
#define PIC_DATA          1
#define PIC_EOI           0x20
#define PIC_READ_ISR      0x0b
#define PIC_SPURIOUS_LINE 7

#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND  0x43
#define PIT_GATE     0x61
#define PIT_HZ       1193182u
#define PIT_OUT2     0x20 /* of PIT_GATE: the count of channel 2 has run out */
#define TSC_TRIES    20

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

static uint64_t tsc_start, tsc_per_second;
static int64_t boot_realtime_ns, coarse_realtime_ns;

static void pic_init(void)
{
    cpu_outb(PIC1, 0x11); /* ICW1: edge, cascade, ICW4 follows */
    cpu_outb(PIC2, 0x11);
    cpu_outb(PIC1 + PIC_DATA, VEC_IRQ0);
    cpu_outb(PIC2 + PIC_DATA, VEC_IRQ0 + 8);
    cpu_outb(PIC1 + PIC_DATA, 4); /* the second one on line 2 */
    cpu_outb(PIC2 + PIC_DATA, 2);
    cpu_outb(PIC1 + PIC_DATA, 1); /* ICW4: 8086 mode */
    cpu_outb(PIC2 + PIC_DATA, 1);
    cpu_outb(PIC1 + PIC_DATA, 0xee); /* all masked but the PIT and COM1 */
    cpu_outb(PIC2 + PIC_DATA, 0xff);
}

static void pit_start_periodic(void)
{
    uint16_t divisor = PIT_HZ / TIMER_HZ;
    cpu_outb(PIT_COMMAND, 0x34); /* channel 0, both bytes, mode 2 */
    cpu_outb(PIT_CHANNEL0, (uint8_t)divisor);
    cpu_outb(PIT_CHANNEL0, (uint8_t)(divisor >> 8));
}

/* One moment on both clocks: the PIT had `count` at some time in the `width` cycles before `tsc`. */
struct moment {
    uint64_t tsc, width;
    uint16_t count;
};

static struct moment read_both_clocks(void)
{
    struct moment m;
    uint64_t before = cpu_rdtsc();
    cpu_outb(PIT_COMMAND, 0x80); /* latch the count of channel 2 */
    m.tsc = cpu_rdtsc();
    m.width = m.tsc - before;
    uint8_t low = cpu_inb(PIT_CHANNEL2);
    m.count = (uint16_t)(low | cpu_inb(PIT_CHANNEL2) << 8);
    return m;
}

/* Lets the PIT's second channel count down from its largest number. Returns the first moment at which the PIT
 * has taken that number. */
static struct moment start_countdown(void)
{
    uint8_t gate = (cpu_inb(PIT_GATE) & 0xfc) | 1; /* gate on, speaker off */
    cpu_outb(PIT_GATE, gate);
    cpu_outb(PIT_COMMAND, 0xb0); /* channel 2, both bytes, mode 0 */
    cpu_outb(PIT_CHANNEL2, 0xff);
    cpu_outb(PIT_CHANNEL2, 0xff);
    struct moment old = read_both_clocks(), m;
    do
        m = read_both_clocks();
    while (m.count == old.count && m.tsc - old.tsc < NS_PER_SECOND);
    return m;
}

/* Cycles in a second, from 1/100 s or more by the PIT; 0 if the PIT does not count. A hypervisor may stop this
 * processor anywhere, for longer than that. So a measurement goes from one moment to another, each with a known
 * width. It is repeated if they are wide, or the count has run out; with less time, if that happens often. */
static uint64_t measure_tsc(void)
{
    uint64_t per_second = 0, best_cycles = 0, best_width = 1;
    for (unsigned tries = 0; tries < TSC_TRIES; tries++) {
        struct moment first = start_countdown(), last;
        uint16_t wanted = (uint16_t)(PIT_HZ / 100 >> tries / 4), passed;
        bool ran_out;
        do {
            last = read_both_clocks();
            passed = (uint16_t)(first.count - last.count);
            ran_out = cpu_inb(PIT_GATE) & PIT_OUT2;
        } while (passed < wanted && !ran_out && last.tsc - first.tsc < NS_PER_SECOND);
        uint64_t cycles = last.tsc - first.tsc, width = first.width + last.width;
        if (passed < wanted || ran_out || width * best_cycles >= best_width * cycles)
            continue;
        best_cycles = cycles;
        best_width = width;
        per_second = cycles * PIT_HZ / passed;
        if (width <= cycles / 1000)
            break;
    }
    return per_second;
}

static uint8_t cmos(uint8_t index)
{
    cpu_outb(CMOS_INDEX, index);
    return cpu_inb(CMOS_DATA);
}

static unsigned bcd(uint8_t value, bool binary)
{
    return binary ? value : (unsigned)((value >> 4) * 10 + (value & 15));
}

/* Days from 1970-01-01 to the date in the Gregorian calendar. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    unsigned shifted = (month + 9) % 12; /* March is 0 */
    return y * 365 + y / 4 - y / 100 + y / 400 + (shifted * 306 + 5) / 10 + day - 1 - 719468;
}

static int64_t read_rtc_once(void)
{
    while (cmos(0x0a) & 0x80) /* an update is in progress */
        ;
    bool binary = cmos(0x0b) & 0x04;
    unsigned year = bcd(cmos(0x09), binary), month = bcd(cmos(0x08), binary);
    int64_t days =
        days_from_date(year < 70 ? 2000 + year : 1900 + year, month, bcd(cmos(0x07), binary));
    return ((days * 24 + bcd(cmos(0x04) & 0x7f, binary)) * 60 + bcd(cmos(0x02), binary)) * 60 +
           bcd(cmos(0x00), binary);
}

/* An update between two of the registers gives a time that is neither the old nor the new one: read again. */
static int64_t read_rtc_seconds(void)
{
    int64_t seconds = read_rtc_once(), again;
    while ((again = read_rtc_once()) != seconds)
        seconds = again;
    return seconds;
}

void timer_init(void)
{
    pic_init();
    tsc_per_second = measure_tsc();
    tsc_start = cpu_rdtsc();
    boot_realtime_ns = read_rtc_seconds() * (int64_t)NS_PER_SECOND;
    coarse_realtime_ns = boot_realtime_ns;
    pit_start_periodic();
}

void timer_enable_line(unsigned line)
{
    uint8_t masked = cpu_inb(PIC1 + PIC_DATA);
    cpu_outb(PIC1 + PIC_DATA, (uint8_t)(masked & ~(1u << line)));
}

void timer_interrupt(unsigned line)
{
    if (line == PIC_SPURIOUS_LINE) {
        cpu_outb(PIC1, PIC_READ_ISR);
        if (!(cpu_inb(PIC1) & (1u << PIC_SPURIOUS_LINE)))
            return;
    }
    if (line == 0)
        coarse_realtime_ns = timer_realtime_ns();
    if (line >= 8)
        cpu_outb(PIC2, PIC_EOI);
    cpu_outb(PIC1, PIC_EOI);
}

uint64_t timer_monotonic_ns(void)
{
    uint64_t cycles = cpu_rdtsc() - tsc_start;
    if (tsc_per_second == 0)
        return 0;
    return cycles / tsc_per_second * NS_PER_SECOND +
           cycles % tsc_per_second * NS_PER_SECOND / tsc_per_second;
}

uint64_t timer_cycles(void)
{
    return cpu_rdtsc();
}

uint64_t timer_cycles_at(uint64_t ns)
{
    uint64_t rest = ns % NS_PER_SECOND * tsc_per_second / NS_PER_SECOND, cycles;
    bool is_never = __builtin_mul_overflow(ns / NS_PER_SECOND, tsc_per_second, &cycles) ||
                    __builtin_add_overflow(cycles, tsc_start + rest, &cycles);
    return is_never ? UINT64_MAX : cycles;
}

int64_t timer_realtime_ns(void)
{
    return boot_realtime_ns + (int64_t)timer_monotonic_ns();
}

void timer_set_realtime_ns(int64_t ns)
{
    boot_realtime_ns = ns - (int64_t)timer_monotonic_ns();
    coarse_realtime_ns = ns;
}

int64_t timer_coarse_realtime_ns(void)
{
    return coarse_realtime_ns;
}
