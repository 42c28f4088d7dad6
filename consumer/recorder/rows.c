/* rows.c: see rows.h. The verdicts; statements are in statements.c. */
#include "consumer/recorder/rows.h"

#include <stdio.h>
#include <string.h>

WORDS(claim_kind_words, "executor", "closing", "void");
WORDS(said_by_words, "executor", "scheduler");

struct place place_of(const char *target, int64_t generation)
{
    struct place place = {.generation = generation};

    (void)snprintf(place.target, sizeof(place.target), "%s", target);
    return place;
}

void known_done(struct known *known)
{
    free(known->numbers.items);
    known->numbers = (struct list){0};
}

static enum verdict dead(struct err *reason, const char *text)
{
    (void)err_set(reason, ERR_REJECT, "%s", text);
    return VERDICT_DEAD;
}

/* NULL: the claim is what it says; else why it can't be attributed. */
static const char *claim_flaw(const struct claim_row *row,
                              const struct claim *claim,
                              const struct speaker *speaker)
{
    bool closing = claim->closing != CLOSING_NONE;

    if (!id_equal(&claim->execution, &row->execution)) {
        return "the claim names another execution than its key";
    }
    if (closing != id_is_zero(&claim->incarnation)) {
        return "a claim names either an incarnation or how it closes";
    }
    if (closing) {
        return speaker->kind == SERVICE_SCHEDULER ||
                       speaker->kind == SERVICE_AUTHORIZER
                   ? NULL
                   : "a closing claim that neither an authorizer nor a "
                     "scheduler signed";
    }
    if (speaker->kind != SERVICE_EXECUTOR) {
        return "a claim that no executor signed";
    }
    return strcmp(speaker->target, row->place.target) == 0 &&
                   speaker->generation == row->place.generation
               ? NULL
               : "a claim of another target's executor";
}

void claim_row_fill(struct claim_row *row, const struct event *event,
                    const struct speaker *speaker, const struct err *reason)
{
    const char *flaw =
        event == NULL || speaker->kind == SERVICE_NONE ? reason->text
        : event->kind != EVENT_CLAIM ? "no claim, but another kind of event"
                                     : claim_flaw(row, event->payload, speaker);

    if (flaw != NULL) {
        row->kind = CLAIM_VOID;
        (void)snprintf(row->reason, sizeof(row->reason), "%s", flaw);
        return;
    }
    const struct claim *claim = event->payload;
    row->kind = claim->closing != CLOSING_NONE ? CLAIM_CLOSING : CLAIM_EXECUTOR;
    row->incarnation = claim->incarnation;
    row->closing = claim->closing;
    row->service = speaker->service;
    row->key = speaker->key;
}

/* The hash of the event of that number, as far as it is recorded. */
static const struct hash *hash_of_number(const struct known *known,
                                         int64_t number)
{
    if (number == 0) {
        return hash_is_zero(&known->started) ? NULL : &known->started;
    }
    for (size_t i = 0; i < known->numbers.n; i++) {
        const struct numbered *at =
            &list_at(&known->numbers, struct numbered, i);
        if (at->number == number) {
            return &at->hash;
        }
    }
    return NULL;
}

/* An executor speaks: as, or for, the incarnation that won? */
static const char *not_the_winner(const struct known *known,
                                  const struct result *result,
                                  const struct speaker *speaker)
{
    const struct claim_row *claim = &known->claim;

    if (claim->kind == CLAIM_NONE) {
        return "no claim of this execution is recorded for its target";
    }
    if (strcmp(speaker->target, known->place.target) != 0 ||
        speaker->generation != known->place.generation) {
        return "its signer is an executor of another target";
    }
    if (claim->kind != CLAIM_EXECUTOR) {
        return "nobody may start this execution: its first claim is a closing "
               "or a void one";
    }
    if (!id_equal(&claim->incarnation, &result->incarnation)) {
        return "another incarnation has the first claim";
    }
    return hash_equal(&claim->key, &speaker->key)
               ? NULL
               : "another executor's key signed the first claim";
}

/* Where what comes before is recorded, it is what `previous` says. What is not
 * recorded is missed later, by its number. */
static const char *chain_flaw(const struct known *known,
                              const struct result *result)
{
    if ((result->number == 0) != hash_is_zero(&result->previous)) {
        return "`number` and `previous` don't agree";
    }
    const struct hash *before =
        result->number == 0 ? NULL : hash_of_number(known, result->number - 1);
    return before == NULL || hash_equal(before, &result->previous)
               ? NULL
               : "`previous` is not the result before";
}

static bool has_outcome(const struct known *known)
{
    return known->outcome != OUTCOME_NONE && known->outcome != OUTCOME_LOST;
}

static enum verdict judge_started(struct known *known,
                                  const struct event *event, struct err *reason)
{
    const struct execution_started *started = event->payload;

    if (hash_equal(&known->started, &event->hash)) {
        return VERDICT_PASS;
    }
    if (started->result.number != 0) {
        return dead(reason, "started is not number 0");
    }
    if (!hash_is_zero(&known->started)) {
        return dead(reason, "another start of this execution is recorded");
    }
    if (has_outcome(known)) {
        return dead(reason, "a start after the outcome");
    }
    known->started = event->hash;
    return VERDICT_WRITE;
}

static void add_number(struct known *known, int64_t number,
                       const struct hash *hash)
{
    struct numbered *at = list_grow(&known->numbers, sizeof(*at));

    *at = (struct numbered){.number = number, .hash = *hash};
}

static enum verdict judge_output(struct known *known, const struct event *event,
                                 struct err *reason)
{
    const struct execution_output *output = event->payload;
    int64_t number = output->result.number;
    const struct hash *recorded = hash_of_number(known, number);

    if (number == 0) {
        return dead(reason, "output is numbered from 1");
    }
    if (recorded != NULL) {
        return hash_equal(recorded, &event->hash)
                   ? VERDICT_PASS
                   : dead(reason, "another chunk of that number is recorded");
    }
    if (has_outcome(known) && known->said_by == SAID_EXECUTOR &&
        number > known->chunks) {
        return dead(reason, "output beyond the number of chunks that finished "
                            "told");
    }
    add_number(known, number, &event->hash);
    return VERDICT_WRITE;
}

static enum verdict judge_finished(struct known *known,
                                   const struct event *event,
                                   struct err *reason)
{
    const struct execution_finished *finished = event->payload;

    if (hash_equal(&known->finished, &event->hash)) {
        return VERDICT_PASS;
    }
    if (finished->outcome == OUTCOME_LOST) {
        return dead(reason, "an executor can't say that it was lost");
    }
    if (has_outcome(known)) {
        return dead(reason, "the execution has its outcome");
    }
    if (finished->chunks < (int64_t)finished->output.n) {
        return dead(reason, "more output inside than chunks told");
    }
    known->finished = event->hash;
    known->outcome = finished->outcome;
    known->said_by = SAID_EXECUTOR;
    known->chunks = finished->chunks;
    return VERDICT_WRITE;
}

/* What a scheduler may say of an execution with such a first claim. */
static const char *scheduler_flaw(const struct claim_row *claim, int outcome)
{
    switch (outcome) {
    case OUTCOME_EXPIRED:
        return claim->closing == CLOSING_EXPIRED
                   ? NULL
                   : "its first claim does not close it as expired";
    case OUTCOME_CANCELLED:
        return claim->closing == CLOSING_CANCELLED
                   ? NULL
                   : "its first claim does not close it as cancelled";
    case OUTCOME_INTERRUPTED:
        return claim->kind == CLAIM_VOID ? NULL : "its first claim is not void";
    case OUTCOME_LOST:
        return claim->kind == CLAIM_EXECUTOR ? NULL
                                             : "no executor has claimed it";
    default:
        return "an outcome that only an executor can know";
    }
}

static enum verdict judge_scheduler(struct known *known,
                                    const struct event *event,
                                    struct err *reason)
{
    const struct execution_finished *finished = event->payload;

    if (known->outcome != OUTCOME_NONE) {
        return VERDICT_PASS; /* another scheduler said so, or the executor did
                              */
    }
    const char *flaw = scheduler_flaw(&known->claim, finished->outcome);
    if (flaw != NULL) {
        return dead(reason, flaw);
    }
    known->finished = event->hash;
    known->outcome = finished->outcome;
    known->said_by = SAID_SCHEDULER;
    return VERDICT_WRITE;
}

enum verdict result_judge(struct known *known, const struct event *event,
                          const struct speaker *speaker, struct err *reason)
{
    static enum verdict (*const judges[])(struct known *, const struct event *,
                                          struct err *) = {
        [EVENT_STARTED - EVENT_STARTED] = judge_started,
        [EVENT_OUTPUT - EVENT_STARTED] = judge_output,
        [EVENT_FINISHED - EVENT_STARTED] = judge_finished,
    };

    if (speaker->kind == SERVICE_SCHEDULER && event->kind == EVENT_FINISHED) {
        return judge_scheduler(known, event, reason);
    }
    if (speaker->kind != SERVICE_EXECUTOR) {
        return dead(reason, "no executor signed it");
    }
    const char *flaw = not_the_winner(known, event->payload, speaker);
    if (flaw == NULL) {
        flaw = chain_flaw(known, event->payload);
    }
    return flaw != NULL
               ? dead(reason, flaw)
               : judges[event->kind - EVENT_STARTED](known, event, reason);
}

size_t rows_needs(const struct event *event, int64_t *ret_first)
{
    const struct result *result = event->payload;

    *ret_first = result->number < 2 ? 1 : result->number - 1;
    switch ((int)event->kind) {
    case EVENT_OUTPUT:
        return result->number < 2 ? 1 : 2;
    case EVENT_FINISHED:
        return result->number < 2 ? 0 : 1;
    default:
        return 0;
    }
}

enum verdict hello_judge(struct heard *heard,
                         const struct executor_hello *hello,
                         const struct speaker *speaker, struct err *reason)
{
    if (speaker->kind != SERVICE_EXECUTOR ||
        strcmp(speaker->name, hello->name) != 0 ||
        strcmp(speaker->target, hello->target) != 0) {
        return dead(reason, "a hello in another executor's name");
    }
    if (heard->seen && strcmp(heard->seen_as, hello->name) != 0) {
        return dead(reason, "a hello as another executor's incarnation");
    }
    bool current = id_equal(&heard->current, &hello->incarnation);
    if (heard->seen && (!current || hello->head.issued <= heard->hello_at)) {
        return VERDICT_PASS;
    }
    heard->current = hello->incarnation;
    heard->hello_at = hello->head.issued;
    heard->seen = true;
    (void)snprintf(heard->seen_as, sizeof(heard->seen_as), "%s", hello->name);
    return VERDICT_WRITE;
}
