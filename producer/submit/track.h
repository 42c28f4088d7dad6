/*
 * track.h: what is known of a run's executions while somebody looks on.
 *
 * In come results from executors (live), rows of run.show and pieces of
 * run.output (as recorded), in any mixture; out comes each piece of output once
 * and in its order, by spout.h. Live output behind a gap is let pass: what is
 * missing is fetched from the record, as far as `wanted` says there is some.
 */
#pragma once

#include "model/answer.h"
#include "producer/submit/spout.h"
#include "trust/event.h"

struct track {
    struct execution_row row; /* owns its texts */
    int64_t have;             /* chunks that came out */
    int64_t wanted;           /* chunks that are known to be */
    int64_t behind;           /* clock_steady() since it waits for some; or 0 */
    bool told;                /* that it ended, or that some is missing */
    bool followed;            /* by another attempt on its target */
    bool told_silent;
    struct spout *spout;
};

struct tracks {
    struct track *list; /* an attempt stands behind those before it */
    size_t n;
    size_t targets;
    int64_t attempts;        /* on each target, at most */
    const struct list *only; /* char *: those that are looked at; NULL: all */
    bool over;               /* the record says that nothing more comes */
};

/* One track for each execution of the answer, on these targets only (char *,
 * lent; NULL or none: on all). */
void tracks_init(struct tracks *tracks, const struct run_answer *run,
                 const struct list *only);
void tracks_done(struct tracks *tracks);

/* Takes in what an executor told. -1: can't write (status 74). */
int tracks_event(struct tracks *tracks, const struct event *event,
                 struct err *err);

/* Takes in what the record says; what is known to have ended stays so. */
void tracks_rows(struct tracks *tracks, const struct run_answer *run);

/* Puts out what comes next among these pieces. */
int track_pieces(struct track *track, const struct output_answer *output,
                 struct err *err);

bool track_ended(const struct track *track);

/* The next attempt on its target, where it is known; NULL. */
const struct track *track_next(const struct tracks *tracks,
                               const struct track *track);

/* Ended, and whether another attempt follows the record will tell. */
bool track_held(const struct tracks *tracks, const struct track *track);

/* Ended, and all of its output is out. */
bool track_whole(const struct track *track);

/* "succeeded (exit 0) in 0.31 s", "expired: …"; the caller's to free. */
char *execution_text(const struct execution_row *row);
