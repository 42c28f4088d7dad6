/* closings.c: see closings.h. */
#include "consumer/authorizer/closings.h"

#include "model/advance.h"
#include "model/log_entry.h"
#include "model/run.h"
#include "model/schedule.h"
#include "model/target.h"

static int add_closing(struct asking *asking, const struct id *execution,
                       const char *topic, struct err *err)
{
    const struct daemon *daemon = asking->daemon;
    struct claim claim = {
        .head = head_new(&daemon->root, &daemon->by, asking->decision.at),
        .execution = *execution,
        .closing = CLOSING_CANCELLED,
        .proof = daemon->enrolment, /* lent */
    };
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_free_ char *source = must_printf("authorizer/%s", daemon->name);
    struct record record;
    char key[ID_TEXT];

    id_format(execution, key);
    if (event_sign(EVENT_CLAIM, &claim, daemon->keys, NULL, &envelope, err) !=
            0 ||
        event_to_record(&envelope, source, topic, 0, key, &record, err) != 0) {
        return -1;
    }
    *(struct record *)list_grow(&asking->decision.closings, sizeof(record)) =
        record;
    return 0;
}

/* Which runs end: a user's, a command's, of both together; what of all runs is
 * a target's; or one run, on some of its targets. What is NULL is any. */
struct ended {
    bool nothing;
    const struct id *user;
    const struct id *command;
    const char *target;
    int64_t generation;
    const struct id *run;
    const struct hash *start;   /* of the run, by its run.start */
    const struct list *targets; /* char *; empty: all */
    const struct id *request;   /* which cancelled them */
    bool withheld;              /* those alone that are never dispatched */
    const struct id *schedule;  /* what waits of it: what runs ends by itself */
    const struct list *keep; /* struct hash: schedules that go on; NULL: none */
};

static struct ended ended_user(const void *payload)
{
    const struct user_standing *said = payload;

    return (struct ended){.user = &said->user, .keep = &said->entry.keep};
}

static struct ended ended_reinvited(const void *payload)
{
    const struct user_reinvite *said = payload;

    return (struct ended){.user = &said->user, .keep = &said->entry.keep};
}

static struct ended ended_assignment(const void *payload)
{
    const struct assignment_remove *said = payload;

    return (struct ended){.user = &said->user, .command = &said->command};
}

static struct ended ended_command(const void *payload)
{
    return (struct ended){
        .command = &((const struct command_retire *)payload)->command};
}

static struct ended ended_schedule(const void *payload)
{
    return (struct ended){
        .schedule = &((const struct schedule_remove *)payload)->schedule};
}

static struct ended ended_run(const void *payload)
{
    const struct run_cancel *cancel = payload;

    return (struct ended){.run = &cancel->run, .targets = &cancel->targets};
}

static struct ended ended_replaced(const void *payload)
{
    return (struct ended){.request = &((const struct head *)payload)->id};
}

static struct ended ended_advanced(const void *payload)
{
    return (struct ended){.run = &((const struct run_advance *)payload)->run,
                          .withheld = true};
}

static struct ended ended_rejected(const void *payload)
{
    return (struct ended){.start = &((const struct vote *)payload)->run};
}

/* Nothing, but where it is removed: what waits for a drained one waits on. */
static struct ended ended_target(const void *payload)
{
    const struct target_set *set = payload;

    return set->state == TARGET_REMOVED
               ? (struct ended){.target = set->name,
                                .generation = set->generation}
               : (struct ended){.nothing = true};
}

static const struct {
    enum event_kind kind;
    struct ended (*ended)(const void *payload);
} endings[] = {
    {EVENT_USER_SUSPEND, ended_user},
    {EVENT_USER_REMOVE, ended_user},
    {EVENT_USER_REINVITE, ended_reinvited},
    {EVENT_ASSIGNMENT_REMOVE, ended_assignment},
    {EVENT_COMMAND_RETIRE, ended_command},
    {EVENT_SCHEDULE_REMOVE, ended_schedule},
    {EVENT_RUN_CANCEL, ended_run},
    {EVENT_RUN_START, ended_replaced},
    {EVENT_RUN_TICK, ended_replaced},
    {EVENT_RUN_ADVANCE, ended_advanced},
    {EVENT_RUN_REJECT, ended_rejected},
    {EVENT_TARGET_SET, ended_target},
};

/* Of an execution `e` that has not ended, of the run `r`. */
#define MEANT                                                  \
    "NOT e.ended AND r.id = e.run_id "                         \
    "AND ($1::uuid IS NULL OR r.user_id = $1::uuid) "          \
    "AND ($2::uuid IS NULL OR r.command_id = $2::uuid) "       \
    "AND ($3::uuid IS NULL OR r.id = $3::uuid) "               \
    "AND ($4::text[] IS NULL OR e.target = ANY ($4::text[])) " \
    "AND ($5::text IS NULL "                                   \
    "OR (e.target = $5::text AND e.generation = $6)) "         \
    "AND ($7::uuid IS NULL OR e.id IN (SELECT execution_id "   \
    "FROM cancellations WHERE request_id = $7::uuid)) "        \
    "AND (NOT $8::boolean OR e.withheld IS NOT NULL) "         \
    "AND ($9::bytea IS NULL OR r.hash = $9::bytea) "           \
    "AND ($10::uuid IS NULL OR (r.schedule_id = $10::uuid "    \
    "AND NOT EXISTS (SELECT FROM claims c "                    \
    "WHERE c.execution_id = e.id))) "                          \
    "AND ($11::bytea[] IS NULL OR NOT EXISTS (SELECT FROM "    \
    "schedules s WHERE s.id = r.schedule_id "                  \
    "AND s.hash = ANY ($11::bytea[])))"

/* What is planned is withheld first, so that nothing of it is dispatched behind
 * its closing claim; what was dispatched in the very moment is among the rest.
 */
static const char withhold_text[] =
    "UPDATE executions e SET withheld = "
    "'it was cancelled before its turn came' FROM runs r "
    "WHERE e.dispatch IS NULL AND e.withheld IS NULL AND " MEANT;
static const char meant_text[] =
    "SELECT e.id, e.target, e.generation FROM executions e, runs r "
    "WHERE " MEANT;

static int close_all(struct asking *asking, const struct ended *ended,
                     struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    _cleanup_free_ char *targets =
        ended->targets == NULL || ended->targets->n == 0
            ? NULL
            : names_array(ended->targets);
    _cleanup_free_ char *keep =
        ended->keep == NULL ? NULL : hashes_array(ended->keep);
    const struct param meant[] = {
        ended->user == NULL ? P_NULL : P_ID(ended->user),
        ended->command == NULL ? P_NULL : P_ID(ended->command),
        ended->run == NULL ? P_NULL : P_ID(ended->run),
        P_TEXT(targets),
        P_TEXT(ended->target),
        P_INT(ended->generation),
        ended->request == NULL ? P_NULL : P_ID(ended->request),
        P_BOOL(ended->withheld),
        ended->start == NULL ? P_NULL : P_HASH(ended->start),
        ended->schedule == NULL ? P_NULL : P_ID(ended->schedule),
        P_TEXT(keep)};
    struct postgres *postgres = asking->daemon->postgres;

    if (postgres_query(postgres, withhold_text, meant, ARRAY_SIZE(meant), NULL,
                       err) != 0 ||
        postgres_query(postgres, meant_text, meant, ARRAY_SIZE(meant), &rows,
                       err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct id execution = row_id(rows, i, "id");
        _cleanup_free_ char *topic = claims_topic(
            row_text(rows, i, "target"), row_int(rows, i, "generation"));
        if (add_closing(asking, &execution, topic, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int closings_add(struct asking *asking, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        if (endings[i].kind == asking->request->kind) {
            struct ended ended = endings[i].ended(asking->request->payload);
            return ended.nothing ? 0 : close_all(asking, &ended, err);
        }
    }
    return 0;
}
