/*
 * Eva: linking, in parts. Each part stands on what the others give, which here is anything that
 * their contracts allow. PART 0 to 2: look-up of symbols and versions, over tables of any content;
 * the views of an object have a few bytes of constant size, so that Eva can tell what lies inside.
 * PART 3: thread-local storage. PART 4: binding. PART 5: the list of objects.
 */
#include <string.h>

#include "linker.h"

#include "__fc_builtin.h"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            (void)*(volatile char *)0;                                                             \
    } while (0)

static uint64_t any(void)
{
    return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static uint32_t up_to(uint32_t most)
{
    return Frama_C_unsigned_int_interval(0, most);
}

uint32_t elfp_reloc_word(uint32_t machine)
{
    return 8;
}

int elfp_link_fail(const struct elfp_link_place *place, int code, uint64_t expected, uint64_t found)
{
    EXPECT(code < 0 && place->object != NULL);
    return code;
}

#if PART <= 2
#define BYTES 96
#define NAME  2

static uint8_t tables[7][BYTES];

static struct elfparse_view any_view(unsigned i)
{
    struct elfparse_view view = {tables[i], BYTES};

    Frama_C_make_unknown((char *)tables[i], BYTES);
    return view;
}

int elfp_link_named(const struct elfparse_link *link, const struct elfparse_view *name,
                    struct elfp_link_work *work)
{
    return up_to(1) == 0 ? 0 : up_to(1) == 0 ? ELFPARSE_LINK_EUNDEFINED : ELFPARSE_LINK_EWORK;
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
    (void)elfp_link_version_at(&object, up_to(0x7fff), &version, &work);
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
#endif

#if PART == 3
#define BLOCKS 3
#define MOST   96

static struct elfparse_plan plans[BLOCKS];
static struct elfparse_object objects[BLOCKS];
static struct elfparse_link link = {.objects = objects, .count = BLOCKS};
static uint8_t template[16], block[MOST];

struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address,
                                    uint32_t prot)
{
    return (struct elfparse_view){template, sizeof(template)};
}

/* Small and large, aligned and not, at an address that is a multiple of that or not. */
static const struct elfparse_tls kinds[] = {
    {.memsz = 2, .align = 1, .vaddr = 0},
    {.memsz = 9, .align = 4, .vaddr = 3},
    {.memsz = 2, .align = 16, .vaddr = 0},
    {.memsz = 9, .align = 16, .vaddr = 3},
};

/* Where the block starts in the storage. */
static uint64_t start_of(uint32_t i)
{
    return elfp_link_tls_above(link.machine) ? objects[i].tls_offset
                                             : link.tls_size - objects[i].tls_offset;
}

/* Blocks lie inside, aligned as their object is, and apart. */
static void expect_layout(void)
{
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint64_t start = start_of(i), end = start + plans[i].tls.memsz;

        EXPECT(end <= link.tls_size && link.tls_size <= MOST);
        EXPECT((start - plans[i].tls.vaddr) % plans[i].tls.align == 0);
        for (uint32_t j = 0; j < i; j++)
            EXPECT(end <= start_of(j) || start >= start_of(j) + plans[j].tls.memsz);
    }
}

int main(void)
{
    static const uint32_t machines[] = {ELFPARSE_EM_X86_64, ELFPARSE_EM_AARCH64};

    for (uint32_t i = 0; i < BLOCKS; i++)
        objects[i].plan = &plans[i];
    //@ loop unroll 2;
    for (uint32_t machine = 0; machine < 2; machine++) {
        link.machine = machines[machine];
        //@ loop unroll 64;
        for (uint32_t which = 0; which < 64; which++) {
            plans[0].tls = kinds[which % 4];
            plans[1].tls = kinds[which / 4 % 4];
            plans[2].tls = kinds[which / 16];
            for (uint32_t i = 0; i < BLOCKS; i++)
                plans[i].tls.filesz = any();
            EXPECT(elfp_link_layout_tls(&link, NULL) == 0);
            expect_layout();
            elfparse_link_fill_tls(&link, block + MOST - link.tls_size);
        }
        plans[BLOCKS - 1].tls.memsz =
            Frama_C_unsigned_long_long_interval(UINT64_C(0x80000000), UINT64_MAX);
        EXPECT(elfp_link_layout_tls(&link, NULL) == ELFPARSE_LINK_ETLSSIZE);
    }
    return 0;
}
#endif

#if PART == 4
#define BYTES   48
#define OBJECTS 2
#define START   UINT64_C(0x1000)
#define FILL    7

static uint8_t memory[BYTES];
static struct elfparse_plan plan = {.start = START, .end = START + BYTES};
static struct elfparse_object objects[OBJECTS];
static struct elfparse_link link = {.objects = objects, .count = OBJECTS};

/* 1 with a symbol of an object of the list, 0 with nothing, or a code. */
static int any_match(struct elfp_link_match *match)
{
    int code = Frama_C_interval(-1, 1);

    //@ split code;
    if (code == 1) {
        Frama_C_make_unknown((char *)match, sizeof(*match));
        match->object = &objects[up_to(OBJECTS - 1)];
    }
    return code;
}

int elfp_link_find(const struct elfparse_link *of, const struct elfparse_object *object,
                   const struct elfp_link_query *query, struct elfp_link_match *match)
{
    EXPECT(object >= objects && object < objects + OBJECTS && query->work != NULL);
    return any_match(match);
}

int elfp_link_search(const struct elfparse_link *of, const struct elfp_link_query *query,
                     const struct elfparse_object *except, struct elfp_link_match *match)
{
    EXPECT(query->work != NULL);
    return any_match(match);
}

int elfp_link_version_at(const struct elfparse_object *object, uint32_t index,
                         struct elfp_link_version *version, struct elfp_link_work *work)
{
    EXPECT(object >= objects && object < objects + OBJECTS && index <= 0x7fff);
    version->name.size = up_to(1);
    version->hash = up_to(UINT32_MAX);
    return Frama_C_interval(-1, 0);
}

uint32_t elfp_link_versym(const struct elfparse_object *object, uint32_t index)
{
    return up_to(UINT16_MAX);
}

void elfp_link_ask(struct elfp_link_query *query, const struct elfparse_view *name)
{
    EXPECT(name->bytes != NULL);
    query->name = *name;
    query->gnu_hash = up_to(UINT32_MAX);
    query->sysv_hash = up_to(UINT32_MAX);
}

int elfp_link_check_versions(const struct elfparse_link *of, const struct elfparse_object *object,
                             struct elfparse_link_error *error)
{
    return Frama_C_interval(-1, 0);
}

uint64_t elfp_link_address(const struct elfparse_link *of, const struct elfparse_object *object,
                           uint64_t vaddr)
{
    EXPECT(object >= objects && object < objects + OBJECTS);
    return any();
}

struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address,
                                    uint32_t prot)
{
    struct elfparse_view view = {memory + BYTES - 4, 4};

    if (up_to(1) == 0)
        view = (struct elfparse_view){NULL, 0};
    return view;
}

int elfp_link_string(const struct elfparse_view *strings, uint64_t offset,
                     struct elfparse_view *string)
{
    static const uint8_t name[] = "a";

    if (up_to(1) == 0)
        return 0;
    *string = (struct elfparse_view){name, 1};
    return 1;
}

static int writing;

void elfp_link_encode(uint8_t *bytes, uint64_t value, uint32_t word)
{
    EXPECT(writing);
    Frama_C_make_unknown((char *)bytes, word);
}

static int call_ifunc(void *ctx, uint64_t address, uint64_t resolver, uint64_t *value)
{
    EXPECT(writing);
    *value = any();
    return Frama_C_interval(-1, 0);
}

/* One relocation of any kind, which is all that its callbacks see of others. */
int elfparse_relocate(const struct elfparse_image *image, struct elfparse_error *error)
{
    struct elfparse_relocation relocation;
    uint64_t value;
    uint32_t kind = up_to(ELFPARSE_SPECIAL_TLS_DESC), size = 8;
    int code;

    //@ split kind;
    if (kind == ELFPARSE_SPECIAL_COPY)
        size = up_to(9);
    else if (kind == ELFPARSE_SPECIAL_TLS_DESC)
        size = 16;
    //@ split size;
    EXPECT(image->memory == memory && image->start == START);
    Frama_C_make_unknown((char *)error, sizeof(*error));
    Frama_C_make_unknown((char *)&relocation, sizeof(relocation));
    relocation.kind = kind;
    relocation.size = size;
    /* Eva does not see that no bytes may be copied to the very end. */
    relocation.address = START + up_to(BYTES - (size != 0 ? size : 1));
    writing = (image->flags & ELFPARSE_RELOCATE_CHECK) == 0;
    if (kind != 0)
        return image->special(image->ctx, &relocation);
    code = image->bind(image->ctx, &relocation, &value);
    if (code == 0)
        EXPECT(value <= UINT64_MAX); /* which was set */
    return code;
}

/* Nothing is written before everything was checked. */
static void expect_untouched(void)
{
    //@ loop unroll BYTES;
    for (uint32_t i = 0; i < BYTES; i++)
        EXPECT(memory[i] == FILL);
}

int main(void)
{
    static const uint32_t machines[] = {ELFPARSE_EM_X86_64, ELFPARSE_EM_AARCH64, ELFPARSE_EM_RISCV,
                                        ELFPARSE_EM_ARM};
    uint32_t machine = up_to(3);

    //@ split machine;
    link.machine = machines[machine];
    link.ifunc = up_to(1) == 1 ? call_ifunc : NULL;
    link.tls_descriptor = any();
    memset(memory, FILL, BYTES);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        objects[i].plan = &plan;
        objects[i].memory = memory;
        objects[i].symbolic = up_to(1);
    }
    (void)elfparse_link_relocate(&link, NULL);
    if (!writing)
        expect_untouched();
    return 0;
}
#endif

#if PART == 5
#define CAPACITY 2
#define ENTRIES  2
#define NAME     2

static struct elfparse_plan plan;
static struct elfparse_object objects[CAPACITY];
static struct elfparse_link link = {
    .machine = ELFPARSE_EM_X86_64, .objects = objects, .count = 1, .capacity = CAPACITY};
static uint8_t memory[32], functions[2][16];
static const uint8_t name[NAME] = "a";

static int any_code(void)
{
    return Frama_C_interval(-1, 0);
}

uint64_t elfp_link_address(const struct elfparse_link *of, const struct elfparse_object *object,
                           uint64_t vaddr)
{
    return any();
}

struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address,
                                    uint32_t prot)
{
    return (struct elfparse_view){NULL, 0};
}

void elfp_link_encode(uint8_t *bytes, uint64_t value, uint32_t word)
{
    EXPECT(0); /* the entry of no table lies in memory here */
}

int elfp_link_string(const struct elfparse_view *strings, uint64_t offset,
                     struct elfparse_view *string)
{
    *string = (struct elfparse_view){name, NAME - 1};
    return Frama_C_interval(0, 1);
}

int elfp_link_library(const struct elfp_link_place *place, uint64_t offset,
                      struct elfparse_view *library)
{
    *library = (struct elfparse_view){name, NAME - 1};
    return any_code();
}

struct elfparse_view elfp_link_text(const char *text)
{
    return (struct elfparse_view){name, NAME - 1};
}

int elfp_link_equal(const struct elfparse_view *a, const struct elfparse_view *b,
                    struct elfp_link_work *work)
{
    return Frama_C_interval(0, 1);
}

int elfp_link_tls_above(uint32_t machine)
{
    return Frama_C_interval(0, 1);
}

int elfp_link_dynamic(const struct elfparse_link *of, const struct elfparse_object *object,
                      uint32_t index, struct elfparse_dyn *entry)
{
    EXPECT(object >= objects && object < objects + link.count);
    if (index >= ENTRIES)
        return 0;
    entry->tag = up_to(1) == 1 ? ELFPARSE_DT_NEEDED : ELFPARSE_DT_STRTAB;
    entry->value = any();
    return 1;
}

int elfp_link_open(const struct elfparse_link *of, struct elfparse_object *object,
                   struct elfparse_link_error *error)
{
    EXPECT(object >= objects && object < objects + link.count);
    object->init = any();
    object->init_array = (struct elfparse_view){functions[0], sizeof(functions[0])};
    object->fini_array = (struct elfparse_view){functions[1], 9};
    return any_code();
}

static int load(void *ctx, const struct elfparse_object *by, const char *needed,
                struct elfparse_object *object)
{
    EXPECT(object > objects && object < objects + CAPACITY);
    object->plan = &plan;
    object->memory = memory;
    return any_code();
}

static void call_all(enum elfparse_calls_kind kind)
{
    struct elfparse_calls calls;
    uint64_t address;

    elfparse_link_calls_open(&link, kind, &calls);
    //@ loop unroll 12;
    for (uint32_t i = 0; i < 12; i++) {
        if (elfparse_link_next_call(&calls, &address) != 1)
            return;
        EXPECT(address <= UINT64_MAX); /* which was set */
    }
    EXPECT(0); /* there are no more than that */
}

int main(void)
{
    struct elfparse_phdr_info info;
    struct elfparse_debug debug;

    plan.dynamic.vaddr = any();
    link.load = load;
    objects[0].plan = &plan;
    objects[0].memory = memory;
    Frama_C_make_unknown((char *)functions, sizeof(functions));
    if (elfparse_link_load(&link, NULL) != 0)
        return 0;
    EXPECT(link.count >= 1 && link.count <= CAPACITY);
    EXPECT(objects[0].order < link.count);
    if (link.count == 2)
        EXPECT(objects[1].order == 1 - objects[0].order);
    call_all(ELFPARSE_CALLS_INIT);
    call_all(ELFPARSE_CALLS_FINI);
    elfparse_link_publish(&link, ELFPARSE_DEBUG_CONSISTENT, &debug);
    (void)elfparse_link_phdr_info(&link, up_to(CAPACITY), &info);
    return 0;
}
#endif
