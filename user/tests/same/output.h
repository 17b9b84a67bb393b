/* What the director prints: whole lines, kept until the end of an episode or printed at once. */
#ifndef UMBRA_SAME_OUTPUT_H
#define UMBRA_SAME_OUTPUT_H

/* A line about a slot, with the number of the call before it. */
void print_line(int slot, const char *text);

/* What the slot said, and the words after it, as a line; nothing if that is empty. */
void print_slot(int slot, const char *after);

/* Writes what is waiting to be printed. */
void print_flush(void);

#endif
