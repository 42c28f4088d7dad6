/*
 * ledger.h: what this host has started, on its own disk.
 *
 * One append-only file in the state directory, a line a fact, each with its own
 * checksum:
 *     <sum> LIFE <incarnation> <boot id> <moment>
 *     <sum> START <execution> <incarnation> <claim's offset> <boot id>
 *     <sum> EXIT <execution> <incarnation> <base64 of `finished`'s envelope>
 *     <sum> SENT <execution>
 * START is on disk before the child is made, EXIT before `finished` is
 * produced, SENT after its delivery report. What always holds: an execution
 * that the ledger knows is never started again, whatever a broker shows. A torn
 * last line (a crash) is cut off; any other damage refuses. From 16 MiB on the
 * file is written anew now and then, without the results that were sent.
 *
 * Whoever starts must be able to end: the disk's room for so many EXITs is the
 * file's own before anything is claimed (ledger_reserve()), whoever else fills
 * the disk then.
 */
#pragma once

#include <uthash.h>

#include "base/err.h"
#include "base/id.h"
#include "model/envelope.h"

struct entry {
    struct id execution;
    struct id incarnation; /* that won its claim */
    int64_t claim;
    bool started;
    bool same_boot; /* since START */
    bool sent;
    struct envelope finished; /* EXIT: until it is sent */
    bool exited;
    UT_hash_handle hh;
};

struct ledger;

/* Reads the file, and writes this life into it. */
struct ledger *ledger_open(const char *directory, const struct id *incarnation,
                           struct err *err);
void ledger_free(struct ledger *ledger);

/* NULL: this host knows nothing of it. */
const struct entry *ledger_find(const struct ledger *ledger,
                                const struct id *execution);

/* The next after `entry` (NULL: the first), in the order that they came. */
const struct entry *ledger_next(const struct ledger *ledger,
                                const struct entry *entry);

/* True for an incarnation before this one that the ledger is of. */
bool ledger_lived(const struct ledger *ledger, const struct id *incarnation);

/* Room for the EXITs of so many executions, and for short lines. RETRY: the
 * disk has none. */
int ledger_reserve(struct ledger *ledger, size_t exits, struct err *err);

/* Each is on disk when it returns 0 (SENT: may be lost, and be said again).
 * RETRY: the disk does not take it, and nothing was noted. */
int ledger_start(struct ledger *ledger, const struct id *execution,
                 int64_t claim, struct err *err);
int ledger_exit(struct ledger *ledger, const struct id *execution,
                const struct id *incarnation, const struct envelope *finished,
                struct err *err);
int ledger_sent(struct ledger *ledger, const struct id *execution,
                struct err *err);

/* The directory that it is in. */
const char *ledger_directory(const struct ledger *ledger);
