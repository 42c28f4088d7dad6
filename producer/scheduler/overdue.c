/* overdue.c: see overdue.h. */
#include "producer/scheduler/overdue.h"

#include <string.h>

WORDS(overdue_words, "close", "expired", "cancelled", "interrupted", "lost");
WORDS(open_claim_words, "executor", "closing", "void");

static enum overdue judge_closed(const struct open_execution *open,
                                 const char **ret_reason)
{
    if (open->closing == CLOSING_CANCELLED) {
        *ret_reason = open->withheld != NULL
                          ? open->withheld
                          : "it was cancelled before anybody claimed it";
        return OVERDUE_CANCELLED;
    }
    *ret_reason = open->pending   ? "nobody approved it in time"
                  : open->planned ? "its turn did not come before the run's "
                                    "deadline"
                                  : "nobody claimed it in time";
    return OVERDUE_EXPIRED;
}

bool overdue_dropped(const struct open_execution *open,
                     const struct patience *patience)
{
    return open->claim == OPEN_EXECUTOR && open->heard != 0 && !open->listed &&
           (open->replaced_at != 0 ||
            open->heard > open->claimed + patience->lost);
}

/* The executor that claimed it: does it live, and does it still hold it? All
 * that it said before the moment `read` has been recorded. */
static const char *why_lost(const struct open_execution *open,
                            const struct patience *patience, int64_t read)
{
    int64_t sign = open->heard > open->claimed ? open->heard : open->claimed;
    int64_t ripe = open->claimed + patience->lost;

    if (read <= ripe) {
        return NULL;
    }
    if (read > sign + patience->silent) {
        return open->heard != 0 ? "the executor that claimed it is silent"
                                : "the executor that claimed it was not heard "
                                  "of since";
    }
    if (open->dropped_at == 0 || read < open->dropped_at) {
        return NULL; /* its outcome may be on its way to us */
    }
    if (open->replaced_at == 0) {
        return "the executor that claimed it lives, but does not hold it";
    }
    return read > open->replaced_at + patience->silent
               ? "the executor that claimed it was started anew, and says "
                 "nothing of it"
               : NULL;
}

static enum overdue judge_claimed(const struct open_execution *open,
                                  const struct patience *patience,
                                  const char **ret_reason)
{
    int64_t read = patience->hellos_read < patience->results_read
                       ? patience->hellos_read
                       : patience->results_read;
    const char *why = why_lost(open, patience, read);

    if (why == NULL) {
        return OVERDUE_NOTHING;
    }
    *ret_reason = why;
    return OVERDUE_LOST;
}

enum overdue overdue_judge(const struct open_execution *open,
                           const struct patience *patience,
                           const char **ret_reason)
{
    switch (open->claim) {
    case OPEN_CLOSING:
        return judge_closed(open, ret_reason);
    case OPEN_VOID:
        *ret_reason = "its first claim could not be attributed to anybody";
        return OVERDUE_INTERRUPTED;
    case OPEN_EXECUTOR:
        return judge_claimed(open, patience, ret_reason);
    default:
        *ret_reason = "nobody claimed it in time";
        return open->claims_read > open->expires + patience->grace
                   ? OVERDUE_CLOSE
                   : OVERDUE_NOTHING;
    }
}

struct id overdue_id(const struct open_execution *open, enum overdue what)
{
    _cleanup_free_ char *name =
        must_printf("errand.%s", word_text(&overdue_words, (int)what));
    struct part parts[] = {{name, strlen(name)},
                           {open->id.b, sizeof(open->id.b)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));
    struct id id = id_of_hash(&hash);
    uint64_t ms = (uint64_t)open->expires;

    for (int i = 5; i >= 0; i--) {
        id.b[i] = (unsigned char)ms;
        ms >>= 8;
    }
    id.b[6] = (unsigned char)((id.b[6] & 0x0f) | 0x80); /* version 8 */
    id.b[8] = (unsigned char)((id.b[8] & 0x3f) | 0x80); /* RFC 9562's variant */
    return id;
}

int overdue_outcome(enum overdue what)
{
    static const int outcomes[] = {
        [OVERDUE_NOTHING] = OUTCOME_NONE,
        [OVERDUE_CLOSE] = OUTCOME_NONE,
        [OVERDUE_EXPIRED] = OUTCOME_EXPIRED,
        [OVERDUE_CANCELLED] = OUTCOME_CANCELLED,
        [OVERDUE_INTERRUPTED] = OUTCOME_INTERRUPTED,
        [OVERDUE_LOST] = OUTCOME_LOST,
    };

    return outcomes[what];
}
