/* Points at which the machine stops in the debugger of Bochs, chosen by stop=NAME[,NAME...] on the
 * command line. Without that, and outside Bochs, they do nothing. */
#ifndef UMBRA_PROC_DEBUG_STOP_H
#define UMBRA_PROC_DEBUG_STOP_H

struct task;

/* If the command line lists this stop: prints `stop: NAME pid P cr3 0x... path PATH` and executes
 * the magic break. stop_path=PATH restricts it to one program, stop_skip=N passes the first N. */
void debug_stop(const char *name, const struct task *task);

#endif
