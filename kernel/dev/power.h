/* Ending the machine with a verdict. */
#ifndef UMBRA_DEV_POWER_H
#define UMBRA_DEV_POWER_H

enum verdict {
    VERDICT_EXIT,   /* init exited; value is its status */
    VERDICT_SIGNAL, /* init was ended by signal `value` */
    VERDICT_PANIC,
    VERDICT_REFUSED, /* the machine or the boot loader's data cannot be used */
    VERDICT_NO_INIT,
};

/* Prints the verdict as the very last line and powers the machine off. Never returns. */
_Noreturn void power_off(enum verdict verdict, unsigned value);

/* Resets the machine, for reboot(RB_AUTOBOOT). Never returns. */
_Noreturn void power_reset(void);

#endif
