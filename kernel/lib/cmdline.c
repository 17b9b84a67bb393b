#include "lib/cmdline.h"

#include "lib/variable.h"
#include "lib/string.h"

SEALED static char storage[CMDLINE_MAX];
SEALED static const char *words[CMDLINE_WORDS_MAX + 1];
SEALED static unsigned nr_words, first_arg;
SEALED struct cmdline_options cmdline_options;

/* Copies one word from *p to *to, without its quotes, advances both, and returns the copy. */
static const char *take_word(const char **p, char **to)
{
    const char *start = *to;
    bool quoted = false;
    for (; **p && (quoted || **p != ' '); (*p)++) {
        if (**p == '"') {
            quoted = !quoted;
            continue;
        }
        if (**p == '\\' && (*p)[1])
            (*p)++;
        *(*to)++ = **p;
    }
    *(*to)++ = '\0';
    return start;
}

static void read_options(void)
{
    cmdline_options = (struct cmdline_options){
        .noaslr = cmdline_value("noaslr"),
        .eager = cmdline_value("eager"),
        .chop = cmdline_value("chop"),
        .init_killable = cmdline_value("init_killable"),
        .shows_exec = cmdline_lists("show", "exec"),
        .shows_exit = cmdline_lists("show", "exit"),
        .shows_faults = cmdline_lists("show", "faults"),
        .stack_pages = cmdline_number("stack_pages", 0),
    };
}

const char *cmdline_init(const char *text)
{
    char *to = storage;
    nr_words = 0;
    first_arg = 0;
    if (strlen(text) >= sizeof(storage))
        return "command line is too long";
    for (const char *p = text; *p;) {
        if (*p == ' ') {
            p++;
            continue;
        }
        if (nr_words == CMDLINE_WORDS_MAX)
            return "command line has too many words";
        words[nr_words++] = take_word(&p, &to);
        if (first_arg == 0 && strcmp(words[nr_words - 1], "--") == 0)
            first_arg = nr_words;
    }
    words[nr_words] = NULL;
    if (first_arg == 0)
        first_arg = nr_words;
    read_options();
    return NULL;
}

const char *cmdline_word(unsigned index)
{
    return index < nr_words ? words[index] : NULL;
}

const char *cmdline_value(const char *name)
{
    const char *value = NULL;
    size_t length = strlen(name);
    for (unsigned i = 0; i < first_arg; i++) {
        if (strncmp(words[i], name, length) != 0)
            continue;
        if (words[i][length] == '=')
            value = words[i] + length + 1;
        else if (words[i][length] == '\0')
            value = "";
    }
    return value;
}

uint64_t cmdline_number(const char *name, uint64_t otherwise)
{
    const char *p = cmdline_value(name);
    uint64_t number = 0;
    if (!p || !*p)
        return otherwise;
    for (; *p; p++) {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number))
            return otherwise;
    }
    return number;
}

bool cmdline_lists(const char *name, const char *item)
{
    const char *p = cmdline_value(name);
    size_t length = strlen(item);
    while (p && *p) {
        if (strncmp(p, item, length) == 0 && (p[length] == ',' || p[length] == '\0'))
            return true;
        while (*p && *p != ',')
            p++;
        p += *p == ',';
    }
    return false;
}

/* True if the word is NAME=VALUE and the kernel does not use the name. */
static bool is_foreign(const char *word)
{
    static const char *const own[] = {
        "attack",        "bound",        "check",     "chop",       "eager", "init", "init_args",
        "init_killable", "init_on_free", "noaslr",    "rlimit_cpu", "seed",  "show", "stack_pages",
        "stop",          "stop_path",    "stop_skip", "trace",      "window"};
    size_t length = 0;
    while (word[length] && word[length] != '=' && word[length] != '.')
        length++;
    if (length == 0 || word[length] != '=')
        return false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strlen(own[i]) == length && strncmp(own[i], word, length) == 0)
            return false;
    return true;
}

const char *cmdline_environment(unsigned *at)
{
    while (*at < first_arg) {
        const char *word = words[(*at)++];
        if (is_foreign(word))
            return word;
    }
    return NULL;
}

const char *const *cmdline_init_args(unsigned *count)
{
    *count = nr_words - first_arg;
    return words + first_arg;
}
