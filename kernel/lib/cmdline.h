/* The kernel's command line: words separated by spaces, each NAME or NAME=VALUE. The words after
 * "--" are arguments for init. GRUB quotes a word with "...", and a character with a backslash
 * before it. */
#ifndef UMBRA_LIB_CMDLINE_H
#define UMBRA_LIB_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

#define CMDLINE_MAX       4096 /* bytes with the closing NUL */
#define CMDLINE_WORDS_MAX 128

/* Words that each exec and exit uses. */
struct cmdline_options {
    bool noaslr, eager;
    bool chop;          /* long calls have many scheduling points, and all are used */
    bool init_killable; /* the first process gets signals as any other */
    bool shows_exec, shows_exit, shows_faults; /* items of `show` */
    uint64_t stack_pages;                      /* 0: not set */
};
extern struct cmdline_options cmdline_options;

/* Stores a copy of the text. Returns NULL, or a message about the error. */
const char *cmdline_init(const char *text);

/* Word number `index` of the command line, or NULL. */
const char *cmdline_word(unsigned index);

/* The value of the last word NAME=VALUE, "" for a plain NAME, NULL if there is none. */
const char *cmdline_value(const char *name);

/* The value as a decimal number; `otherwise` if there is no value or it is not a number. */
uint64_t cmdline_number(const char *name, uint64_t otherwise);

/* True if VALUE, a list separated by commas, has the item. */
bool cmdline_lists(const char *name, const char *item);

/* Returns the words NAME=VALUE that the kernel does not use, one at each call. They are init's
 * environment, as on Linux, except names with a dot. *at starts at 0. Returns NULL after the
 * last. */
const char *cmdline_environment(unsigned *at);

/* The words after "--", NULL-terminated; count gets their number. */
const char *const *cmdline_init_args(unsigned *count);

#endif
