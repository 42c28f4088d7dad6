/* ends.c: see ends.h. */
#include "consumer/authorizer/ends.h"

#include <string.h>

#include "base/clock.h"
#include "model/run_end.h"

#define LOOK 1000     /* ms between looks, unless there is more */
#define AT_ONCE 100   /* in a turn: deciding goes on between them */
#define FLUSH_MS 1000 /* for the delivery; then again */

/* What is noted, the oldest first. Of a run that went on since (a retry, the
 * true outcome after lost) the end is no news any more. */
static const char noted_text[] =
    "SELECT n.run_id, n.outcome, n.noted_at, r.hash, r.command_hash,"
    " r.user_id, r.asked_at, u.email, coalesce(o.outcome = n.outcome, false)"
    " AS stands FROM notices n JOIN runs r ON r.id = n.run_id"
    " LEFT JOIN users u ON u.id = r.user_id"
    " LEFT JOIN run_outcomes o ON o.id = n.run_id"
    " ORDER BY n.noted_at LIMIT $1::integer";

/* Of each target the newest attempt. */
static const char targets_text[] =
    "SELECT DISTINCT ON (target) target, outcome, exit_status, finished_at"
    " FROM execution_states WHERE run_id = $1 ORDER BY target, attempt DESC";

static int add_targets(const struct authorizer *authorizer, struct run_end *end,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(authorizer->daemon->postgres, targets_text, &rows, err,
           P_ID(&end->run)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        const char *outcome = row_text(rows, i, "outcome");
        int64_t finished = row_time(rows, i, "finished_at");
        if (outcome == NULL) {
            continue; /* it began since: then the end does not stand */
        }
        struct target_end *to = list_grow(&end->targets, sizeof(*to));
        to->target = must_strdup(row_text(rows, i, "target"));
        to->outcome = word_value(&outcome_words, outcome);
        to->exit = row_int(rows, i, "exit_status");
        end->ended = finished > end->ended ? finished : end->ended;
    }
    return 0;
}

static struct id end_id(const struct run_end *end)
{
    static const char what[] = "errand.event";
    const char *type = event_types[EVENT_RUN_ENDED].type;
    const char *outcome = word_text(&outcome_words, end->outcome);
    struct part parts[] = {{what, sizeof(what) - 1},
                           {end->start.b, sizeof(end->start.b)},
                           {type, strlen(type)},
                           {outcome, strlen(outcome)}};
    struct hash hash = hash_tuple(parts, ARRAY_SIZE(parts));

    return id_of_hash(&hash);
}

static int end_of(const struct authorizer *authorizer, const struct rows *rows,
                  size_t i, struct run_end *ret_end, struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    const char *email = row_text(rows, i, "email");
    struct run_end end = {
        .head =
            head_new(&daemon->root, &daemon->by, row_time(rows, i, "noted_at")),
        .run = row_id(rows, i, "run_id"),
        .start = row_hash(rows, i, "hash"),
        .command = row_hash(rows, i, "command_hash"),
        .user = row_id(rows, i, "user_id"),
        .asked = row_time(rows, i, "asked_at"),
        .outcome = word_value(&outcome_words, row_text(rows, i, "outcome")),
    };

    end.head.id = end_id(&end);
    end.asker = email == NULL ? NULL : must_strdup(email);
    *ret_end = end;
    return add_targets(authorizer, ret_end, err);
}

/* The command.save's chain and the own enrolment, and whether anybody is to be
 * told: 1; 0: nobody is. REJECT: the command is void, or not there. */
static int add_proof(const struct authorizer *authorizer, struct run_end *end,
                     struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    _cleanup_proof_ struct proof *proof =
        proof_new(&daemon->roots, source_fetch, authorizer->source);
    _cleanup_event_ struct event *saved = source_event(
        authorizer->source, &end->command, EVENT_COMMAND_SAVE, err);
    const struct service_enrol *enrol;
    struct person author;

    proof_set_standing(proof, authorizer->revocations.standing);
    if (saved == NULL ||
        proof_signed_by_administrator(proof, &end->command, &author, err) !=
            0 ||
        proof_add_all(proof, &daemon->enrolment, err) != 0 ||
        proof_service(proof, &daemon->by, SERVICE_AUTHORIZER, NULL, clock_now(),
                      &enrol, err) != 0) {
        return -1;
    }
    proof_used(proof, &end->envelopes);
    const struct command_save *save = saved->payload;
    for (size_t i = 0; i < save->notify.n; i++) {
        if (run_end_concerns(end, &list_at(&save->notify, struct notify, i))) {
            return 1;
        }
    }
    return 0;
}

static int send_end(const struct authorizer *authorizer,
                    const struct run_end *end, struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    _cleanup_free_ char *source = must_printf("authorizer/%s", daemon->name);
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_record_ struct record record = {0};
    char key[ID_TEXT];

    id_format(&end->run, key);
    return event_sign(EVENT_RUN_ENDED, end, daemon->keys, NULL, &envelope,
                      err) != 0 ||
                   event_to_record(&envelope, source, "errand.events",
                                   PARTITION_BY_KEY, key, &record, err) != 0
               ? -1
               : kafka_writer_send(daemon->writer, &record, 0, err);
}

static int tell_one(const struct authorizer *authorizer, struct run_end *end,
                    struct err *err)
{
    int wanted = add_proof(authorizer, end, err);

    if (wanted > 0) {
        wanted = send_end(authorizer, end, err);
    }
    if (wanted < 0 && err->kind == ERR_REJECT) {
        log_warning(&authorizer->daemon->log,
                    "nobody is told of the end of a run",
                    L_ID("run", &end->run), L_ERR(err));
        err_clear(err);
        return 0;
    }
    return wanted < 0 ? -1 : 0;
}

static int tell_all(const struct authorizer *authorizer,
                    const struct rows *rows, struct err *err)
{
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct run_end end = {.outcome = OUTCOME_NONE};
        if (!row_bool(rows, i, "stands")) {
            continue;
        }
        int done = end_of(authorizer, rows, i, &end, err) != 0
                       ? -1
                       : tell_one(authorizer, &end, err);
        table_done(&run_end_table, &end);
        if (done != 0) {
            return -1;
        }
    }
    return 0;
}

static int delete_all(struct postgres *postgres, const struct rows *rows,
                      struct err *err)
{
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct id run = row_id(rows, i, "run_id");
        if (PG(postgres,
               "DELETE FROM notices WHERE run_id = $1 AND outcome = $2::text",
               NULL, err, P_ID(&run),
               P_TEXT(row_text(rows, i, "outcome"))) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Delivered, so none of them is owed any more. One that the broker won't have,
 * it never will. */
static int strike_out(const struct authorizer *authorizer, struct err *err)
{
    const struct daemon *daemon = authorizer->daemon;
    const struct rows *rows = authorizer->ends;

    while (kafka_writer_flush(daemon->writer, FLUSH_MS, err) != 0) {
        if (err->kind != ERR_REJECT) {
            return -1;
        }
        log_error(&daemon->log, "not delivered", L_ERR(err));
        err_clear(err);
    }
    if (postgres_begin(daemon->postgres, err) != 0 ||
        delete_all(daemon->postgres, rows, err) != 0) {
        postgres_rollback(daemon->postgres);
        return -1;
    }
    return postgres_commit(daemon->postgres, err);
}

/* What is noted, if it is time to look, is sent, and then waited for. */
static int look(struct authorizer *authorizer, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    int64_t now = clock_steady();

    if (now < authorizer->look_at) {
        return 0;
    }
    if (PG(authorizer->daemon->postgres, noted_text, &rows, err,
           P_INT(AT_ONCE)) != 0 ||
        tell_all(authorizer, rows, err) != 0) {
        return -1;
    }
    authorizer->look_at = rows_n(rows) == AT_ONCE ? 0 : now + LOOK;
    authorizer->ends = rows_n(rows) == 0 ? NULL : take_ptr(rows);
    return 0;
}

int ends_tell(struct authorizer *authorizer, struct err *err)
{
    if (authorizer->ends == NULL && look(authorizer, err) != 0) {
        return -1;
    }
    if (authorizer->ends == NULL) {
        return 0;
    }
    if (strike_out(authorizer, err) != 0) {
        return -1;
    }
    rows_free(authorizer->ends);
    authorizer->ends = NULL;
    return 0;
}
