/*
 * output.h: a child's output on its way into chunks.
 *
 * Both streams are read as they come and kept in the order of arrival, in
 * chunks of at most 64 KiB of one stream. What is beyond the limit is read,
 * counted and not kept, so that the child never waits for it.
 *
 * Who says a little all day long makes ever fewer chunks: they wait longer for
 * more, the more there were. So their number is bounded, and with it what the
 * host's disk and the topics hold.
 */
#pragma once

#include <stdbool.h>

#include "model/result.h"

#define OUTPUT_CHUNKS 100000 /* beyond them nothing is kept, either */
#define OUTPUT_WAIT 50       /* ms that bytes wait for more of them, at first */

struct output {
    int fds[2];         /* to read stdout and stderr from; -1: closed */
    struct list chunks; /* struct chunk: not yet told */
    size_t waiting;     /* bytes in them */
    int64_t since;      /* clock_steady() of the oldest of them */
    int64_t limit;      /* bytes that are kept, of both streams */
    int64_t made;       /* chunks, in all */
    int64_t kept;
    int64_t dropped;
    bool given_up; /* by output_give_up() */
    bool more;     /* the last read stopped before it had seen everything */
};

/* Two pipes; their writing ends are the caller's, and close-on-exec. */
int output_open(struct output *output, int64_t limit, int ret_ends[static 2],
                struct err *err);
void output_done(struct output *output);

/* Reads what is there, up to some chunks and as long as no more than that
 * waits; closes what has ended. */
void output_read(struct output *output, int64_t now);

/* As much waits as may: nothing is read before some of it is told. */
bool output_is_full(const struct output *output);

/* When what waits should be told, by clock_steady(); and whether that is now.
 */
int64_t output_due_at(const struct output *output);
bool output_due(const struct output *output, int64_t now);

/* What waits can't be told: it counts as dropped, as all does that comes. */
void output_give_up(struct output *output);

/* The oldest chunk that was not told, NULL: none; and away with it. */
const struct chunk *output_first(const struct output *output);
void output_drop_first(struct output *output);
