/* standing_private.h: what standing.c and the files of its nouns share. */
#pragma once

#include <uthash.h>

#include "trust/standing.h"

struct about;
struct mark;
struct set_place;
struct set_group;

struct standing {
    struct list heads; /* struct hash, by seq */
    struct about *people;
    struct mark *marks;
    struct set_place *places;
    struct set_group *groups;
};

void standing_set_target(struct standing *standing, const struct event *entry);
void standing_free_places(struct standing *standing);
void standing_set_group(struct standing *standing, const struct event *entry);
void standing_free_groups(struct standing *standing);
