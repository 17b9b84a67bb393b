#include "syscall/trace.h"

#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"

#define STRING_MAX    64 /* bytes of a string or buffer that are printed */
#define ELEMENTS_MAX  4  /* of an array */
#define STRUCTURE_MAX 160
#define SMALL_UNION   0xffff
#define AT_FDCWD      (-100)
#define ERRORS_MAX    4095 /* -1 to -4095 are errors */

/* Narrows a register, or the word of a field, as its type says. */
static uint64_t narrow(uint64_t value, unsigned size, bool is_signed)
{
    unsigned spare = 64 - 8 * size;
    if (spare == 0)
        return value;
    return is_signed ? (uint64_t)((int64_t)(value << spare) >> spare) : value << spare >> spare;
}

static void put_string(struct text *text, const char *s)
{
    text_put(text, s, strlen(s));
}

static void put_octal(struct text *text, uint64_t value)
{
    char digits[24];
    unsigned at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + (value & 7));
        value >>= 3;
    } while (value);
    if (digits[at] != '0')
        digits[--at] = '0';
    text_put(text, digits + at, sizeof(digits) - at);
}

static void put_address(struct text *text, uint64_t value)
{
    if (value)
        text_printf(text, "%#lx", value);
    else
        put_string(text, "NULL");
}

static void put_byte(struct text *text, unsigned char byte)
{
    static const char escaped[] = "\"\\\n\t\r", letters[] = "\"\\ntr";
    for (unsigned i = 0; escaped[i]; i++) {
        if ((unsigned char)escaped[i] != byte)
            continue;
        text_printf(text, "\\%c", letters[i]);
        return;
    }
    if (byte >= ' ' && byte < 0x7f)
        text_printf(text, "%c", byte);
    else
        text_printf(text, "\\x%02x", byte);
}

static void put_bytes(struct text *text, const char *bytes, size_t size, bool cut)
{
    put_string(text, "\"");
    for (size_t i = 0; i < size; i++)
        put_byte(text, (unsigned char)bytes[i]);
    put_string(text, cut ? "\"..." : "\"");
}

static void put_user_string(struct text *text, uint64_t user)
{
    char bytes[STRING_MAX + 1];
    long length = user ? copy_string_from_user(bytes, user_ptr(user), sizeof(bytes)) : -EFAULT;
    if (length == -EFAULT)
        put_address(text, user);
    else
        put_bytes(text, bytes, length < 0 ? STRING_MAX : (size_t)length, length < 0);
}

static void put_user_bytes(struct text *text, uint64_t user, uint64_t size)
{
    char bytes[STRING_MAX];
    size_t n = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
    if (!user || copy_from_user(bytes, user_ptr(user), n) != 0)
        put_address(text, user);
    else
        put_bytes(text, bytes, n, n < size);
}

static void put_flags(struct text *text, const struct name_set *set, uint64_t value)
{
    uint64_t left = value, seen = 0;
    const char *separator = "";
    for (unsigned i = 0; i < set->count; i++) {
        const struct name *name = &set->name[i];
        if ((value & name->mask) != name->value || (seen & name->mask))
            continue;
        text_printf(text, "%s%s", separator, name->text);
        separator = "|";
        seen |= name->mask;
        left &= ~name->mask;
    }
    if (left)
        text_printf(text, "%s%#lx", separator, left);
    else if (!*separator)
        put_string(text, "0");
}

static void put_named(struct text *text, const struct name_set *set, uint64_t value, bool is_signed)
{
    const char *name = name_of(set, value);
    if (name)
        put_string(text, name);
    else if (is_signed)
        text_printf(text, "%ld", (long)value);
    else
        text_printf(text, "%#lx", value);
}

static unsigned bits_in(uint64_t set)
{
    unsigned bits = 0;
    for (; set; set &= set - 1)
        bits++;
    return bits;
}

/* A set of more than half of the signals is printed as the ones that are not in it. */
static void put_signals(struct text *text, uint64_t set)
{
    bool inverted = bits_in(set) > 32;
    const char *separator = "";
    put_string(text, inverted ? "~[" : "[");
    for (unsigned signal = 1; signal <= 64; signal++) {
        if ((set >> (signal - 1) & 1) == inverted)
            continue;
        put_string(text, separator);
        put_named(text, &names_signal, signal, true);
        separator = " ";
    }
    put_string(text, "]");
}

static void put_union(struct text *text, uint64_t value)
{
    text_printf(text, value <= SMALL_UNION ? "%lu" : "%#lx", value);
}

static void put_number(struct text *text, uint64_t value, bool is_signed)
{
    if (is_signed)
        text_printf(text, "%ld", (long)value);
    else
        text_printf(text, "%lu", value);
}

/* Prints a value that is not a pointer. */
static void put_value(struct text *text, enum meaning meaning, const struct name_set *names,
                      uint64_t value, bool is_signed)
{
    switch (meaning) {
    case MEANS_FLAGS:
        put_flags(text, names, value);
        break;
    case MEANS_NAMED:
        put_named(text, names, value, is_signed);
        break;
    case MEANS_SIGNAL:
        put_named(text, &names_signal, value, true);
        break;
    case MEANS_CLOCK:
        put_named(text, &names_clock, value, true);
        break;
    case MEANS_SIGNALS:
        put_signals(text, value);
        break;
    case MEANS_MODE:
        put_octal(text, value);
        break;
    case MEANS_DEVICE:
        text_printf(text, "makedev(%#lx, %#lx)", value >> 8 & 0xfff,
                    (value & 0xff) | (value >> 12 & 0xfff00));
        break;
    case MEANS_DIRFD:
        if ((int)value == AT_FDCWD) {
            put_string(text, "AT_FDCWD");
            break;
        }
        __attribute__((fallthrough));
    case MEANS_FD: /* also where Linux takes 64 bits: it drops the upper half later */
    case MEANS_UID:
    case MEANS_GID: /* -1: unchanged */
        text_printf(text, "%d", (int)value);
        break;
    case MEANS_HEX:
        text_printf(text, "%#lx", value);
        break;
    case MEANS_ADDRESS:
    case MEANS_POINTER:
        put_address(text, value);
        break;
    case MEANS_UNION:
        put_union(text, value);
        break;
    default:
        put_number(text, value, is_signed);
    }
}

static void put_field(struct text *text, const struct field *field, const uint8_t *bytes)
{
    uint64_t value = 0, size;
    memcpy(&value, bytes + field->offset, field->size);
    if (field->name)
        text_printf(text, "%s=", field->name);
    if (field->meaning == MEANS_BYTES_IN) { /* its size is the field after it */
        memcpy(&size, bytes + field->offset + field->size, sizeof(size));
        put_user_bytes(text, value, size);
        return;
    }
    put_value(text, field->meaning, field->names, narrow(value, field->size, field->is_signed),
              field->is_signed);
}

/* {name=value, ...}; a field without a name is its value, and a list of several of those [value,
 * ...]. */
static void put_fields(struct text *text, const struct structure *s, const uint8_t *bytes)
{
    bool named = s->field[0].name, list = !named && s->fields > 1;
    put_string(text, named ? "{" : list ? "[" : "");
    for (unsigned i = 0; i < s->fields; i++) {
        put_string(text, i > 0 ? ", " : "");
        put_field(text, &s->field[i], bytes);
    }
    put_string(text, named ? "}" : list ? "]" : "");
}

static void put_structure(struct text *text, const struct structure *s, uint64_t user)
{
    uint8_t bytes[STRUCTURE_MAX];
    if (!user || s->fields == 0 || s->size > sizeof(bytes) ||
        copy_from_user(bytes, user_ptr(user), s->size) != 0) {
        put_address(text, user);
        return;
    }
    /* a number that a pointer leads to is told from a number by brackets, as an array is */
    bool bare = s->fields == 1 && !s->field[0].name && s->field[0].meaning != MEANS_SIGNALS;
    put_string(text, bare ? "[" : "");
    put_fields(text, s, bytes);
    put_string(text, bare ? "]" : "");
}

static void put_array(struct text *text, const struct structure *s, uint64_t user, uint64_t count)
{
    uint8_t bytes[STRUCTURE_MAX];
    uint64_t shown = count < ELEMENTS_MAX ? count : ELEMENTS_MAX;
    if (!user || s->size > sizeof(bytes) ||
        (shown > 0 && copy_from_user(bytes, user_ptr(user), s->size) != 0)) {
        put_address(text, user);
        return;
    }
    put_string(text, "[");
    for (uint64_t i = 0; i < shown; i++) {
        put_string(text, i > 0 ? ", " : "");
        if (copy_from_user(bytes, user_ptr(user + i * s->size), s->size) != 0) {
            put_address(text, user + i * s->size);
            break;
        }
        put_fields(text, s, bytes);
    }
    put_string(text, shown < count ? ", ...]" : "]");
}

/* The next string of an array that ends with a null pointer; 0 at its end, or if it cannot be
 * read. */
static uint64_t string_at(uint64_t array, uint64_t index)
{
    uint64_t string;
    int error = copy_from_user(&string, user_ptr(array + index * sizeof(string)), sizeof(string));
    return error ? 0 : string;
}

static void put_strings(struct text *text, uint64_t array)
{
    uint64_t string, i;
    if (!array) {
        put_address(text, array);
        return;
    }
    put_string(text, "[");
    for (i = 0; i < ELEMENTS_MAX && (string = string_at(array, i)) != 0; i++) {
        put_string(text, i > 0 ? ", " : "");
        put_user_string(text, string);
    }
    put_string(text, i == ELEMENTS_MAX && string_at(array, i) ? ", ...]" : "]");
}

static void put_environment(struct text *text, uint64_t array)
{
    unsigned count = 0;
    const unsigned most = 1000;
    put_address(text, array);
    while (array && count < most && string_at(array, count))
        count++;
    if (array)
        text_printf(text, " /* %u strings */", count);
}

static uint64_t argument_value(const struct made_call *call, unsigned index)
{
    const struct argument *a = &call->info->argument[index];
    return narrow(call->value[index], a->size, a->is_signed);
}

/* The value of the argument with the name. */
static uint64_t count_of(const struct made_call *call, const char *name)
{
    for (unsigned i = 0; i < call->info->count; i++)
        if (strcmp(call->info->argument[i].name, name) == 0)
            return argument_value(call, i);
    return 0;
}

static void put_pointed(struct text *text, const struct made_call *call, const struct argument *a,
                        uint64_t user)
{
    if (a->count)
        put_array(text, a->structure, user, count_of(call, a->count));
    else
        put_structure(text, a->structure, user);
}

static bool is_filled_in(enum meaning meaning)
{
    return meaning == MEANS_OUT || meaning == MEANS_BYTES_OUT || meaning == MEANS_OUT_STRING;
}

void decode_before(struct text *text, const struct made_call *call, unsigned index)
{
    const struct argument *a = &call->info->argument[index];
    uint64_t value = argument_value(call, index);
    if (is_filled_in(a->meaning)) {
        if (!value)
            put_address(text, value);
        return;
    }
    switch (a->meaning) {
    case MEANS_PATH:
    case MEANS_STRING:
        put_user_string(text, value);
        break;
    case MEANS_STRINGS:
        put_strings(text, value);
        break;
    case MEANS_ENVIRONMENT:
        put_environment(text, value);
        break;
    case MEANS_BYTES_IN:
        put_user_bytes(text, value, count_of(call, a->count));
        break;
    case MEANS_IN:
    case MEANS_INOUT:
        put_pointed(text, call, a, value);
        break;
    default:
        put_value(text, a->meaning, a->names, value, a->is_signed);
    }
}

static bool is_error(long result)
{
    return result < 0 && result >= -ERRORS_MAX;
}

static void put_changed(struct text *text, const struct made_call *call, const struct argument *a,
                        uint64_t user, const char *before)
{
    char buffer[128];
    struct text after = {0, buffer, sizeof(buffer) - 1, 0, false};
    put_pointed(&after, call, a, user);
    buffer[after.used] = '\0';
    if (strcmp(buffer, before) != 0)
        text_printf(text, " => %s", buffer);
}

void decode_after(struct text *text, const struct made_call *call, unsigned index, long result,
                  const char *before)
{
    const struct argument *a = &call->info->argument[index];
    uint64_t value = argument_value(call, index);
    if (a->meaning == MEANS_INOUT && value && !is_error(result))
        put_changed(text, call, a, value, before);
    if (!is_filled_in(a->meaning) || !value)
        return;
    if (is_error(result))
        put_address(text, value);
    else if (a->meaning == MEANS_BYTES_OUT)
        put_user_bytes(text, value, (uint64_t)result);
    else if (a->meaning == MEANS_OUT_STRING)
        put_user_string(text, value);
    else
        put_pointed(text, call, a, value);
}

void decode_result(struct text *text, const struct made_call *call, long result)
{
    const char *name = is_error(result) ? name_of(&names_error, (uint64_t)-result) : NULL;
    if (result == -ERESTARTSYS || result == -ERESTARTNOHAND)
        text_printf(text, "? %s", name);
    else if (is_error(result) && name)
        text_printf(text, "-1 %s", name);
    else if (is_error(result))
        text_printf(text, "-1 error %ld", -result);
    else if (call->info->returns_address)
        text_printf(text, "%#lx", (unsigned long)result);
    else
        text_printf(text, "%ld", result);
}
