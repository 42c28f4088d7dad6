/*
 * room.c: whether the disk has room for one execution more.
 *
 * Asked before a claim: what one host can't keep, another of the pool may
 * start. Whoever runs may still fill its part of the spool, so that part is not
 * there for others; and the words of its end have room of their own, in the
 * ledger. A quota shows only in what was tried, so a write that failed counts
 * for a while.
 */
#include <sys/statvfs.h>

#include "base/clock.h"
#include "consumer/executor/executor.h"

#define ROOM (2 * SPOOL_EACH) /* bytes: for one more, and some */
#define ROOM_FILES 64
#define HOLD_OFF 2000 /* ms after a write that failed */

void room_lacks(struct executor *executor)
{
    executor->full_until = clock_steady() + HOLD_OFF;
}

/* What those that run may still add. */
static int64_t promised(const struct executor *executor)
{
    int64_t bytes = 0;

    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        int64_t left = SPOOL_EACH - spooled_held(&e->spooled);
        bytes += e->phase < PHASE_ENDED && left > 0 ? left : 0;
    }
    return bytes;
}

static bool owes_exit(const struct executor *executor,
                      const struct execution *execution)
{
    if (execution->phase == PHASE_ENDED) {
        return false;
    }
    const struct entry *entry = ledger_find(executor->ledger, &execution->id);
    return entry == NULL || !entry->exited;
}

/* Of all that have not ended, and one more. */
static bool ends_have_room(const struct executor *executor)
{
    struct err ignored = {0};
    size_t exits = 1;

    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        exits += owes_exit(executor, e);
    }
    return ledger_reserve(executor->ledger, exits, &ignored) == 0;
}

static bool is_there(const struct executor *executor, int64_t *ret_free)
{
    struct statvfs disk;

    *ret_free = -1;
    if (statvfs(executor->own, &disk) != 0) {
        return true; /* the writing will tell */
    }
    *ret_free = (int64_t)(disk.f_bavail * disk.f_frsize);
    return *ret_free >= ROOM + promised(executor) &&
           (disk.f_files == 0 || disk.f_favail >= ROOM_FILES) &&
           clock_steady() >= executor->full_until && ends_have_room(executor);
}

bool room_is_there(struct executor *executor)
{
    const struct log *log = &executor->daemon->log;
    int64_t bytes;
    bool there = is_there(executor, &bytes);

    if (there && executor->full) {
        log_info(log, "the disk has room again");
    } else if (!there && !executor->full) {
        log_warning(log, "the disk has no room: nothing more is claimed",
                    L_TEXT("directory", executor->own),
                    L_INT("free_bytes", bytes));
    }
    executor->full = !there;
    return there;
}
