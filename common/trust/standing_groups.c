/* standing_groups.c: who is in each group, by its newest group.set. See
 * standing.h. */
#include <string.h>

#include "trust/standing_private.h"

/* A group, as its newest group.set says. */
struct set_group {
    struct group_standing now;
    UT_hash_handle hh;
};

void standing_free_groups(struct standing *standing)
{
    struct set_group *group;
    struct set_group *next;

    HASH_ITER (hh, standing->groups, group, next) {
        HASH_DEL(standing->groups, group);
        free(group->now.name);
        free(group->now.members.items);
        free(group);
    }
}

static struct set_group *find_group(const struct standing *standing,
                                    const char *name)
{
    struct set_group *group = NULL;

    HASH_FIND_STR(standing->groups, name, group);
    return group;
}

static struct set_group *add_group(struct standing *standing, const char *name)
{
    struct set_group *group = must_calloc(1, sizeof(*group));

    group->now.name = must_strdup(name);
    HASH_ADD_KEYPTR(hh, standing->groups, group->now.name,
                    strlen(group->now.name), group);
    return group;
}

void standing_set_group(struct standing *standing, const struct event *entry)
{
    const struct group_set *said = entry->payload;
    struct set_group *group = find_group(standing, said->name);

    if (group == NULL) {
        group = add_group(standing, said->name);
    }
    struct list *members = &group->now.members;
    free(members->items);
    *members = (struct list){0};
    for (size_t i = 0; i < said->members.n; i++) {
        *(struct id *)list_grow(members, sizeof(struct id)) =
            list_at(&said->members, struct id, i);
    }
    group->now.hash = entry->hash;
}

const struct group_standing *standing_group(const struct standing *standing,
                                            const char *name)
{
    const struct set_group *group = find_group(standing, name);

    return group == NULL ? NULL : &group->now;
}

const struct group_standing *
standing_group_after(const struct standing *standing,
                     const struct group_standing *after)
{
    const struct set_group *group =
        after == NULL ? standing->groups
                      : find_group(standing, after->name)->hh.next;

    return group == NULL ? NULL : &group->now;
}
