/*
 * timetable.h: a command's schedules, as its file says them, signed for its
 * newest version.
 *
 * The file is the whole truth: what stands there and is not there yet, or for
 * an older version, is signed; what stands there no more is taken away. Where
 * that broke off, the next time mends it. What the authorizer tells is compared
 * with, never signed: that comes from the file alone.
 */
#pragma once

#include "model/schedule_answer.h"
#include "model/schedule_lines.h"
#include "producer/submit/submit.h"

enum pausing { PAUSE_AS_IT_IS, PAUSE_ALL, PAUSE_NONE };

struct timetable {
    enum pausing pausing;
    const struct command_save *save;
    struct schedule_lines when;   /* by its file */
    struct schedules_answer told; /* what there is by now */
};

void timetable_done(struct timetable *timetable);
#define _cleanup_timetable_ _cleanup_(timetable_done)

/* "0 3 * * 1-5", or "at 2026-12-24T17:00:00.000Z"; the caller's. */
char *schedule_text(const char *cron, int64_t at);

/* What there is of a command's (NULL: of all); status 67: no such command. */
int timetable_ask(struct submit *submit, const char *command,
                  struct schedules_answer *ret_told, struct err *err);

/* Reads and compares, before anything is signed; there may be some already.
 * -1: one of them can't be (its moment has passed). `save` is lent. */
int timetable_read(struct submit *submit, const struct command_save *save,
                   bool there, struct timetable *timetable, struct err *err);

/* Signs what differs, for the version whose hash this is; says what it did.
 * ret_changed: how many were signed or taken away; may be NULL. */
int timetable_sign(struct submit *submit, const struct timetable *timetable,
                   const struct hash *saved, size_t *ret_changed,
                   struct err *err);
