/*
 * decide.c: see decide.h.
 *
 * The order is the design's: envelope, signature, decided already?, freshness,
 * session, rights, and then the verb's handler. What has no known signer or no
 * address gets no answer. What was decided before is answered again from what
 * is stored, whatever has changed since; a read is answered anew.
 */
#include "consumer/authorizer/decide.h"

#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/authorizer.h"
#include "consumer/authorizer/announcements.h"
#include "consumer/authorizer/approvals.h"
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/dispatching.h"
#include "consumer/authorizer/policy.h"
#include "consumer/authorizer/replies.h"
#include "consumer/authorizer/reuse.h"
#include "consumer/authorizer/signers.h"
#include "consumer/authorizer/targets.h"
#include "model/advance.h"
#include "model/target.h"

#define REQUEST_MAX (64 * 1024) /* bytes; see may_be_large() */

void decided_done(struct decided *decided)
{
    for (size_t i = 0; i < decided->out.n; i++) {
        record_done(&list_at(&decided->out, struct record, i));
    }
    for (size_t i = 0; i < decided->places.n; i++) {
        free(list_at(&decided->places, struct place, i).target);
    }
    free(decided->out.items);
    free(decided->places.items);
    *decided = (struct decided){0};
}

/* A daemon that asks may need no answer. */
static bool has_address(const struct asking *asking)
{
    const struct request *request = asking->request->payload;
    static const struct key32 none;

    return memcmp(request->reply.box.b, none.b, sizeof(none.b)) != 0;
}

/* Signature and address. -1, REJECT: nobody to answer to. */
static int admit(struct asking *asking, int64_t reply_partitions,
                 struct err *err)
{
    const struct request *request = asking->request->payload;

    if (asking->verb == NULL) {
        return err_set(err, ERR_REJECT, "%s can't be asked",
                       asking->request->envelope.type);
    }
    if (signer_find(asking, err) != 0) {
        return -1;
    }
    if (request->expires == 0 ||
        (!has_address(asking) && asking->signer.kind != SIGNER_SERVICE) ||
        request->reply.partition >= reply_partitions) {
        return err_set(err, ERR_REJECT,
                       "a request has `expires` and a `reply` "
                       "that can be reached");
    }
    return 0;
}

static char *dup_text(const struct rows *rows, const char *column)
{
    const char *text = row_text(rows, 0, column);

    return text == NULL ? NULL : must_strdup(text);
}

static int recall_effects(struct asking *asking, struct err *err)
{
    if (asking->decision.reason != NULL) {
        return asking->signer.kind == SIGNER_INVITATION
                   ? reuse_recall(asking, err)
                   : 0;
    }
    if (asking->request->kind == EVENT_RUN_START ||
        asking->request->kind == EVENT_RUN_TICK) {
        const struct head *head = asking->request->payload;
        return approval_recall(asking, err)
                   ?: dispatching_recall(asking, &head->id, err)
                   ?: closings_add(asking, err);
    }
    if (asking->request->kind == EVENT_RUN_ADVANCE) {
        const struct run_advance *advance = asking->request->payload;
        return dispatching_recall(asking, &advance->run, err)
                   ?: closings_add(asking, err);
    }
    if (asking->request->kind == EVENT_RUN_APPROVE) {
        return approval_recall(asking, err);
    }
    if (asking->request->kind == EVENT_RUN_REJECT &&
        approval_recall(asking, err) != 0) {
        return -1;
    }
    if (asking->request->kind == EVENT_TARGET_SET &&
        target_place(asking, err) != 0) {
        return -1;
    }
    return closings_add(asking, err);
}

/* 1: it was decided before, and asking->decision is that; 0: it has to be
 * decided now (a read: anew). */
static int recall(struct asking *asking, struct err *err)
{
    const struct head *head = asking->request->payload;
    struct decision *decision = &asking->decision;
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT hash, status, reason, text, reply, decided_at "
           "FROM requests WHERE id = $1",
           &rows, err, P_ID(&head->id)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return 0;
    }
    struct hash hash = row_hash(rows, 0, "hash");
    decision->stored = true;
    if (!hash_equal(&hash, &asking->request->hash)) {
        decision->status = REPLY_ID_IN_USE;
        decision->reason = must_strdup("its id came with other bytes before");
        return 1;
    }
    decision->at = row_time(rows, 0, "decided_at");
    decision->status =
        word_value(&reply_status_words, row_text(rows, 0, "status"));
    if (asking->verb->effect == READ && decision->status == REPLY_OK) {
        return 0;
    }
    decision->reason = dup_text(rows, "reason");
    decision->text = dup_text(rows, "text");
    decision->body = row_bytes(rows, 0, "reply");
    return recall_effects(asking, err) != 0 ? -1 : 1;
}

/* A script, and an entry that lists what goes on of what somebody signed. A
 * target ends nothing, so it keeps nothing either. */
static bool may_be_large(enum event_kind kind)
{
    return kind == EVENT_COMMAND_SAVE ||
           (standing_is_entry(kind) && kind != EVENT_TARGET_SET);
}

static int check_policy(struct asking *asking)
{
    struct err reason = {0};
    size_t size = asking->request->envelope.payload.len;

    if (policy_check(asking->verb, &asking->signer, &reason) != 0) {
        return asking_refuse(asking, REPLY_DENIED, "%s", reason.text);
    }
    return size <= REQUEST_MAX || may_be_large(asking->request->kind)
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "the request has %zu "
                               "bytes: at most %d",
                               size, REQUEST_MAX);
}

/* Asked by the scheduler alone, under ids that follow from what they say. */
static bool is_derived(const struct asking *asking)
{
    return asking->verb->signers == SERVICE;
}

/* Whoever knows what an id will be derived from could use it up before its time
 * by asking something else under it: so nobody else's request is decided under
 * one. */
static int check_id(const struct asking *asking, struct err *err)
{
    const struct head *head = asking->request->payload;
    bool derived = is_derived(asking);

    if (derived != (id_version(&head->id) == 8)) {
        return asking_aside(err, "derived ids (UUIDv8) are for what the "
                                 "scheduler asks, and for nothing else");
    }
    return derived && policy_check(asking->verb, &asking->signer, err) != 0
               ? ASIDE
               : 0;
}

static int check_fresh(struct asking *asking, struct err *err)
{
    struct err reason = {0};

    if (is_derived(asking)) {
        return lifetime_check(asking->request->payload, asking->now, err) == 0
                   ? 0
                   : ASIDE;
    }
    return freshness_check(asking->request->payload, asking->now, &reason) == 0
               ? 0
               : asking_refuse(asking, REPLY_STALE, "%s", reason.text);
}

/* Sets asking->decision and stores it. 0, -1, or ASIDE. */
static int judge(struct asking *asking, struct err *err)
{
    int recalled = recall(asking, err);

    if (recalled != 0) {
        return recalled < 0 ? -1 : 0;
    }
    bool anew = asking->decision.stored;
    int done = check_id(asking, err)
                   ?: check_fresh(asking, err)
                   ?: signer_check_rows(asking, err)
                   ?: check_policy(asking)
                   ?: asking->verb->handler(asking, err);
    if (done < 0 || done == ASIDE) {
        return done;
    }
    if (anew && asking->decision.status == REPLY_STALE) {
        asking->decision.status = REPLY_NONE; /* who asked has long gone */
    }
    return asking_store(asking, err);
}

static int add_orders(const struct asking *asking, struct list *out,
                      struct err *err)
{
    _cleanup_free_ char *source =
        must_printf("authorizer/%s", asking->daemon->name);

    for (size_t i = 0; i < asking->decision.orders.n; i++) {
        const struct order_out *order =
            &list_at(&asking->decision.orders, struct order_out, i);
        _cleanup_free_ char *topic =
            dispatch_topic(order->target, order->generation);
        struct record record;
        char key[ID_TEXT];
        id_format(&order->execution, key);
        if (event_to_record(&order->envelope, source, topic, 0, key, &record,
                            err) != 0) {
            return -1;
        }
        *(struct record *)list_grow(out, sizeof(record)) = record;
    }
    return 0;
}

static void add_closings(struct asking *asking, struct list *out)
{
    struct list *closings = &asking->decision.closings;

    for (size_t i = 0; i < closings->n; i++) {
        *(struct record *)list_grow(out, sizeof(struct record)) =
            list_at(closings, struct record, i);
    }
    closings->n = 0;
}

static void log_decision(const struct asking *asking)
{
    const struct decision *decision = &asking->decision;
    const struct head *head = asking->request->payload;
    const char *who = asking->signer.person.email;
    bool plain = decision->status == REPLY_OK && asking->verb->effect == READ;

    log_at(&asking->daemon->log, plain ? LEVEL_DEBUG : LEVEL_INFO, "decided",
           L_TEXT("verb", event_types[asking->verb->kind].verb),
           L_ID("request", &head->id), L_TEXT("by", who[0] ? who : NULL),
           L_TEXT("status", word_text(&reply_status_words, decision->status)),
           L_TEXT("because", decision->reason));
}

/* What is to be sent of the decision. */
static int collect(struct asking *asking, struct decided *decided,
                   struct err *err)
{
    struct err unsealed = {0};

    log_decision(asking);
    if (add_orders(asking, &decided->out, err) != 0) {
        return -1;
    }
    add_closings(asking, &decided->out);
    if (asking->decision.status != REPLY_NONE && has_address(asking) &&
        replies_make(asking, &decided->out, &unsealed) != 0) {
        log_warning(&asking->daemon->log, "no reply", L_ERR(&unsealed));
    }
    decided->places = asking->decision.places;
    asking->decision.places = (struct list){0};
    return announcement_make(asking, &decided->out, err);
}

static int decide_request(struct asking *asking, int64_t reply_partitions,
                          struct decided *decided, struct err *err)
{
    int done = admit(asking, reply_partitions, err) == 0 ? judge(asking, err)
               : err->kind == ERR_REJECT                 ? ASIDE
                                                         : -1;
    if (done == ASIDE) {
        decided->dead = *err;
        err_clear(err);
        return 0;
    }
    return done != 0 ? -1 : collect(asking, decided, err);
}

int decide(struct authorizer *authorizer, const struct record *record,
           struct decided *ret_decided, struct err *err)
{
    _cleanup_event_ struct event *request = event_from_record(record, err);
    struct decided decided = {0};

    if (request == NULL) {
        if (err->kind != ERR_REJECT) {
            return -1;
        }
        ret_decided->dead = *err;
        err_clear(err);
        return 0;
    }
    struct asking asking = {
        .daemon = authorizer->daemon,
        .source = authorizer->source,
        .chains = authorizer->chains,
        .revocations = &authorizer->revocations,
        .factor_key = authorizer->factor_key,
        .record = record,
        .request = request,
        .verb = verb_of(request->kind),
        .proof = proof_new(&authorizer->daemon->roots, source_fetch,
                           authorizer->source),
        .now = clock_now(),
    };
    asking.decision.at = asking.now;
    proof_set_standing(asking.proof, asking_standing(&asking));
    int failed =
        decide_request(&asking, authorizer->reply_partitions, &decided, err);
    asking_done(&asking);
    if (failed) {
        decided_done(&decided);
        return -1;
    }
    *ret_decided = decided;
    return 0;
}
