/*
 * advance_plan.h: what follows from how a run's executions are by now: the next
 * wave, another attempt, the rest cancelled, the end.
 *
 * Pure: what the record says and what the command's author signed go in, what
 * is to be done comes out. Asked twice of the same, it answers the same.
 */
#pragma once

#include "model/pace.h"

enum advance_state {
    ADVANCE_NONE,
    ADVANCE_PLANNED,  /* not dispatched */
    ADVANCE_OPEN,     /* dispatched */
    ADVANCE_WITHHELD, /* never to be dispatched, and its end is on its way */
    ADVANCE_ENDED,
};

enum advance_step {
    ADVANCE_NOTHING,
    ADVANCE_DISPATCH,
    ADVANCE_WITHHOLD,
    ADVANCE_RETRY, /* another attempt is planned on its target */
};

struct advance_row {
    const char *target;
    int64_t attempt;
    int state;
    int outcome;    /* ENDED */
    int64_t due;    /* PLANNED: not before that moment; 0: at once */
    bool cancelled; /* somebody asked for its end */
    int step;       /* what follows */
};

struct advance {
    const struct pace *pace;
    bool begun; /* its turn has come, among the command's runs */
    int64_t now;
    struct advance_row *rows; /* sorted by target and attempt */
    size_t n;
    size_t targets; /* out: how many there are */
    size_t errors;  /* out: where it went wrong for good */
    bool enough;    /* out: that is so many that nothing more begins */
    bool over;      /* out: nothing follows any more */
};

extern const struct words advance_state_words;
extern const struct words advance_step_words;

void advance_plan(struct advance *advance);
