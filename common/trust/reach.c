/* reach.c: see reach.h. */
#include "trust/reach.h"

#include <string.h>

#include "model/where.h"

static bool reaches(const struct place_standing *place, const char *where,
                    const char *target)
{
    return place == NULL ? strcmp(where, target) == 0
                         : where_holds(where, target, &place->labels);
}

static const struct place_standing *place_of(const struct standing *standing,
                                             const char *target)
{
    return standing == NULL ? NULL : standing_place(standing, target);
}

static bool is_removed(const struct place_standing *place)
{
    return place != NULL && place->state == TARGET_REMOVED;
}

bool reach_holds(const struct standing *standing, const struct list *wheres,
                 const char *target)
{
    const struct place_standing *place = place_of(standing, target);

    if (is_removed(place)) {
        return false;
    }
    for (size_t i = 0; i < wheres->n; i++) {
        if (reaches(place, list_at(wheres, char *, i), target)) {
            return true;
        }
    }
    return false;
}

int reach_check(const struct standing *standing, const struct run_start *run,
                const struct command_save *command, const char *target,
                struct err *err)
{
    const struct place_standing *place = place_of(standing, target);

    if (place != NULL && place->generation > 1 &&
        run->request.head.issued < place->since) {
        return err_set(err, ERR_REJECT,
                       "asked for when another target had the name %s", target);
    }
    if (reach_holds(standing, &command->targets, target)) {
        return 0;
    }
    return is_removed(place)
               ? err_set(err, ERR_REJECT, "target %s was removed", target)
               : err_set(err, ERR_REJECT, "command %s is not for target %s",
                         command->name, target);
}

void reach_within(const struct standing *standing, const struct list *wheres,
                  const char *only, struct list *ret_names)
{
    const struct place_standing *place = NULL;

    while ((place = standing_place_after(standing, place)) != NULL) {
        if (where_holds(only, place->name, &place->labels) &&
            reach_holds(standing, wheres, place->name)) {
            texts_add(ret_names, place->name);
        }
    }
}
