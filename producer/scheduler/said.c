/* said.c: see said.h. */
#include "producer/scheduler/said.h"

#include <uthash.h>

#include "base/cleanup.h"
#include "base/clock.h"

struct said {
    struct id id;
    int64_t at; /* by the steady clock */
    UT_hash_handle hh;
};

bool said_now(struct said **all, const struct id *id)
{
    struct said *said = NULL;

    HASH_FIND(hh, *all, id->b, sizeof(id->b), said);
    if (said != NULL) {
        return false;
    }
    said = must_calloc(1, sizeof(*said));
    said->id = *id;
    said->at = clock_steady();
    HASH_ADD(hh, *all, id, sizeof(said->id), said);
    return true;
}

void said_forget(struct said **all, int64_t until)
{
    struct said *said;
    struct said *next;

    HASH_ITER (hh, *all, said, next) {
        if (said->at <= until) {
            HASH_DEL(*all, said);
            free(said);
        }
    }
}
