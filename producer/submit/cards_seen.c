/* cards_seen.c: see cards_seen.h. */
#include "producer/submit/cards_seen.h"

#include <string.h>
#include <sysexits.h>

#include "base/file.h"

struct cards_seen {
    int64_t generation; /* of the newest billing key */
    int64_t steps;
    struct hash last;
};

static const struct field cards_seen_fields[] = {
    {"generation", FIELD_INT, .at = offsetof(struct cards_seen, generation)},
    {"steps", FIELD_INT, .at = offsetof(struct cards_seen, steps)},
    {"last", FIELD_HASH, .at = offsetof(struct cards_seen, last)},
};

static const struct table cards_seen_table = {.name = "cards seen",
                                              TABLE(cards_seen_fields),
                                              .size =
                                                  sizeof(struct cards_seen)};

static int seen_read(const char *path, struct cards_seen *ret_seen,
                     struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    *ret_seen = (struct cards_seen){0};
    if (file_exists(path) &&
        (file_read(path, 4096, &json, err) != 0 ||
         table_decode(&cards_seen_table, json.data, json.len, ret_seen, err))) {
        err->status = EX_CONFIG;
        return err_wrap(err, "%s", path);
    }
    return 0;
}

static int seen_write(const char *path, const struct cards_seen *seen,
                      struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    return table_encode(&cards_seen_table, seen, &json, err) != 0
               ? -1
               : file_write(path, json.data, json.len, 0600, true, err);
}

/* A database may have been set back to a backup, and all be well. */
static int told_less(const char *what, const char *path, struct err *err)
{
    return err_exit(err, EX_DATAERR,
                    "%s than this machine has seen before: somebody keeps "
                    "something back, or the database was set back; in that "
                    "case, remove %s",
                    what, path);
}

int cards_seen_key(const struct profile *profile, int64_t generation,
                   struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "cards.json");
    struct cards_seen seen;

    if (seen_read(path, &seen, err) != 0) {
        return -1;
    }
    if (generation < seen.generation) {
        return told_less("an older billing key was told", path, err);
    }
    if (generation == seen.generation) {
        return 0;
    }
    seen.generation = generation;
    return seen_write(path, &seen, err);
}

int cards_seen_steps(const struct profile *profile, const struct list *steps,
                     struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "cards.json");
    struct cards_seen seen;

    if (seen_read(path, &seen, err) != 0) {
        return -1;
    }
    if (steps->n < (size_t)seen.steps ||
        (seen.steps > 0 &&
         !hash_equal(&list_at(steps, struct hash, seen.steps - 1),
                     &seen.last))) {
        return told_less("less was told of your cards, or other things,", path,
                         err);
    }
    if (steps->n == (size_t)seen.steps) {
        return 0;
    }
    return cards_seen_step(profile, (int64_t)steps->n,
                           &list_at(steps, struct hash, steps->n - 1), err);
}

int cards_seen_step(const struct profile *profile, int64_t number,
                    const struct hash *step, struct err *err)
{
    _cleanup_free_ char *path = profile_path(profile, "cards.json");
    struct cards_seen seen;

    if (seen_read(path, &seen, err) != 0) {
        return -1;
    }
    seen.steps = number;
    seen.last = *step;
    return seen_write(path, &seen, err);
}
