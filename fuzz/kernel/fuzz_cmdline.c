/*
 * The kernel's command line, any string.
 *
 * Input: the text; a NUL byte ends it early.
 * Proves: the words, values and arguments of every line are those of a naive reading, and stay in the storage.
 * Does not prove: what the options then do.
 * Oracles: a naive splitter; the last word of a name gives its value; numbers as strtoull() reads them; the environment
 * has only words with a value, in their order.
 * Rate: 16,000/s
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cmdline.h"

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char store[2 * CMDLINE_MAX];
static const char *naive[CMDLINE_MAX];
static unsigned count;

/* Splits at blanks outside quotes. A backslash takes the next character as it is. */
static void split(const char *text)
{
    bool quoted = false, inside = false, plain = false;
    char *to = store;
    count = 0;
    for (; *text; text++) {
        bool ends = *text == ' ' && !quoted && !plain;
        if (!ends && !inside)
            naive[count++] = to;
        if (ends && inside)
            *to++ = '\0';
        inside = !ends;
        if (ends)
            continue;
        if (!plain && *text == '\\' && text[1]) {
            plain = true;
            continue;
        }
        if (!plain && *text == '"')
            quoted = !quoted;
        else
            *to++ = *text;
        plain = false;
    }
    *to = '\0';
}

static void check_number(const char *name, const char *value)
{
    bool digits = *value != '\0';
    for (const char *p = value; *p; p++)
        digits = digits && isdigit((unsigned char)*p);
    errno = 0;
    uint64_t wanted = digits ? strtoull(value, NULL, 10) : 77;
    HOLDS(cmdline_number(name, 77) == (errno ? 77 : wanted));
}

/* The value of the name that a word has, which a later word of that name may give. */
static void check_value(unsigned at, unsigned end)
{
    static char name[CMDLINE_MAX];
    size_t length = strcspn(naive[at], "=");
    const char *value = NULL;
    memcpy(name, naive[at], length);
    name[length] = '\0';
    for (unsigned i = at; i < end; i++) {
        if (strncmp(naive[i], name, length) == 0 && naive[i][length] == '=')
            value = naive[i] + length + 1;
        else if (strcmp(naive[i], name) == 0)
            value = "";
    }
    HOLDS(cmdline_value(name) && strcmp(cmdline_value(name), value) == 0);
    check_number(name, value);
}

static void check_environment(unsigned end)
{
    unsigned at = 0, expected = 0;
    for (const char *word; (word = cmdline_environment(&at)) != NULL;) {
        while (expected < end && strcmp(naive[expected], word) != 0)
            expected++;
        HOLDS(expected++ < end && strchr(word, '=') && word[0] != '=');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned end = 0, given;
    char *text = strndup((const char *)data, size);
    if (!text || strlen(text) >= CMDLINE_MAX) {
        HOLDS(!text || cmdline_init(text) != NULL);
        free(text);
        return 0;
    }
    split(text);
    const char *error = cmdline_init(text);
    free(text); /* the words are copies */
    HOLDS((error != NULL) == (count > CMDLINE_WORDS_MAX));
    if (error)
        return 0;
    while (end < count && strcmp(naive[end], "--") != 0)
        end++;
    const char *const *words = cmdline_init_args(&given);
    unsigned first = end < count ? end + 1 : count;
    HOLDS(given == count - first && words[given] == NULL);
    for (unsigned i = 0; i < given; i++)
        HOLDS(strcmp(words[i], naive[first + i]) == 0);
    for (unsigned i = 0; i < first; i++)
        check_value(i, first);
    check_environment(first);
    return 0;
}
