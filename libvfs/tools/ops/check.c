#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

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
