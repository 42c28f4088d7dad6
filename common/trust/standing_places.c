/* standing_places.c: what each target is, by its newest target.set. See
 * standing.h. */
#include <string.h>

#include "trust/standing_private.h"

/* A target, as its newest target.set says. */
struct set_place {
    struct place_standing now;
    UT_hash_handle hh;
};

static void place_done(struct place_standing *place)
{
    free(place->name);
    pairs_done(&place->labels);
}

void standing_free_places(struct standing *standing)
{
    struct set_place *place;
    struct set_place *next;

    HASH_ITER (hh, standing->places, place, next) {
        HASH_DEL(standing->places, place);
        place_done(&place->now);
        free(place);
    }
}

static struct set_place *find_place(const struct standing *standing,
                                    const char *name)
{
    struct set_place *place = NULL;

    HASH_FIND_STR(standing->places, name, place);
    return place;
}

static struct set_place *add_place(struct standing *standing, const char *name)
{
    struct set_place *place = must_calloc(1, sizeof(*place));

    place->now.name = must_strdup(name);
    HASH_ADD_KEYPTR(hh, standing->places, place->now.name,
                    strlen(place->now.name), place);
    return place;
}

/* What was removed is so for good, whoever says otherwise later: another one of
 * its name is another generation. */
void standing_set_target(struct standing *standing, const struct event *entry)
{
    const struct target_set *said = entry->payload;
    struct set_place *place = find_place(standing, said->name);

    if (place == NULL) {
        place = add_place(standing, said->name);
    } else if (said->generation <
               place->now.generation + (place->now.state == TARGET_REMOVED)) {
        return;
    }
    struct place_standing *now = &place->now;
    if (now->generation != said->generation) {
        now->since = said->entry.request.head.issued;
    }
    now->hash = entry->hash;
    now->generation = said->generation;
    now->max_wait = said->max_wait;
    now->state = (enum target_state)said->state;
    pairs_done(&now->labels);
    pairs_add_all(&now->labels, &said->labels);
}

const struct place_standing *standing_place(const struct standing *standing,
                                            const char *name)
{
    const struct set_place *place = find_place(standing, name);

    return place == NULL ? NULL : &place->now;
}

const struct place_standing *
standing_place_after(const struct standing *standing,
                     const struct place_standing *after)
{
    const struct set_place *place =
        after == NULL ? standing->places
                      : find_place(standing, after->name)->hh.next;

    return place == NULL ? NULL : &place->now;
}
