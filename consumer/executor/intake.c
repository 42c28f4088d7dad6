/*
 * intake.c: dispatches -> claims.
 *
 * The target's whole dispatch topic is read without a group, one record at a
 * time, at the pace of the free slots, and not at all while the target is
 * drained. What has expired, or is closed in the
 * claim log, or known to the ledger, is passed over; the rest is verified and
 * claimed; what can't be processed goes to errand.dead. A claim counts once it
 * is read back as the first of its key, byte for byte as it was sent.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "consumer/executor/executor.h"
#include "io/log.h"

#define CLAIM_AGAIN 5000 /* ms until one that was not read back is resent */
#define BOUNDS_WAIT 1000
#define POSITION_MAX 400 /* bytes of its file */
#define EARLY_WAIT 10000 /* ms for an entry that a dispatch names */
#define INTAKE_ONCE 20   /* ms of dispatches at a time */
#define UNTOLD_MAX 1000  /* executions whose results are not delivered yet */

static char *position_path(const struct executor *executor)
{
    return must_printf("%s/position", ledger_directory(executor->ledger));
}

/* A hint, from the state directory, "TOPIC POSITION": it may be old, missing or
 * of another target (or generation), never needed. */
static int64_t read_position(const struct executor *executor)
{
    _cleanup_free_ char *path = position_path(executor);
    _cleanup_buf_ struct buf text = {0};
    size_t n = strlen(executor->dispatch_topic);
    struct err ignored = {0};

    if (!file_exists(path) ||
        file_read(path, POSITION_MAX, &text, &ignored) != 0) {
        return 0;
    }
    const char *said = buf_text(&text);
    return strncmp(said, executor->dispatch_topic, n) == 0 && said[n] == ' '
               ? strtoll(said + n, NULL, 10)
               : 0;
}

/* Before the oldest dispatch of which we don't know who has it, or that it is
 * in errand.dead. */
void intake_keep_position(struct executor *executor)
{
    int64_t keep = burials_from(&executor->burials, executor->position);
    _cleanup_free_ char *path = position_path(executor);
    struct err ignored = {0};

    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        if (e->phase == PHASE_CLAIMING && e->dispatch_offset < keep) {
            keep = e->dispatch_offset;
        }
    }
    if (keep != executor->kept_position) {
        _cleanup_free_ char *text =
            must_printf("%s %lld\n", executor->dispatch_topic, (long long)keep);
        if (file_write(path, text, strlen(text), 0600, true, &ignored) == 0) {
            executor->kept_position = keep;
        }
    }
}

int intake_begin(struct executor *executor, struct err *err)
{
    int64_t hint = read_position(executor);
    int64_t low = 0;
    int64_t high = 0;

    if (claim_log_begin(executor->claims, err) != 0 ||
        kafka_bounds(executor->dispatches, executor->dispatch_topic, 0,
                     BOUNDS_WAIT, &low, &high, err) != 0) {
        return -1;
    }
    if (hint != 0 && (hint < low || hint > high)) {
        log_warning(&executor->daemon->log,
                    "the kept position is outside the dispatch topic: "
                    "beginning at its earliest");
        hint = low;
    }
    executor->position = hint < low ? low : hint;
    return kafka_reader_add(executor->dispatches, executor->dispatch_topic, 0,
                            executor->position, err);
}

static int send_claim(struct executor *executor, struct execution *execution,
                      struct err *err)
{
    execution->claim_sent = clock_steady();
    if (kafka_writer_send(executor->daemon->writer, &execution->claim,
                          execution->serial | CLAIM_TAG, err) != 0) {
        err->kind = ERR_FATAL;
        return err_wrap(err, "claim");
    }
    execution->claim_waits = true;
    return 0;
}

static int make_claim(struct executor *executor, struct execution *execution,
                      struct err *err)
{
    struct claim claim = {.head = head_new(&executor->daemon->root,
                                           &executor->daemon->by, clock_now()),
                          .execution = execution->id,
                          .incarnation = executor->incarnation};
    _cleanup_envelope_ struct envelope envelope = {0};
    _cleanup_free_ char *source =
        must_printf("executor/%s", executor->daemon->name);
    char key[ID_TEXT];

    id_format(&execution->id, key);
    if (event_sign(EVENT_CLAIM, &claim, executor->daemon->keys, NULL, &envelope,
                   err) != 0 ||
        event_to_record(&envelope, source, executor->claims_topic, 0, key,
                        &execution->claim, err) != 0) {
        return -1;
    }
    execution->claimed = clock_steady();
    return send_claim(executor, execution, err);
}

static struct execution *hold(struct executor *executor,
                              const struct event *event,
                              const struct record *record,
                              const struct order *order)
{
    const struct dispatch *dispatch = event->payload;
    struct execution *execution =
        execution_new(executor, &dispatch->execution, &executor->incarnation);

    execution->phase = PHASE_CLAIMING;
    execution->dispatch = envelope_dup(&event->envelope);
    execution->dispatch_offset = record->offset;
    execution->expires = dispatch->expires;
    execution->output_limit =
        order->command->output > 0 ? order->command->output : OUTPUT_DEFAULT;
    execution->asker = (struct asker){.follows = order->run->follow,
                                      .run = order->run->request.head.id,
                                      .request = order->run_hash,
                                      .reply = order->run->request.reply,
                                      .seq = dispatch->seq,
                                      .log = dispatch->log};
    return execution;
}

static bool is_settled(const struct executor *executor,
                       const struct dispatch *dispatch)
{
    const struct id *id = &dispatch->execution;

    return claim_log_holds(executor->claims, id) ||
           ledger_find(executor->ledger, id) != NULL ||
           execution_find(executor, id) != NULL ||
           clock_now() > dispatch->expires;
}

static int check_key(const struct record *record, const struct id *execution,
                     struct err *err)
{
    char text[ID_TEXT];

    id_format(execution, text);
    return strcmp(buf_text(&record->key), text) == 0
               ? 0
               : err_set(err, ERR_REJECT,
                         "the record's key is not the "
                         "execution's id");
}

/* Whether its secrets are sealed to this host, too. One that was enrolled since
 * they were leaves it to the others. */
static bool may_open(const struct executor *executor, const struct order *order)
{
    struct hash own = key_id(&executor->daemon->keys->box);

    if (secrets_reach(&order->run->boxes, &own)) {
        return true;
    }
    log_warning(&executor->daemon->log,
                "passed over: its secrets are not sealed to this host, which "
                "was enrolled after it was asked for");
    return false;
}

static int take_dispatch(struct executor *executor, const struct record *record,
                         struct err *err)
{
    _cleanup_event_ struct event *event = event_from_record(record, err);
    _cleanup_proof_ struct proof *proof =
        proof_new(&executor->daemon->roots, NULL, NULL);
    struct order order;

    if (event == NULL) {
        return -1;
    }
    if (event->kind != EVENT_DISPATCH) {
        return err_set(err, ERR_REJECT, "a %s where a dispatch belongs",
                       event->envelope.type);
    }
    const struct dispatch *dispatch = event->payload;
    if (check_key(record, &dispatch->execution, err) != 0) {
        return -1;
    }
    if (is_settled(executor, dispatch)) {
        return 0;
    }
    proof_set_standing(proof, executor->standing);
    proof_set_verified(proof, executor->verified);
    if (proof_dispatch(proof, event, executor->target, clock_now(), &order,
                       err) != 0) {
        return -1;
    }
    if (!may_open(executor, &order)) {
        return 0;
    }
    struct execution *execution = hold(executor, event, record, &order);
    return make_claim(executor, execution, err);
}

/* Sends what is held to errand.dead. 1: it can't be sent now, and until it is,
 * nothing else is read; what runs goes on. */
static int bury(struct executor *executor, struct err *err)
{
    struct record *held = &executor->held;
    struct daemon *daemon = executor->daemon;

    if (held->topic == NULL) {
        return 0;
    }
    if (daemon_dead_send(daemon, held, &executor->held_why,
                         executor->burials.sent | DEAD_TAG, err) != 0) {
        if (err->kind == ERR_RETRY && !executor->held_told) {
            log_warning(&daemon->log, "waiting", L_ERR(err));
            executor->held_told = true;
        }
        return err->kind == ERR_RETRY ? 1 : -1;
    }
    burials_add(&executor->burials, held->offset, record_size(held));
    executor->position = held->offset + 1;
    executor->held_told = false;
    record_done(held);
    return 0;
}

static int hold_for_burial(struct executor *executor, struct record *record,
                           const struct err *why, struct err *err)
{
    executor->held = *record;
    executor->held_why = *why;
    *record = (struct record){0};
    return bury(executor, err) < 0 ? -1 : 0;
}

static int take(struct executor *executor, struct record *record,
                struct err *err)
{
    struct err why = {0};

    if (take_dispatch(executor, record, &why) == 0) {
        executor->position = record->offset + 1;
        return 0;
    }
    if (why.kind == ERR_RETRY) {
        executor->early = *record;
        executor->early_since = clock_steady();
        *record = (struct record){0};
        return 0;
    }
    if (why.kind != ERR_REJECT) {
        *err = why;
        return -1;
    }
    return hold_for_burial(executor, record, &why, err);
}

/* One that was decided under an entry of the revocation log that is not known
 * here waits until it is, and nothing behind it is read before; an entry that
 * does not come is none, and stops nobody. */
static int take_early(struct executor *executor, struct err *err)
{
    struct record record = executor->early;
    struct err why = {0};

    if (record.topic == NULL) {
        return 0;
    }
    if (take_dispatch(executor, &record, &why) == 0) {
        executor->position = record.offset + 1;
        record_done(&executor->early);
        return 0;
    }
    if (why.kind == ERR_RETRY &&
        clock_steady() - executor->early_since < EARLY_WAIT) {
        return 1;
    }
    if (why.kind != ERR_REJECT && why.kind != ERR_RETRY) {
        *err = why;
        return -1;
    }
    executor->early = (struct record){0};
    return hold_for_burial(executor, &record, &why, err);
}

/* What waits for a target that is drained stays where it is. */
static bool in_use(const struct executor *executor)
{
    const struct place_standing *place =
        standing_place(executor->standing, executor->target);

    return place == NULL || place->state == TARGET_IN_USE;
}

static bool has_room(struct executor *executor)
{
    return claim_log_current(executor->claims) &&
           executions_active(executor) < (size_t)executor->slots &&
           HASH_COUNT(executor->all) < (size_t)executor->slots + UNTOLD_MAX &&
           room_is_there(executor);
}

/* Nothing that was read before waits; and more than so much need not be on its
 * way to errand.dead. */
static bool may_read_on(const struct executor *executor)
{
    return executor->early.topic == NULL && executor->held.topic == NULL &&
           !burials_full(&executor->burials);
}

static int read_some(struct executor *executor, struct err *err)
{
    int early = take_early(executor, err);
    if (early != 0) {
        return early < 0 ? -1 : 0;
    }
    int64_t until = clock_steady() + INTAKE_ONCE;
    while (has_room(executor) && may_read_on(executor)) {
        if (clock_steady() >= until) {
            executor->more = true; /* what runs wants to be looked after, too */
            return 0;
        }
        _cleanup_record_ struct record record = {0};
        int got = kafka_reader_poll(executor->dispatches, 0, &record, err);
        if (got <= 0) {
            return got;
        }
        if (take(executor, &record, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int intake_read(struct executor *executor, struct err *err)
{
    if (bury(executor, err) < 0) {
        return -1;
    }
    if (executor->stopping || !in_use(executor) || !room_is_there(executor)) {
        return 0; /* it is left to others of the pool */
    }
    return read_some(executor, err);
}

int intake_claim_again(struct executor *executor, int64_t now, struct err *err)
{
    for (struct execution *e = executor->all; e != NULL; e = e->hh.next) {
        if (e->phase == PHASE_CLAIMING && !e->claim_waits &&
            now - e->claim_sent >= CLAIM_AGAIN &&
            send_claim(executor, e, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool signed_by(const struct record *record, const struct key32 *key)
{
    const char *header = record_header(record, "errand-key", 0);
    struct hash id = key_id(key);
    char text[HASH_TEXT];

    hash_format(&id, text);
    return header != NULL && strcmp(header, text) == 0;
}

/* A claim that this key really signed; NULL: it is none. */
static struct event *read_claim(const struct record *record,
                                const struct key32 *key)
{
    struct err ignored = {0};

    if (!signed_by(record, key)) { /* cheap, for the many that are others' */
        return NULL;
    }
    _cleanup_event_ struct event *event = event_from_record(record, &ignored);
    if (event == NULL || event->kind != EVENT_CLAIM ||
        !envelope_signed_by(&event->envelope, 0, key)) {
        return NULL;
    }
    return take_ptr(event);
}

/* An earlier life's claim: if its ledger knows no more of it, it never began.
 */
static void note_debt(struct executor *executor, const struct id *execution,
                      const struct record *record)
{
    _cleanup_event_ struct event *event =
        read_claim(record, &executor->daemon->keys->key);

    if (event == NULL || ledger_find(executor->ledger, execution) != NULL) {
        return;
    }
    const struct claim *claim = event->payload;
    if (id_equal(&claim->execution, execution) &&
        ledger_lived(executor->ledger, &claim->incarnation)) {
        struct debt *debt = list_grow(&executor->owed, sizeof(*debt));
        *debt = (struct debt){*execution, claim->incarnation, record->offset};
    }
}

/* Any authorizer may cancel what another one dispatched: its chain comes along.
 */
static bool by_authorizer(const struct executor *executor,
                          const struct event *event, struct err *err)
{
    const struct claim *claim = event->payload;
    const struct service_enrol *enrol;
    _cleanup_proof_ struct proof *proof =
        proof_new(&executor->daemon->roots, NULL, NULL);

    proof_set_standing(proof, executor->standing);
    return proof_add_all(proof, &claim->proof, err) == 0 &&
           proof_service(proof, &claim->head.by, SERVICE_AUTHORIZER, NULL,
                         clock_now(), &enrol, err) == 0 &&
           envelope_signed_by(&event->envelope, 0, &enrol->key);
}

/* A closing claim behind a winner's: an authorizer wants it ended. */
static void maybe_cancel(struct executor *executor, struct execution *execution,
                         const struct record *record)
{
    struct err ignored = {0};
    _cleanup_event_ struct event *event = event_from_record(record, &ignored);

    if (event == NULL || event->kind != EVENT_CLAIM || execution->cancelled) {
        return;
    }
    const struct claim *claim = event->payload;
    if (claim->closing == CLOSING_CANCELLED &&
        id_equal(&claim->execution, &execution->id) &&
        by_authorizer(executor, event, &ignored)) {
        execution->cancelled = true;
        execution_end(executor, execution);
    }
}

void on_claim(void *arg, const struct id *id, bool first,
              const struct record *record)
{
    struct executor *executor = arg;
    struct execution *execution = execution_find(executor, id);

    if (execution == NULL) {
        if (first) {
            note_debt(executor, id, record);
        }
        return;
    }
    if (!first) {
        maybe_cancel(executor, execution, record);
        return;
    }
    if (execution->phase != PHASE_CLAIMING) {
        return; /* the log is being read again */
    }
    if (!buf_equal(&record->value, &execution->claim.value)) {
        execution_free(executor, execution); /* somebody else's */
        return;
    }
    (void)on_won(executor, execution, record->offset, record->timestamp,
                 &executor->failed);
}
