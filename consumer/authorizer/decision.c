/* decision.c: see decision.h. */
#include "consumer/authorizer/decision.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "consumer/authorizer/revocations.h"
#include "consumer/authorizer/verbs.h"

static const char hidden[] = NOT_FOUND_TEXT;

void asking_done(struct asking *asking)
{
    struct decision *decision = &asking->decision;

    for (size_t i = 0; i < decision->orders.n; i++) {
        struct order_out *order =
            &list_at(&decision->orders, struct order_out, i);
        envelope_done(&order->envelope);
        free(order->target);
    }
    for (size_t i = 0; i < decision->places.n; i++) {
        free(list_at(&decision->places, struct place, i).target);
    }
    for (size_t i = 0; i < decision->closings.n; i++) {
        record_done(&list_at(&decision->closings, struct record, i));
    }
    free(decision->closings.items);
    free(decision->orders.items);
    free(decision->places.items);
    free(decision->text);
    free(decision->reason);
    free(decision->command);
    free(decision->told.detail);
    buf_done(&decision->body);
    proof_free(asking->proof);
    *asking = (struct asking){0};
}

/* Messages quote what others wrote, and are cut at a number of bytes: if that
 * broke a character, what is not ASCII goes. */
static char *utf8(const char *text)
{
    char *clean = must_strdup(text);

    if (!utf8_is_good(text, strlen(text))) {
        for (char *at = clean; *at != '\0'; at++) {
            *at = (unsigned char)*at < 0x80 ? *at : '?';
        }
    }
    return clean;
}

_printf_(2, 0) static void set_reason(struct decision *decision,
                                      const char *fmt, va_list args)
{
    char text[sizeof(((struct err *)0)->text)];

    (void)vsnprintf(text, sizeof(text), fmt, args);
    free(decision->reason);
    decision->reason = utf8(text);
}

static int refused(struct decision *decision, enum reply_status status,
                   const char *text)
{
    free(decision->text);
    decision->text = must_strdup(text);
    decision->status = (int)status;
    buf_clear(&decision->body);
    return 1;
}

int asking_refuse(struct asking *asking, enum reply_status status,
                  const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_reason(&asking->decision, fmt, args);
    va_end(args);
    return refused(&asking->decision, status, asking->decision.reason);
}

int asking_aside(struct err *err, const char *why)
{
    (void)err_set(err, ERR_REJECT, "%s", why);
    return ASIDE;
}

int asking_sign_in(struct asking *asking, const char *why)
{
    asking->decision.sign_in = true;
    return asking_refuse(asking, REPLY_DENIED, "%s: submit login", why);
}

int asking_hide(struct asking *asking, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    set_reason(&asking->decision, fmt, args);
    va_end(args);
    return refused(&asking->decision, REPLY_NOT_FOUND, hidden);
}

int asking_refuse_or_hide(struct asking *asking, const char *reason)
{
    return asking_by_administrator(asking)
               ? asking_refuse(asking, REPLY_DENIED, "%s", reason)
               : asking_hide(asking, "%s", reason);
}

int asking_answer_take(struct asking *asking, const struct table *table,
                       void *answer, struct err *err)
{
    struct decision *decision = &asking->decision;

    buf_clear(&decision->body);
    int done = table_encode(table, answer, &decision->body, err);
    table_done(table, answer);
    if (done != 0) {
        return err_wrap(err, "the answer to %s",
                        event_types[asking->verb->kind].verb);
    }
    decision->status = asking->verb->effect == READ ? REPLY_OK : REPLY_ACCEPTED;
    return 0;
}

int asking_made(struct asking *asking, const struct hash *hash,
                const struct id *id, int64_t version, struct err *err)
{
    struct made_answer made = {.hash = *hash, .version = version};

    if (id != NULL) {
        made.id = *id;
    }
    return asking_answer_take(asking, &made_answer_table, &made, err);
}

void asking_about(struct asking *asking, const char *command)
{
    char *copy = must_strdup(command);

    free(asking->decision.command);
    asking->decision.command = copy;
}

static bool is_accepted(const struct asking *asking)
{
    return asking->decision.status == REPLY_ACCEPTED;
}

/* What is signed of a run, or ends a session, gives nobody a right that
 * outlives its month: it goes with it. */
static bool goes(enum event_kind kind)
{
    return strncmp(event_types[kind].verb, "run.", 4) == 0 ||
           kind == EVENT_SESSION_CLOSE;
}

/* Other accepted changes become documents that others may name. */
static bool lasts(const struct asking *asking)
{
    return is_accepted(asking) && !goes(asking->request->kind);
}

static int store_envelope(struct asking *asking, const struct buf *json,
                          struct err *err)
{
    return PG(asking->daemon->postgres,
              "INSERT INTO envelopes (hash, type, envelope) "
              "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
              NULL, err, P_HASH(&asking->request->hash),
              P_TEXT(asking->request->envelope.type), P_BUF(json));
}

/* The row of the audit log, at the end of its chain. Texts are borrowed. */
static struct audit_row append_row(struct asking *asking,
                                   const struct buf *reply)
{
    const struct decision *decision = &asking->decision;
    const struct event *request = asking->request;
    const struct head *head = request->payload;
    const struct signature *signature =
        &list_at(&request->envelope.signatures, struct signature, 0);
    struct audit_row row = {
        .partition = asking->record->partition,
        .id = head->id,
        .request = request->hash,
        .verb = (char *)event_types[request->kind].verb,
        .key = signature->key,
        .user = asking->signer.person.user,
        .command = decision->command,
        .decision = (char *)(decision->reason == NULL ? "accepted" : "refused"),
        .status = (char *)word_text(&reply_status_words, decision->status),
        .reason = decision->reason,
        .text = decision->text,
        .size = (int64_t)request->envelope.payload.len,
        .issued = head->issued,
        .decided = decision->at,
        .offset = asking->record->offset,
    };

    if (asking->signer.kind == SIGNER_INVITATION) {
        row.invite = asking->signer.person.by;
    }
    if (reply != NULL) {
        row.reply = hash_of(reply->data, reply->len);
    }
    chains_append(asking->chains, &row);
    return row;
}

/* Here alone a request's row is written, and its chain's end moved with it: in
 * one statement, since each is a way to PostgreSQL and back. The envelope is
 * kept beside it unless it is in envelopes, or too large. */
static int store_request(struct asking *asking, const struct buf *json,
                         struct err *err)
{
    const struct buf *reply =
        is_accepted(asking) ? &asking->decision.body : NULL;
    struct audit_row row = append_row(asking, reply);
    bool kept = !lasts(asking) && row.size <= AUDIT_KEPT_MAX;

    return PG(
        asking->daemon->postgres,
        "WITH chain AS (UPDATE audit_chains SET rows = $17, head = $19, "
        "moved_at = $13 WHERE partition = $15) "
        "INSERT INTO requests (id, hash, verb, type, key_id, user_id, "
        "decision, status, reason, text, reply, issued, decided_at, "
        "topic, partition, record_offset, number, previous, row_hash, "
        "command, size, envelope, invite) VALUES ($1, $2, $3, $4, $5, $6, $7, "
        "$8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
        "$21, $22, $23)",
        NULL, err, P_ID(&row.id), P_HASH(&row.request), P_TEXT(row.verb),
        P_TEXT(asking->request->envelope.type), P_HASH(&row.key),
        id_is_zero(&row.user) ? P_NULL : P_ID(&row.user), P_TEXT(row.decision),
        P_TEXT(row.status), P_TEXT(row.reason), P_TEXT(row.text),
        reply == NULL ? P_NULL : P_BUF(reply), P_TIME(row.issued),
        P_TIME(row.decided), P_TEXT(asking->record->topic),
        P_INT(row.partition), P_INT(row.offset), P_INT(row.number),
        P_HASH(&row.previous), P_HASH(&row.hash), P_TEXT(row.command),
        P_INT(row.size), kept ? P_BUF(json) : P_NULL,
        hash_is_zero(&row.invite) ? P_NULL : P_HASH(&row.invite));
}

int asking_store(struct asking *asking, struct err *err)
{
    _cleanup_buf_ struct buf json = {0};

    if (asking->decision.stored) {
        return 0;
    }
    if (envelope_encode(&asking->request->envelope, &json, err) != 0 ||
        (lasts(asking) && store_envelope(asking, &json, err) != 0)) {
        return -1;
    }
    asking->decision.stored = true;
    return store_request(asking, &json, err);
}

const struct standing *asking_standing(const struct asking *asking)
{
    return asking->revocations->standing;
}

bool asking_by_administrator(const struct asking *asking)
{
    const struct person *person = &asking->signer.person;

    return person->role == ROLE_ADMINISTRATOR && person->in_force;
}

void asking_order_take(struct asking *asking, struct envelope *envelope,
                       const struct id *execution, const char *target,
                       int64_t generation)
{
    struct order_out *order =
        list_grow(&asking->decision.orders, sizeof(*order));

    order->envelope = *envelope;
    *envelope = (struct envelope){0};
    order->execution = *execution;
    order->target = must_strdup(target);
    order->generation = generation;
}

void asking_place(struct asking *asking, const char *target, int64_t generation,
                  int64_t max_wait)
{
    struct place *place = list_grow(&asking->decision.places, sizeof(*place));

    *place = (struct place){.target = must_strdup(target),
                            .generation = generation,
                            .max_wait = max_wait};
}

char *names_array(const struct list *names)
{
    _cleanup_free_ char *joined = texts_join(names, ",");

    return must_printf("{%s}", joined);
}

char *hashes_array(const struct list *hashes)
{
    struct buf text = {0};
    char hex[HASH_TEXT];
    int failed = buf_adds(&text, "{");

    for (size_t i = 0; i < hashes->n; i++) {
        hash_format(&list_at(hashes, struct hash, i), hex);
        failed |= buf_addf(&text, "%s\"\\\\x%s\"", i == 0 ? "" : ",", hex);
    }
    failed |= buf_adds(&text, "}");
    if (failed) {
        abort();
    }
    return buf_take(&text);
}

int invitation_store(struct asking *asking, const struct id *user,
                     const struct hash *key, struct err *err)
{
    return PG(asking->daemon->postgres,
              "INSERT INTO invitations (key_id, user_id, hash) "
              "VALUES ($1, $2, $3)",
              NULL, err, P_HASH(key), P_ID(user),
              P_HASH(&asking->request->hash));
}
