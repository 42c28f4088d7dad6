/* group.c: see group.h. */
#include "model/group.h"

static const struct field group_set_fields[] = {
    {"name", FIELD_NAME, .at = offsetof(struct group_set, name)},
    {"previous", FIELD_HASH, .optional = true,
     .at = offsetof(struct group_set, previous)},
    {"members", FIELD_LIST, .item = &id_item, .max = GROUP_MEMBERS_MAX,
     .at = offsetof(struct group_set, members)},
};

const struct table group_set_table = {.name = "group.set",
                                      .base = &log_entry_table,
                                      TABLE(group_set_fields),
                                      .size = sizeof(struct group_set)};

bool members_hold(const struct list *members, const struct id *user)
{
    for (size_t i = 0; i < members->n; i++) {
        if (id_equal(&list_at(members, struct id, i), user)) {
            return true;
        }
    }
    return false;
}

int group_check(const struct group_set *set, struct err *err)
{
    for (size_t i = 0; i < set->members.n; i++) {
        struct list before = {set->members.items, i};
        if (members_hold(&before, &list_at(&set->members, struct id, i))) {
            return err_set(err, ERR_REJECT, "a member is named twice");
        }
    }
    return 0;
}
