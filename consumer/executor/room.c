/*
 * room.c: whether the disk has room for one execution more.
 *
 * Asked before a claim: what one host can't keep, another of the pool may
 * start. What is left below that is for what runs already: its backlog, and
 * the words of its end. A quota shows only in what was tried, so a write that
 * failed counts for a while.
 */
#include <sys/statvfs.h>

#include "base/clock.h"
#include "consumer/executor/executor.h"

#define ROOM (16LL << 20) /* bytes: two backlogs (BACKLOG), and some */
#define ROOM_FILES 64
#define HOLD_OFF 5000 /* ms after a write that failed */

void room_lacks(struct executor *executor)
{
    executor->full_until = clock_steady() + HOLD_OFF;
}

static bool is_there(const struct executor *executor, int64_t *ret_free)
{
    struct statvfs disk;

    *ret_free = -1;
    if (statvfs(executor->own, &disk) != 0) {
        return true; /* the writing will tell */
    }
    *ret_free = (int64_t)(disk.f_bavail * disk.f_frsize);
    return *ret_free >= ROOM &&
           (disk.f_files == 0 || disk.f_favail >= ROOM_FILES) &&
           clock_steady() >= executor->full_until;
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
