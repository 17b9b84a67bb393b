/* The kernel's command line: words separated by spaces, each NAME or NAME=VALUE; what follows a
 * word "--" are arguments for init. A word may be quoted with "..." and a backslash takes the next
 * character as it is: GRUB quotes so. */
#ifndef UMBRA_LIB_CMDLINE_H
#define UMBRA_LIB_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

#define CMDLINE_MAX       4096 /* bytes with the closing NUL */
#define CMDLINE_WORDS_MAX 128

/* Words that exec and exit look at each time. */
struct cmdline_options {
    bool noaslr, eager;
    bool shows_exec, shows_exit; /* items of `show` */
    uint64_t stack_pages;        /* 0: not set */
};
extern struct cmdline_options cmdline_options;

/* Keeps a copy of the text. Returns NULL or what is wrong. */
const char *cmdline_init(const char *text);

/* The value of the last word NAME=VALUE, "" for a plain NAME, NULL if there is none. */
const char *cmdline_value(const char *name);

/* As a decimal number; `otherwise` if there is none or it is not a number. */
uint64_t cmdline_number(const char *name, uint64_t otherwise);

/* Whether VALUE, a list separated by commas, has the item. */
bool cmdline_lists(const char *name, const char *item);

/* The words NAME=VALUE that mean nothing to the kernel, one a call: they are init's environment, as on
 * Linux. *at begins as 0 and moves on; NULL: no more. Not of these: names with a dot in them. */
const char *cmdline_environment(unsigned *at);

/* The words after "--", NULL-terminated; count gets their number. */
const char *const *cmdline_init_args(unsigned *count);

#endif
