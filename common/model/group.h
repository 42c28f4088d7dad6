/*
 * group.h: people who may approve runs together: group.set, an entry of the
 * revocation log.
 *
 * A group is said whole each time, and names the group.set that it follows, so
 * that nobody undoes what they have not seen; one without members is no more.
 * What counts is the newest one, for what was asked before it, too: who is
 * taken out of a group has approved nothing that has not begun.
 */
#pragma once

#include "model/log_entry.h"

#define GROUP_MEMBERS_MAX 100

struct group_set { /* administrator's own key */
    struct log_entry entry;
    char *name;
    struct hash previous; /* the group.set before; zero: a new name */
    struct list members;  /* struct id; none: the group ends */
};

extern const struct table group_set_table;

/* Each member once. -1: REJECT. */
int group_check(const struct group_set *set, struct err *err);

/* Whether this user is among these (struct id). */
bool members_hold(const struct list *members, const struct id *user);
