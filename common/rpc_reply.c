/*
 * rpc_reply.c: opening a reply, believing it, joining its parts; see rpc.h.
 *
 * Anybody may write to errand.replies, so whatever does not pass is passed over
 * without a word. The order is: for a request of ours; opens with our key; to
 * that request, by its hash; signed by a key whose chain goes up to a pinned
 * root; not from before what was seen. Only then its content counts.
 */
#include "rpc_private.h"

#include <string.h>

#include "base/clock.h"

void call_done(struct call *call)
{
    texts_done(&call->targets);
    free(call->followed.items);
    free(call->text);
    buf_done(&call->body);
    *call = (struct call){0};
}

/* Who speaks */

static const struct speaker *known_speaker(const struct rpc *rpc,
                                           const struct hash *by)
{
    for (size_t i = 0; i < rpc->speakers.n; i++) {
        const struct speaker *s = &list_at(&rpc->speakers, struct speaker, i);
        if (hash_equal(&s->by, by)) {
            bool revoked = rpc->standing != NULL &&
                           standing_service_revoked(rpc->standing, by);
            bool over = s->until != 0 && clock_now() > s->until;
            return revoked || over ? NULL : s;
        }
    }
    return NULL;
}

/* Checks the chain of whoever signed; NULL: nobody we believe. */
static const struct speaker *new_speaker(struct rpc *rpc,
                                         const struct roots *roots,
                                         const struct reply *reply)
{
    _cleanup_proof_ struct proof *proof = proof_new(roots, NULL, NULL);
    enum service_kind kind =
        reply->status == REPLY_RESULT ? SERVICE_EXECUTOR : SERVICE_AUTHORIZER;
    const struct service_enrol *enrol = NULL;
    struct err ignored = {0};

    proof_set_standing(proof, rpc->standing);
    if (proof_add_all(proof, &reply->proof, &ignored) != 0 ||
        proof_service(proof, &reply->head.by, kind, NULL, clock_now(), &enrol,
                      &ignored) != 0 ||
        !hash_equal(&enrol->request.head.root, &reply->head.root)) {
        return NULL;
    }
    struct speaker *speaker = list_grow(&rpc->speakers, sizeof(*speaker));
    *speaker = (struct speaker){
        .by = reply->head.by,
        .key = enrol->key,
        .kind = kind,
        .target = enrol->target == NULL ? NULL : must_strdup(enrol->target),
        .until = enrol->until,
    };
    return speaker;
}

/* Where no root is pinned yet: takes the one that the reply brings, if its hash
 * begins as the code says and the reply's own chain and signature go up to it.
 * Nothing else of the reply counts before. */
static const struct speaker *learn_speaker(struct rpc *rpc,
                                           const struct envelope *envelope,
                                           struct reply *reply)
{
    struct hash root = key_id(&reply->root_key);
    struct id half = id_of_hash(&root);
    struct roots roots = {.keys = {.items = &reply->root_key, .n = 1}};

    if (!id_equal(&half, &rpc->half)) {
        return NULL;
    }
    const struct speaker *speaker = new_speaker(rpc, &roots, reply);
    if (speaker == NULL || !envelope_signed_by(envelope, 0, &speaker->key)) {
        return NULL;
    }
    struct key32 *pin = list_grow(&rpc->roots.keys, sizeof(*pin));
    *pin = reply->root_key;
    rpc->learning = false;
    return speaker;
}

static const struct speaker *find_speaker(struct rpc *rpc,
                                          const struct envelope *envelope,
                                          struct reply *reply)
{
    const struct speaker *speaker = known_speaker(rpc, &reply->head.by);

    if (rpc->learning) {
        return learn_speaker(rpc, envelope, reply);
    }
    if (speaker == NULL && reply->proof.n > 0) {
        speaker = new_speaker(rpc, &rpc->roots, reply);
    }
    if (speaker == NULL || !envelope_signed_by(envelope, 0, &speaker->key)) {
        return NULL;
    }
    return speaker;
}

/* Never a lower seq than one seen before, nor another head at the same. */
static bool log_is_current(struct rpc *rpc, const struct reply *reply)
{
    if (reply->seq < rpc->seq ||
        (reply->seq == rpc->seq && !hash_is_zero(&rpc->log) &&
         !hash_equal(&reply->log, &rpc->log))) {
        return false;
    }
    rpc->seq = reply->seq;
    rpc->log = reply->log;
    return true;
}

/* What they say */

struct checkpoints *rpc_checkpoints(struct rpc *rpc)
{
    return &rpc->checkpoints;
}

void rpc_on_strange(struct rpc *rpc,
                    void (*strange)(const struct checkpoint *seen,
                                    const struct checkpoint *now))
{
    rpc->strange = strange;
}

/* What the authorizer says of its log, against what it said before. */
static void take_checkpoint(struct rpc *rpc, const struct reply *reply)
{
    const struct checkpoint *seen =
        checkpoints_find(&rpc->checkpoints, reply->audit.partition);
    struct checkpoint before = {0};

    if (reply->audit.rows == 0) {
        return;
    }
    if (seen != NULL) {
        before = *seen;
    }
    if (checkpoints_take(&rpc->checkpoints, &reply->audit) != CHECKPOINT_FINE &&
        rpc->strange != NULL) {
        rpc->strange(&before, &reply->audit);
    }
}

static void take_answer(struct rpc *rpc, struct call *call, struct reply *reply)
{
    if (call->whole) {
        return;
    }
    if (reply->part == 0) { /* of this answer, or of one that was sent again */
        take_checkpoint(rpc, reply);
        buf_clear(&call->body);
        free(call->text);
        call->text = take_ptr(reply->text);
        call->status = reply->status;
        call->sign_in = reply->sign_in;
        call->by = reply->head.by;
        call->issued = reply->head.issued;
    } else if (reply->part != call->part ||
               reply->head.issued != call->issued ||
               !hash_equal(&reply->head.by, &call->by)) {
        return;
    }
    if (buf_add(&call->body, reply->body.data, reply->body.len) == 0) {
        call->part = reply->part + 1;
        call->whole = reply->last;
    }
}

/* An execution of this run on this target? */
static bool is_execution(const struct call *run, const struct id *execution,
                         const char *target)
{
    if (!texts_hold(&run->targets, target)) {
        return false;
    }
    for (int64_t attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        struct id id = execution_id(&run->id, &run->hash, target, attempt);
        if (id_equal(&id, execution)) {
            return true;
        }
    }
    return false;
}

static struct followed *followed_of(struct call *run,
                                    const struct id *execution)
{
    for (size_t i = 0; i < run->followed.n; i++) {
        struct followed *f = &list_at(&run->followed, struct followed, i);
        if (id_equal(&f->execution, execution)) {
            return f;
        }
    }
    struct followed *new = list_grow(&run->followed, sizeof(*new));
    *new = (struct followed){.execution = *execution, .number = -1};
    return new;
}

static bool is_result(const struct event *event)
{
    return event->kind == EVENT_STARTED || event->kind == EVENT_OUTPUT ||
           event->kind == EVENT_FINISHED;
}

/* One result: signed by the same executor, of an execution of this run on its
 * target, and newer than what came before. */
static void take_result(struct rpc *rpc, struct call *run,
                        const struct speaker *speaker,
                        const struct reply *reply)
{
    struct err ignored = {0};

    if (speaker->target == NULL) {
        return;
    }
    _cleanup_event_ struct event *event =
        event_from_json(&reply->body, &ignored);
    if (event == NULL || !is_result(event) ||
        !envelope_signed_by(&event->envelope, 0, &speaker->key)) {
        return;
    }
    const struct result *result = event->payload;
    if (!hash_equal(&result->head.by, &speaker->by) ||
        !is_execution(run, &result->execution, speaker->target)) {
        return;
    }
    struct followed *followed = followed_of(run, &result->execution);
    if (result->number > followed->number) {
        followed->number = result->number;
        *(struct event **)list_grow(&rpc->results, sizeof(event)) =
            take_ptr(event);
    }
}

/* Opening */

static struct event *open_reply(const struct rpc *rpc,
                                const struct record *record)
{
    struct sealed_reply sealed = {0};
    struct err ignored = {0};
    _cleanup_buf_ struct buf json = {0};

    if (table_decode(&sealed_reply_table, record->value.data, record->value.len,
                     &sealed, &ignored) != 0) {
        return NULL;
    }
    int opened =
        box_open(rpc->box, sealed.box.data, sealed.box.len, &json, &ignored);
    table_done(&sealed_reply_table, &sealed);
    if (opened != 0) {
        return NULL;
    }
    _cleanup_event_ struct event *event = event_from_json(&json, &ignored);
    return event != NULL && event->kind == EVENT_REPLY ? take_ptr(event) : NULL;
}

static struct call *call_of(struct rpc *rpc, const struct record *record)
{
    const char *key = buf_text(&record->key);

    if (strlen(key) != ID_TEXT - 1) {
        return NULL;
    }
    return strcmp(key, rpc->call.key) == 0  ? &rpc->call
           : strcmp(key, rpc->run.key) == 0 ? &rpc->run
                                            : NULL;
}

static bool is_to(const struct reply *reply, const struct call *call)
{
    return id_equal(&reply->to, &call->id) &&
           hash_equal(&reply->request, &call->hash) &&
           (hash_is_zero(&call->root) ||
            hash_equal(&reply->head.root, &call->root));
}

void rpc_take_record(struct rpc *rpc, const struct record *record)
{
    struct call *call = call_of(rpc, record);

    if (call == NULL) {
        return;
    }
    _cleanup_event_ struct event *event = open_reply(rpc, record);
    if (event == NULL) {
        return;
    }
    struct reply *reply = event->payload;
    if (!is_to(reply, call)) {
        return;
    }
    const struct speaker *speaker = find_speaker(rpc, &event->envelope, reply);
    if (speaker == NULL) {
        return;
    }
    bool result = reply->status == REPLY_RESULT;
    if (result != (speaker->kind == SERVICE_EXECUTOR) ||
        !log_is_current(rpc, reply)) {
        return;
    }
    if (result && strcmp(call->key, rpc->run.key) == 0) {
        take_result(rpc, &rpc->run, speaker, reply);
    } else if (!result) {
        take_answer(rpc, call, reply);
    }
}
