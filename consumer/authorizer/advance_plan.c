/* advance_plan.c: see advance_plan.h. */
#include "consumer/authorizer/advance_plan.h"

#include <string.h>

#include "model/result.h"

WORDS(advance_state_words, "planned", "open", "withheld", "ended");
WORDS(advance_step_words, "dispatch", "withhold", "retry");

/* Of several attempts on a target the last one tells. */
static bool is_last(const struct advance *advance, size_t i)
{
    return i + 1 == advance->n ||
           strcmp(advance->rows[i].target, advance->rows[i + 1].target) != 0;
}

static bool may_retry(const struct advance *advance,
                      const struct advance_row *row)
{
    return row->state == ADVANCE_ENDED && !row->cancelled &&
           row->attempt < pace_attempts(advance->pace) &&
           pace_retries(advance->pace, row->outcome);
}

/* What somebody ended is no fault of the command's. */
static bool went_wrong(const struct advance *advance,
                       const struct advance_row *row)
{
    return row->state == ADVANCE_ENDED && row->outcome != OUTCOME_SUCCEEDED &&
           row->outcome != OUTCOME_CANCELLED && !may_retry(advance, row);
}

static void count(struct advance *advance)
{
    advance->targets = 0;
    advance->errors = 0;
    for (size_t i = 0; i < advance->n; i++) {
        if (is_last(advance, i)) {
            advance->targets++;
            advance->errors += went_wrong(advance, &advance->rows[i]);
        }
    }
    advance->enough =
        advance->errors >= pace_errors(advance->pace, advance->targets);
}

static size_t count_open(const struct advance *advance)
{
    size_t open = 0;

    for (size_t i = 0; i < advance->n; i++) {
        open += advance->rows[i].state == ADVANCE_OPEN;
    }
    return open;
}

static int step_of(const struct advance *advance, size_t i, bool room)
{
    const struct advance_row *row = &advance->rows[i];

    if (row->state == ADVANCE_PLANNED && advance->enough) {
        return ADVANCE_WITHHOLD;
    }
    if (row->state == ADVANCE_PLANNED) {
        return advance->begun && room && row->due <= advance->now
                   ? ADVANCE_DISPATCH
                   : ADVANCE_NOTHING;
    }
    return is_last(advance, i) && may_retry(advance, row) && !advance->enough
               ? ADVANCE_RETRY
               : ADVANCE_NOTHING;
}

void advance_plan(struct advance *advance)
{
    count(advance);
    size_t most = pace_parallel(advance->pace, advance->targets);
    size_t open = count_open(advance);

    advance->over = true;
    for (size_t i = 0; i < advance->n; i++) {
        struct advance_row *row = &advance->rows[i];
        row->step = step_of(advance, i, open < most);
        open += row->step == ADVANCE_DISPATCH;
        advance->over = advance->over && row->state == ADVANCE_ENDED &&
                        row->step == ADVANCE_NOTHING;
    }
}
