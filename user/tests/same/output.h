/* The output of the director: whole lines, kept until the end of an episode or printed at once. */
#ifndef UMBRA_SAME_OUTPUT_H
#define UMBRA_SAME_OUTPUT_H

/* A line about a slot, with the number of the call before it. */
void print_line(int slot, const char *text);

/* Prints the text of the slot followed by `after` as a line, or nothing if both are empty. */
void print_slot(int slot, const char *after);

/* Writes the lines that are kept. */
void print_flush(void);

#endif
