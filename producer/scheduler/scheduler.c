/*
 * scheduler.c: errand-scheduler: ends what nobody else will, asks what follows
 * from what has ended (advancing.h), and fires schedules (firing.c).
 *
 * In comes what the recorder wrote to PostgreSQL; out go closing claims, to the
 * targets' claim logs, and the outcomes of what expired, was closed, has a
 * first claim by nobody, or is lost, to errand.results. It writes nothing to
 * PostgreSQL and may run several times: what it says is derived, and who hears
 * it hears it once. This file is the service row and the tick.
 */
#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "model/target.h"
#include "producer/scheduler/advancing.h"
#include "producer/scheduler/firing.h"
#include "producer/scheduler/overdue.h"
#include "producer/scheduler/said.h"
#include "service.h"

#define GRACE 1000      /* ms after the expiry: an executor's last moment */
#define SAY_AGAIN 10000 /* ms for what was said to be recorded */
#define ASK 5000        /* ms for an answer of the broker */
#define RESULTS_TOPIC "errand.results"

/* An execution that its executor does not list, since which hello. */
struct dropped {
    struct id execution;
    int64_t since;
    int64_t seen; /* the tick that saw it last */
    UT_hash_handle hh;
};

struct scheduler {
    int64_t tick_at; /* by the steady clock */
    int64_t ticks;
    int64_t tick;
    struct patience patience;
    struct said *said;
    struct dropped *dropped;
    struct firing *firing;
    struct list topics; /* char *: whose metadata the writer has */
};

static const struct config_key keys[] = {
    {.section = "scheduler",
     .key = "tick",
     .kind = CONFIG_DURATION,
     .fallback = "1s",
     .min = 1,
     .max = 60,
     .help = "how often it looks for what is overdue"},
    {.section = "scheduler",
     .key = "silent",
     .kind = CONFIG_DURATION,
     .fallback = "15s",
     .min = 1,
     .max = 3600,
     .help = "how long an executor may say nothing"},
    {.section = "scheduler",
     .key = "lost",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .min = 1,
     .max = 86400,
     .help = "how old a claim is before its execution can be lost"},
};

static int start(struct daemon *daemon, struct err *err)
{
    struct scheduler *scheduler = must_calloc(1, sizeof(*scheduler));
    const struct config *config = &daemon->config;

    daemon->state = scheduler;
    scheduler->firing = firing_new(daemon);
    scheduler->tick = 1000 * config_int(config, "scheduler", "tick");
    scheduler->patience = (struct patience){
        .grace = GRACE,
        .silent = 1000 * config_int(config, "scheduler", "silent"),
        .lost = 1000 * config_int(config, "scheduler", "lost")};
    return postgres_listen(daemon->postgres, ADVANCE_CHANNEL, err);
}

/* Those that this tick did not see. */
static void forget_dropped(struct scheduler *scheduler, int64_t tick)
{
    struct dropped *dropped;
    struct dropped *next;

    HASH_ITER (hh, scheduler->dropped, dropped, next) {
        if (dropped->seen != tick) {
            HASH_DEL(scheduler->dropped, dropped);
            free(dropped);
        }
    }
}

static void stop(struct daemon *daemon)
{
    struct scheduler *scheduler = daemon->state;

    said_forget(&scheduler->said, INT64_MAX);
    forget_dropped(scheduler, -1);
    firing_free(scheduler->firing);
    texts_done(&scheduler->topics);
    free(scheduler);
}

/* The first hello in a row that does not list it; 0: the newest does. */
static int64_t dropped_at(struct scheduler *scheduler,
                          const struct open_execution *open)
{
    struct dropped *dropped = NULL;

    if (!overdue_dropped(open, &scheduler->patience)) {
        return 0;
    }
    HASH_FIND(hh, scheduler->dropped, open->id.b, sizeof(open->id.b), dropped);
    if (dropped == NULL) {
        dropped = must_calloc(1, sizeof(*dropped));
        dropped->execution = open->id;
        dropped->since = open->heard;
        HASH_ADD(hh, scheduler->dropped, execution, sizeof(open->id), dropped);
    }
    dropped->seen = scheduler->ticks;
    return dropped->since;
}

/* A claim log has one partition, and claims go there by number. */
static int send(struct daemon *daemon, const struct envelope *envelope,
                const char *topic, const struct id *execution, struct err *err)
{
    struct scheduler *scheduler = daemon->state;
    _cleanup_record_ struct record record = {0};
    _cleanup_free_ char *source = must_printf("scheduler/%s", daemon->name);
    bool results = strcmp(topic, RESULTS_TOPIC) == 0;
    int64_t partition = results ? PARTITION_BY_KEY : 0;
    char key[ID_TEXT];

    id_format(execution, key);
    if (!texts_hold(&scheduler->topics, topic)) {
        if (kafka_writer_know(daemon->writer, topic, ASK, err) != 0) {
            return -1;
        }
        texts_add(&scheduler->topics, topic);
    }
    return event_to_record(envelope, source, topic, partition, key, &record,
                           err) != 0
               ? -1
               : kafka_writer_send(daemon->writer, &record, 0, err);
}

static struct head derived_head(const struct daemon *daemon,
                                const struct open_execution *open,
                                enum overdue what)
{
    struct head head = head_new(&daemon->root, &daemon->by, clock_now());

    head.id = overdue_id(open, what);
    return head;
}

static int close_it(struct daemon *daemon, const struct open_execution *open,
                    const char *topic, struct err *err)
{
    _cleanup_envelope_ struct envelope envelope = {0};
    struct claim claim = {.head = derived_head(daemon, open, OVERDUE_CLOSE),
                          .execution = open->id,
                          .closing = CLOSING_EXPIRED};

    return event_sign(EVENT_CLAIM, &claim, daemon->keys, NULL, &envelope,
                      err) != 0
               ? -1
               : send(daemon, &envelope, topic, &open->id, err);
}

static int end_it(struct daemon *daemon, const struct open_execution *open,
                  enum overdue what, const char *reason, struct err *err)
{
    _cleanup_envelope_ struct envelope envelope = {0};
    struct execution_finished finished = {
        .result = {.head = derived_head(daemon, open, what),
                   .execution = open->id},
        .claim = open->claim_offset,
        .outcome = overdue_outcome(what),
        .started = open->started && what == OVERDUE_LOST,
        .reason = (char *)reason,
    };

    return event_sign(EVENT_FINISHED, &finished, daemon->keys, NULL, &envelope,
                      err) != 0
               ? -1
               : send(daemon, &envelope, RESULTS_TOPIC, &open->id, err);
}

/* What is overdue is said; a target whose log is missing stops no other. */
static int say(struct daemon *daemon, const struct open_execution *open,
               const char *topic, struct err *err)
{
    struct scheduler *scheduler = daemon->state;
    const char *reason = NULL;
    enum overdue what = overdue_judge(open, &scheduler->patience, &reason);

    if (what == OVERDUE_NOTHING) {
        return 0;
    }
    struct id id = overdue_id(open, what);
    if (!said_now(&scheduler->said, &id)) {
        return 0;
    }
    int failed = what == OVERDUE_CLOSE
                     ? close_it(daemon, open, topic, err)
                     : end_it(daemon, open, what, reason, err);
    if (!failed || err->kind == ERR_REJECT) {
        log_at(&daemon->log, failed ? LEVEL_ERROR : LEVEL_INFO,
               failed ? "can't be ended" : "ended",
               L_ID("execution", &open->id),
               L_TEXT("as", word_text(&overdue_words, (int)what)),
               L_TEXT("reason", failed ? err->text : reason));
        return 0;
    }
    return -1;
}

static const char patience_text[] =
    "SELECT min(read_until) FILTER (WHERE topic = 'errand.executors')"
    " AS hellos_read,"
    " CASE WHEN bool_and(read_until IS NOT NULL)"
    " FILTER (WHERE topic = 'errand.results')"
    " THEN min(read_until) FILTER (WHERE topic = 'errand.results') END"
    " AS results_read"
    " FROM positions WHERE reader = 'recorder'";

/* A hello counts where it is the claim's incarnation's, or a later life's of
 * the same executor, which is known by the enrolment that the claim was signed
 * under. */
static const char open_text[] =
    "SELECT e.id, e.target, e.generation, e.withheld, p.read_until,"
    " coalesce(e.expires, least(a.until, d.deadline)) AS expires,"
    " e.expires IS NULL AS planned, a.until IS NOT NULL AS pending,"
    " c.kind, c.closing, c.claim_offset, c.appended_at,"
    " r.started_at IS NOT NULL AS started, x.heard_at,"
    " coalesce(e.id = ANY(x.running), false) AS listed,"
    " CASE WHEN x.incarnation <> c.incarnation THEN i.first_heard END"
    " AS replaced_at"
    " FROM executions e JOIN runs d ON d.id = e.run_id"
    " LEFT JOIN approvals a ON a.run_id = e.run_id AND a.state = 'pending'"
    " LEFT JOIN positions p ON p.reader = 'recorder' AND p.partition = 0"
    "  AND p.topic = 'errand.claims.' || e.target || '.' || e.generation"
    " LEFT JOIN claims c ON c.execution_id = e.id AND c.target = e.target"
    "  AND c.generation = e.generation"
    " LEFT JOIN results r ON r.execution_id = e.id"
    " LEFT JOIN services s ON s.hash = c.service_hash AND s.kind = 'executor'"
    " LEFT JOIN (executors x JOIN incarnations i USING (incarnation))"
    "  ON x.name = s.name"
    "  AND (x.incarnation = c.incarnation OR i.first_heard > c.appended_at)"
    " WHERE NOT e.ended AND (c.kind IS NOT NULL"
    "  OR coalesce(e.expires, least(a.until, d.deadline)) < p.read_until)"
    " ORDER BY 6 LIMIT 10000";

static int word(const struct words *words, const struct rows *rows, size_t i,
                const char *column)
{
    const char *text = row_text(rows, i, column);

    return text == NULL ? 0 : word_value(words, text);
}

static struct open_execution take_open(const struct rows *rows, size_t i)
{
    return (struct open_execution){
        .id = row_id(rows, i, "id"),
        .expires = row_time(rows, i, "expires"),
        .planned = row_bool(rows, i, "planned"),
        .pending = row_bool(rows, i, "pending"),
        .withheld = row_text(rows, i, "withheld"),
        .claims_read = row_time(rows, i, "read_until"),
        .claim = word(&open_claim_words, rows, i, "kind"),
        .closing = word(&closing_words, rows, i, "closing"),
        .claim_offset = row_int(rows, i, "claim_offset"),
        .claimed = row_time(rows, i, "appended_at"),
        .started = row_bool(rows, i, "started"),
        .heard = row_time(rows, i, "heard_at"),
        .listed = row_bool(rows, i, "listed"),
        .replaced_at = row_time(rows, i, "replaced_at"),
    };
}

static int look(struct daemon *daemon, struct err *err)
{
    struct scheduler *scheduler = daemon->state;
    _cleanup_rows_ struct rows *read = NULL;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(daemon->postgres, patience_text, &read, err) != 0 ||
        PG(daemon->postgres, open_text, &rows, err) != 0) {
        return -1;
    }
    scheduler->ticks++;
    scheduler->patience.hellos_read = row_time(read, 0, "hellos_read");
    scheduler->patience.results_read = row_time(read, 0, "results_read");
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct open_execution open = take_open(rows, i);
        open.dropped_at = dropped_at(scheduler, &open);
        _cleanup_free_ char *topic = claims_topic(
            row_text(rows, i, "target"), row_int(rows, i, "generation"));
        if (say(daemon, &open, topic, err) != 0) {
            return -1;
        }
    }
    forget_dropped(scheduler, scheduler->ticks);
    return 0;
}

static int advance(struct daemon *daemon, struct err *err)
{
    struct scheduler *scheduler = daemon->state;

    if (advancing_ask(daemon, &scheduler->said, err) != 0) {
        said_forget(&scheduler->said, INT64_MAX);
        return -1;
    }
    return kafka_writer_flush(daemon->writer, ASK, err);
}

static int tick(struct daemon *daemon, int64_t now, struct err *err)
{
    struct scheduler *scheduler = daemon->state;

    said_forget(&scheduler->said, now - SAY_AGAIN);
    if (look(daemon, err) != 0 || firing_look(scheduler->firing, err) != 0) {
        said_forget(&scheduler->said, INT64_MAX); /* whether it was said:
                                                     unknown */
        return -1;
    }
    scheduler->tick_at = now + scheduler->tick;
    daemon_ready(daemon);
    return 0;
}

/* What came while we were busy is taken before we wait. */
static int turn(struct daemon *daemon, struct err *err)
{
    struct scheduler *scheduler = daemon->state;
    int64_t now = clock_steady();
    int notified = postgres_notified(daemon->postgres, 0, err);

    if (notified < 0) {
        return -1;
    }
    if (now < scheduler->tick_at && notified == 0) {
        int64_t left = scheduler->tick_at - now;
        int fds[] = {kafka_writer_fd(daemon->writer),
                     postgres_fd(daemon->postgres)};
        daemon_wait(daemon, fds, ARRAY_SIZE(fds),
                    left > 1000 ? 1000 : (int)left);
        return 0;
    }
    return now >= scheduler->tick_at && tick(daemon, now, err) != 0
               ? -1
               : advance(daemon, err);
}

static const struct service scheduler_service = {
    .name = "errand-scheduler",
    .kind = SERVICE_SCHEDULER,
    .postgres = true,
    .keys = keys,
    .n_keys = ARRAY_SIZE(keys),
    .start = start,
    .turn = turn,
    .stop = stop,
};

int main(int argc, char **argv)
{
    return service_main(&scheduler_service, argc, argv);
}
