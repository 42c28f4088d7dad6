/* advance.c: see advance.h. */
#include "model/advance.h"

static const struct field run_advance_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct run_advance, run)},
    {"progress", FIELD_HASH, .at = offsetof(struct run_advance, progress)},
};

const struct table run_advance_table = {.name = "run.advance",
                                        .base = &request_table,
                                        TABLE(run_advance_fields),
                                        .size = sizeof(struct run_advance)};

struct id advance_id(const struct id *run, const struct hash *progress)
{
    static const char what[] = "errand.advance";
    struct part parts[] = {{what, sizeof(what) - 1},
                           {run->b, sizeof(run->b)},
                           {progress->b, sizeof(progress->b)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_at(id_time(run), &hash);
}
