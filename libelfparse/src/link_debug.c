#include "linker.h"
#include "memory.h"

#define DT_DEBUG 21

void elfp_link_encode(uint8_t *bytes, uint64_t value, uint32_t word)
{
    for (uint32_t i = 0; i < word; i++)
        bytes[i] = (uint8_t)(value >> (i * 8));
}

int elfparse_link_relro(const struct elfparse_object *object, struct elfparse_area *area)
{
    const struct elfparse_area *relro = &object->plan->relro;
    uint64_t start = relro->vaddr & ~(ELFPARSE_PAGE_SIZE - 1);
    uint64_t end = (relro->vaddr + relro->size) & ~(ELFPARSE_PAGE_SIZE - 1);

    if (relro->size == 0 || end <= start)
        return 0;
    area->vaddr = start;
    area->size = end - start;
    return 1;
}

/* 1 if the bytes at address may be changed. */
static int is_writable(const struct elfparse_object *object, uint64_t address, uint64_t size)
{
    const struct elfparse_plan *plan = object->plan;

    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *range = &plan->ranges[i];

        if ((range->prot & ELFPARSE_PF_W) != 0 && address - range->vaddr < range->size &&
            size <= range->size - (address - range->vaddr))
            return 1;
    }
    return 0;
}

/* Stores an address in the entry that debuggers look for. */
static void set_debug_entry(const struct elfparse_link *link, const struct elfparse_object *object,
                            uint64_t value)
{
    uint32_t word = elfp_link_word(link);
    struct elfparse_dyn entry;

    for (uint32_t i = 0; elfp_link_dynamic(link, object, i, &entry); i++) {
        uint64_t offset = (uint64_t)i * 2 * word + word;

        if (entry.tag == DT_DEBUG &&
            is_writable(object, object->plan->dynamic.vaddr + offset, word))
            elfp_link_encode((uint8_t *)object->memory +
                                 (object->plan->dynamic.vaddr - object->plan->start + offset),
                             value, word);
    }
}

void elfparse_link_publish(struct elfparse_link *link, enum elfparse_debug_state state,
                           struct elfparse_debug *debug)
{
    for (uint32_t i = 0; i < link->count; i++) {
        struct elfparse_object *object = &link->objects[i];

        object->map.bias = (uintptr_t)object->plan->bias;
        object->map.name = object->name != NULL ? object->name : "";
        object->map.dynamic = (uintptr_t)object->plan->dynamic.vaddr;
        object->map.next = i + 1 < link->count ? &link->objects[i + 1].map : NULL;
        object->map.previous = i != 0 ? &link->objects[i - 1].map : NULL;
    }
    debug->version = 1;
    debug->objects = link->count != 0 ? &link->objects[0].map : NULL;
    debug->state = (int32_t)state;
    if (link->count != 0)
        set_debug_entry(link, &link->objects[0], (uint64_t)(uintptr_t)debug);
}

int elfparse_link_phdr_info(const struct elfparse_link *link, uint32_t object,
                            struct elfparse_phdr_info *info)
{
    const struct elfparse_object *about;

    if (object >= link->count)
        return ELFPARSE_ELINK;
    about = &link->objects[object];
    info->bias = about->plan->bias;
    info->name = about->name != NULL ? about->name : "";
    info->phdr = about->plan->phdr_vaddr;
    info->phnum = about->plan->phnum;
    info->tls_module = about->tls_module;
    info->tls_offset =
        elfp_link_tls_above(link->machine) ? about->tls_offset : 0 - about->tls_offset;
    info->adds = link->count;
    return 0;
}
