/*
 * spool.h: an execution's results on the host's disk until the broker has them
 * all: one file an execution, an envelope a line.
 *
 * Each result is here before it is produced; so a successor can produce the
 * very same bytes again, and its `finished` goes on with the chain where it
 * ended. What was delivered is let go of: a hole in the file, which needs no
 * room (fallocate(2); where a file system makes none, the file keeps it all).
 * The last result always stays, and with it the chain's number and hash.
 */
#pragma once

#include "model/envelope.h"

/* Places in one execution's file. */
struct spooled {
    int64_t from; /* what is before was let go of; */
    int64_t last; /* the last result begins here, */
    int64_t end;  /* and ends here */
};

/* How many bytes of the disk it has. */
static inline int64_t spooled_held(const struct spooled *spooled)
{
    return spooled->end - spooled->from;
}

/* Appends one; RETRY: the disk doesn't take it. */
int spool_add(const char *directory, const struct id *execution,
              const struct envelope *envelope, struct spooled *spooled,
              struct err *err);

/* Lets go of all but the last: they were delivered. */
void spool_let_go(const char *directory, const struct id *execution,
                  struct spooled *spooled);

/* The next whole line from this place of the file on; ret_next is the place
 * behind it. 1: ret_envelope is the caller's; 0: no more (or torn by a crash).
 */
int spool_read(const char *directory, const struct id *execution, int64_t at,
               struct envelope *ret_envelope, int64_t *ret_next,
               struct err *err);

void spool_remove(const char *directory, const struct id *execution);
