/* Doubly linked circular lists whose links live in the listed objects. */
#ifndef UMBRA_LIB_LIST_H
#define UMBRA_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define CONTAINER_OF(member_pointer, type, member)                                                 \
    ((type *)(void *)((char *)(member_pointer) - offsetof(type, member)))

#define LIST_LINK(entry, type, member)                                                             \
    ((struct list *)(void *)((char *)(entry) + offsetof(type, member)))

/* Walks the list. The body may remove the current entry. After the last step `entry` is computed
 * from the list head and must not be used. */
#define LIST_FOR_EACH(entry, head, type, member)                                                   \
    for (type *entry = CONTAINER_OF((head)->next, type, member),                                   \
              *entry##_next = CONTAINER_OF(LIST_LINK(entry, type, member)->next, type, member);    \
         LIST_LINK(entry, type, member) != (head); entry = entry##_next,                           \
              entry##_next = CONTAINER_OF(LIST_LINK(entry, type, member)->next, type, member))

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert_after(struct list *place, struct list *item)
{
    item->next = place->next;
    item->prev = place;
    place->next->prev = item;
    place->next = item;
}

static inline void list_append(struct list *head, struct list *item)
{
    list_insert_after(head->prev, item);
}

/* Removes the item. Removing it again does nothing. */
static inline void list_remove(struct list *item)
{
    item->next->prev = item->prev;
    item->prev->next = item->next;
    list_init(item);
}

#endif
