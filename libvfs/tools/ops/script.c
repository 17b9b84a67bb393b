#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>

#include "text.h"

/* The variables of the enclosing blocks, innermost last. */
struct variable {
    char *name;
    char *value;
};

struct run {
    const struct script *script;
    script_visit *visit;
    void *context;
    size_t depth;
    size_t variable_count;
    struct variable variable[EACH_DEPTH_MAX * EACH_NAMES_MAX];
};

static void add_line(struct script *script, const char *text, size_t length)
{
    if ((script->count & (script->count - 1)) == 0) {
        size_t capacity = script->count ? script->count * 2 : 1;
        char **line = realloc(script->line, capacity * sizeof *line);
        if (!line)
            abort();
        script->line = line;
    }
    char *copy = strndup(text, length);
    if (!copy)
        abort();
    script->line[script->count++] = copy;
}

void script_from_text(struct script *script, const char *name, const char *text)
{
    *script = (struct script){.name = name};
    while (*text && script->count < SCRIPT_LINES_MAX) {
        size_t length = strcspn(text, "\n");
        add_line(script, text, length);
        text += length + (text[length] == '\n');
    }
}

int script_load(struct script *script, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file)
        return -errno;
    struct bytes text = {0};
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        bytes_append(&text, block, got);
    int error = ferror(file) ? -EIO : 0;
    if (file != stdin)
        fclose(file);
    if (!error)
        script_from_text(script, path, bytes_string(&text));
    bytes_free(&text);
    return error;
}

void script_free(struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        free(script->line[i]);
    free(script->line);
    *script = (struct script){0};
}

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static bool starts_with_word(const char *line, const char *word)
{
    line = skip_blanks(line);
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 &&
           (line[length] == '\0' || isspace((unsigned char)line[length]));
}

static int malformed(const struct run *run, size_t index, const char *what)
{
    fprintf(stderr, "%s:%zu: %s\n", run->script->name, index + 1, what);
    return -EINVAL;
}

/* The index of the `end` that closes the block opened at `index`, or the script's length. */
static size_t block_end(const struct script *script, size_t index)
{
    size_t depth = 0;
    for (; index < script->count; index++) {
        if (starts_with_word(script->line[index], "each"))
            depth++;
        else if (starts_with_word(script->line[index], "end") && --depth == 0)
            break;
    }
    return index;
}

/* The variable named at the beginning of `text`; the longest name wins. */
static const struct variable *variable_at(const struct run *run, const char *text)
{
    const struct variable *found = NULL;
    for (size_t i = run->variable_count; i-- > 0;) {
        size_t length = strlen(run->variable[i].name);
        if (strncmp(text, run->variable[i].name, length) == 0 &&
            (!found || length > strlen(found->name)))
            found = &run->variable[i];
    }
    return found;
}

static void substitute(const struct run *run, const char *text, struct bytes *out)
{
    for (; *text; text++) {
        const struct variable *variable = *text == '$' ? variable_at(run, text + 1) : NULL;
        if (variable) {
            bytes_text(out, variable->value);
            text += strlen(variable->name);
        } else {
            bytes_push(out, *text);
        }
    }
}

static int visit_line(const struct run *run, size_t index)
{
    const char *text = skip_blanks(run->script->line[index]);
    if (*text == '\0' || *text == '#')
        return 0;
    struct bytes expanded = {0};
    substitute(run, text, &expanded);
    struct script_line line = {run->script->name, (unsigned)index + 1, bytes_string(&expanded)};
    int result = run->visit(run->context, &line);
    bytes_free(&expanded);
    return result;
}

/* Splits `text` at commas into at most EACH_NAMES_MAX parts, in place. */
static size_t split_commas(char *text, char *parts[EACH_NAMES_MAX])
{
    size_t count = 0;
    char *rest = text;
    while (count < EACH_NAMES_MAX && rest)
        parts[count++] = strsep(&rest, ",");
    return rest ? EACH_NAMES_MAX + 1 : count;
}

static int run_range(struct run *run, size_t from, size_t to);

/* Runs the lines of a block for one item of its list. */
static int run_once(struct run *run, size_t from, size_t to, const char *names, char *item)
{
    char *name[EACH_NAMES_MAX], *value[EACH_NAMES_MAX] = {item};
    char *copy = strdup(names);
    if (!copy)
        abort();
    size_t count = split_commas(copy, name);
    if (count > EACH_NAMES_MAX || (count > 1 && split_commas(item, value) != count)) {
        free(copy);
        return malformed(run, from - 1, "an item of the list has another number of parts");
    }
    for (size_t i = 0; i < count; i++)
        run->variable[run->variable_count++] = (struct variable){name[i], value[i]};
    int result = run_range(run, from, to);
    run->variable_count -= count;
    free(copy);
    return result;
}

/* Cuts the next item off *rest: up to the separator, without the blanks around it. */
static char *next_item(char **rest, const char *separator)
{
    if (!*rest)
        return NULL;
    char *item = (char *)skip_blanks(*rest);
    char *end = strstr(item, separator);
    *rest = end ? end + strlen(separator) : NULL;
    if (end)
        *end = '\0';
    size_t length = strlen(item);
    while (length && isspace((unsigned char)item[length - 1]))
        item[--length] = '\0';
    return length ? item : NULL;
}

static int run_block(struct run *run, size_t index, size_t end)
{
    if (end == run->script->count || run->depth == EACH_DEPTH_MAX)
        return malformed(run, index, "each without end, or blocks too deep");
    struct bytes header = {0};
    substitute(run, skip_blanks(run->script->line[index]), &header);
    char *rest = NULL;
    strtok_r(header.data, " \t", &rest);
    char *names = strtok_r(NULL, " \t", &rest);
    char *in = strtok_r(NULL, " \t", &rest);
    int result = 0;
    if (!names || !in || strcmp(in, "in") != 0)
        result = malformed(run, index, "expected: each NAME[,NAME...] in WORD...");
    const char *separator = rest && strstr(rest, " | ") ? " | " : " ";
    run->depth++;
    for (char *item; !result && (item = next_item(&rest, separator));)
        result = run_once(run, index + 1, end, names, item);
    run->depth--;
    bytes_free(&header);
    return result;
}

static int run_range(struct run *run, size_t from, size_t to)
{
    int result = 0;
    for (size_t i = from; i < to && !result; i++) {
        if (starts_with_word(run->script->line[i], "end"))
            return malformed(run, i, "end without each");
        if (!starts_with_word(run->script->line[i], "each")) {
            result = visit_line(run, i);
            continue;
        }
        size_t end = block_end(run->script, i);
        result = run_block(run, i, end);
        i = end;
    }
    return result;
}

int script_run(const struct script *script, script_visit *visit, void *context)
{
    struct run run = {.script = script, .visit = visit, .context = context};
    return run_range(&run, 0, script->count);
}

static void report(struct tap *tap, bool passed, const char *name)
{
    fprintf(tap->out, "%sok %u - ", passed ? "" : "not ", ++tap->count);
    /* A # would begin a directive. */
    for (; *name; name++)
        fputc(*name == '#' ? '+' : *name, tap->out);
}

void tap_check(struct tap *tap, bool passed, const char *name, ...)
{
    va_list arguments;
    va_start(arguments, name);
    char line[512];
    vsnprintf(line, sizeof line, name, arguments);
    va_end(arguments);
    report(tap, passed, line);
    fputc('\n', tap->out);
    tap->failed += !passed;
}

void tap_skip(struct tap *tap, const char *name, const char *reason)
{
    report(tap, true, name);
    fprintf(tap->out, " # SKIP %s\n", reason);
    tap->skipped++;
}

int tap_end(struct tap *tap)
{
    fprintf(tap->out, "1..%u\n", tap->count);
    fprintf(tap->out, "# %u assertions, %u failed, %u skipped\n", tap->count, tap->failed,
            tap->skipped);
    fflush(tap->out);
    return tap->failed || tap->count == tap->skipped;
}

struct check {
    struct session *session;
    struct tap *tap;
    struct tokens tokens;
    struct op_result result;
    struct bytes expected, actual, name;
};

/* The words of `tokens` from `from` on, in their one spelling; "ok" if there are none. */
static void spell_words(struct bytes *out, const struct tokens *tokens, size_t from)
{
    bytes_clear(out);
    if (from >= tokens->count)
        bytes_text(out, "ok");
    for (size_t i = from; i < tokens->count; i++) {
        if (i > from)
            bytes_push(out, ' ');
        token_spell(out, tokens->token[i].data, tokens->token[i].length);
    }
}

/* Takes a mark, such as kernel(REASON), off the front of `text` and its reason into *reason.
 * Returns the rest, or NULL if there is no such mark. */
static const char *take_mark(const char *text, const char *mark, struct bytes *reason)
{
    size_t length = strlen(mark);
    const char *end =
        strncmp(text, mark, length) == 0 && text[length] == '(' ? strchr(text, ')') : NULL;
    if (!end)
        return NULL;
    bytes_append(reason, text + length + 1, (size_t)(end - text) - length - 1);
    return end + 1;
}

/* Takes the mark off *text. Returns whether the line is skipped for it, with the reason. */
static bool is_skipped(const struct check *check, const char **text, struct bytes *reason)
{
    bytes_text(reason, "the kernel decides: ");
    const char *rest = take_mark(*text, "kernel", reason);
    bool skipped = rest && strcmp(check->session->backend->operations->name, "host") != 0;
    if (!rest) {
        rest = take_mark(*text, "unasked", reason);
        skipped = rest && check->tap->unasked;
    }
    if (rest)
        *text = rest;
    return skipped;
}

static const char *check_op(struct check *check, const char *text)
{
    struct op op;
    size_t next;
    const char *wrong = tokens_split(&check->tokens, text);
    if (!wrong)
        wrong = op_decode(&op, &check->tokens, 0, &next);
    if (wrong)
        return wrong;
    session_run(check->session, &op, &check->result);
    bytes_clear(&check->actual);
    op_spell_result(&check->actual, &op, &check->result);
    spell_words(&check->expected, &check->tokens, next + 1);
    wrong = tokens_split(&check->tokens, bytes_string(&check->actual));
    if (wrong)
        return wrong;
    spell_words(&check->actual, &check->tokens, 0);
    bool passed = strcmp(bytes_string(&check->actual), bytes_string(&check->expected)) == 0;
    tap_check(check->tap, passed, "%.300s", bytes_string(&check->name));
    if (!passed)
        fprintf(check->tap->out, "# printed %.400s\n", bytes_string(&check->actual));
    return NULL;
}

static int check_line(void *context, const struct script_line *line)
{
    struct check *check = context;
    struct bytes reason = {0};
    const char *text = line->text;
    if (strcmp(text, "clear") == 0)
        return session_clear(check->session);
    bool skipped = is_skipped(check, &text, &reason);
    const char *base = strrchr(line->file, '/');
    bytes_clear(&check->name);
    bytes_printf(&check->name, "%s:%u %s", base ? base + 1 : line->file, line->number, text);
    const char *wrong = NULL;
    if (skipped)
        tap_skip(check->tap, bytes_string(&check->name), bytes_string(&reason));
    else
        wrong = check_op(check, text);
    bytes_free(&reason);
    if (!wrong)
        return 0;
    fprintf(stderr, "%s:%u: %s: %s\n", line->file, line->number, wrong, line->text);
    return -EINVAL;
}

int check_script(struct session *session, const struct script *script, struct tap *tap)
{
    int error = session_clear(session);
    if (error) {
        fprintf(stderr, "%s: cannot empty the tree: %s\n", script->name, strerror(-error));
        return error;
    }
    struct check check = {.session = session, .tap = tap};
    error = script_run(script, check_line, &check);
    tokens_free(&check.tokens);
    bytes_free(&check.result.data);
    bytes_free(&check.expected);
    bytes_free(&check.actual);
    bytes_free(&check.name);
    return error;
}
