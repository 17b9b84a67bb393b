#include "form.h"
#include "headers.h"
#include "linker.h"

#define NAME_MAX 255u

/* %s is the symbol with its version; for the others see raise in error.c: %x %X %d %D. */
static const struct {
    int32_t code;
    const char *text;
} link_sentences[] = {
    {ELFPARSE_LINK_EDYNAMIC, "the table of dynamic entry 0x%x is not in the object's memory"},
    {ELFPARSE_LINK_EFULL, "needs %s, but the list has room for %D objects only"},
    {ELFPARSE_LINK_ELOAD, "needs %s, which was not loaded: the callback returned %d"},
    {ELFPARSE_LINK_EHASH, "looking for %s: the hash table names symbol %d, which is not there"},
    {ELFPARSE_LINK_EVERTABLE, "looking for %s: the table of versions does not end in memory"},
    {ELFPARSE_LINK_EVERSION, "needs version %s, which that library does not define"},
    {ELFPARSE_LINK_ENAME, "the name at %d does not end within the string table or, of a library, "
                          "within 4095 bytes"},
    {ELFPARSE_LINK_EUNDEFINED, "%s is not defined by any object"},
    {ELFPARSE_LINK_ECOPY, "the contents of %s, %D bytes at 0x%x, are not in its object's memory"},
    {ELFPARSE_LINK_ETLS, "%s is thread-local, but its object has no PT_TLS, or nobody handles TLS "
                         "descriptors"},
    {ELFPARSE_LINK_EIFUNC, "the indirect function %s was not called: the callback returned %d (0: "
                           "there is none)"},
    {ELFPARSE_LINK_ETLSSIZE, "with this object thread-local storage takes 0x%x bytes, the limit is "
                             "0x%X"},
    {ELFPARSE_LINK_EWORK, "%s takes more than the %D steps that this object may take: a hash table "
                          "with few buckets, or long names or copies"},
};

static void put_text(struct elfp_output *out, const char *text)
{
    for (uint32_t i = 0; i < NAME_MAX && text[i] != '\0'; i++)
        elfp_put(out, text[i]);
}

/* Control characters in names are shown as question marks. */
static void put_name(struct elfp_output *out, const struct elfparse_view *name)
{
    for (uint32_t i = 0; i < name->size && i < NAME_MAX; i++)
        elfp_put(out, name->bytes[i] < ' ' ? '?' : (char)name->bytes[i]);
}

static void put_symbol(struct elfp_output *out, const struct elfparse_link_error *error)
{
    if (error->symbol.size == 0)
        put_text(out, "a symbol without name");
    put_name(out, &error->symbol);
    if (error->version.size != 0)
        elfp_put(out, '@');
    put_name(out, &error->version);
}

static void put_value(struct elfp_output *out, const struct elfparse_link_error *error, char which)
{
    uint64_t value = which == 'x' || which == 'd' ? error->error.found : error->error.expected;

    if (which == 's')
        put_symbol(out, error);
    else if (which == 'x' || which == 'X')
        elfp_put_number(out, value, 16);
    else
        elfp_put_decimal(out, value);
}

static const char *find_sentence(int32_t code)
{
    for (size_t i = 0; i < sizeof(link_sentences) / sizeof(link_sentences[0]); i++) {
        if (link_sentences[i].code == code)
            return link_sentences[i].text;
    }
    return NULL;
}

/* What error.h has a sentence for, and the symbol that it is about. */
static void put_relocation(struct elfp_output *out, const struct elfparse_link_error *error)
{
    char text[ELFPARSE_ERROR_MAX];

    elfparse_error_format(&error->error, text, sizeof(text));
    put_text(out, text);
    if (error->symbol.size == 0)
        return;
    put_text(out, ", for ");
    put_symbol(out, error);
}

size_t elfparse_link_error_format(const struct elfparse_link_error *error, char *buf, size_t size)
{
    struct elfp_output out = {buf, size != 0 ? size - 1 : 0, 0};
    const char *text = find_sentence(error->error.code);

    if (error->object != NULL && error->object[0] != '\0') {
        put_text(&out, error->object);
        put_text(&out, ": ");
    }
    if (error->place != 0) {
        put_text(&out, "at 0x");
        elfp_put_number(&out, error->place, 16);
        put_text(&out, ": ");
    }
    if (text == NULL)
        put_relocation(&out, error);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '%')
            put_value(&out, error, *++text);
        else
            elfp_put(&out, *text);
    }
    if (size != 0)
        buf[out.length] = '\0';
    return out.length;
}

ELFP_COLD int elfp_link_fail(const struct elfp_link_place *place, int code, uint64_t expected,
                             uint64_t found)
{
    struct elfparse_link_error *error = place->error;

    if (error == NULL)
        return code;
    error->error = (struct elfparse_error){.code = code,
                                           .phdr = ELFPARSE_NO_INDEX,
                                           .phdr2 = ELFPARSE_NO_INDEX,
                                           .expected = expected,
                                           .found = found};
    error->object = place->object->name;
    error->symbol = place->symbol;
    error->version = place->version;
    error->place = place->address != 0 ? place->address - place->object->plan->bias : 0;
    return code;
}
