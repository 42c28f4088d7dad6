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

void said_forget(struct said **said, int64_t before)
{
    struct said *one;
    struct said *next;

    HASH_ITER (hh, *said, one, next) {
        if (one->at <= before) {
            HASH_DEL(*said, one);
            free(one);
        }
    }
}

bool said_now(struct said **said, const struct id *id)
{
    struct said *one = NULL;

    HASH_FIND(hh, *said, id->b, sizeof(id->b), one);
    if (one != NULL) {
        return false;
    }
    one = must_calloc(1, sizeof(*one));
    one->id = *id;
    one->at = clock_steady();
    HASH_ADD(hh, *said, id, sizeof(one->id), one);
    return true;
}
