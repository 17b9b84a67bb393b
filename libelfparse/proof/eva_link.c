/*
 * Eva: look-up of symbols and versions, over tables of any content. The views of an object have a
 * few bytes of constant size, so that Eva can tell what lies inside.
 */
#include "linker.h"

#include "__fc_builtin.h"

#define BYTES 96
#define NAME  2

static uint8_t tables[7][BYTES];

static struct elfparse_view any_view(unsigned i)
{
    struct elfparse_view view = {tables[i], BYTES};

    Frama_C_make_unknown((char *)tables[i], BYTES);
    return view;
}

uint32_t elfp_reloc_word(uint32_t machine)
{
    return 8;
}

uint32_t elfp_link_named(const struct elfparse_link *link, const struct elfparse_view *name)
{
    return Frama_C_interval(0, 1) == 0 ? 0 : ELFPARSE_NO_OBJECT;
}

int elfp_link_fail(const struct elfp_link_place *place, int code, uint64_t expected, uint64_t found)
{
    return code;
}

int main(void)
{
    static struct elfparse_object object;
    struct elfparse_link link = {.machine = ELFPARSE_EM_X86_64, .objects = &object, .count = 1};
    struct elfp_link_work work = ELFP_LINK_WORK;
    struct elfp_link_query query = {.work = &work};
    struct elfp_link_version version;
    struct elfp_link_match match;
    uint8_t name[NAME];

    object.strings = any_view(0);
    object.symbols = any_view(1);
    object.gnu_hash = any_view(2);
    object.sysv_hash = any_view(3);
    object.versym = any_view(4);
    object.verdef = any_view(5);
    object.verneed = any_view(6);
#if PART == 0
    (void)elfp_link_version_at(&object, Frama_C_unsigned_int_interval(0, 0x7fff), &version, &work);
    (void)elfp_link_check_versions(&link, &object, 0);
#else
    if (PART == 2)
        object.gnu_hash.size = 0;
    Frama_C_make_unknown((char *)name, NAME);
    query.name = (struct elfparse_view){name, NAME};
    elfp_link_ask(&query, &query.name);
    query.versioned = 3;
    query.defined = Frama_C_interval(0, 1);
    (void)elfp_link_find(&link, &object, &query, &match);
#endif
    return 0;
}
