/*
 * event.h: the one list of what is signed, and its two forms: an envelope (at
 * rest, inside a proof) and a Kafka record (payload as the value, the rest in
 * headers, after the CloudEvents Kafka binding, https://cloudevents.io, 1.0.2).
 *
 * Headers are hints: type and signatures are checked over the payload's bytes,
 * and ce_id and ce_time must equal what is signed inside.
 */
#pragma once

#include "model/record.h"
#include "trust/dsse.h"

enum event_kind {
    EVENT_ROOT_INIT,
    EVENT_SERVICE_ENROL,
    EVENT_SERVICE_LIST,
    EVENT_TARGET_SET,
    EVENT_GROUP_SET,
    EVENT_INVITATION_SHOW,
    EVENT_USER_INVITE,
    EVENT_USER_VERIFY,
    EVENT_USER_CONFIRM,
    EVENT_MFA_SET,
    EVENT_MFA_RESET,
    EVENT_POLICY_SET,
    EVENT_SESSION_OPEN,
    EVENT_SESSION_CLOSE,
    EVENT_COMMAND_SAVE,
    EVENT_ASSIGNMENT_ADD,
    EVENT_SCHEDULE_SET,
    EVENT_RUN_START,
    EVENT_RUN_ADVANCE,
    EVENT_RUN_TICK,
    EVENT_RUN_CANCEL,
    EVENT_RUN_APPROVE,
    EVENT_RUN_REJECT,
    EVENT_USER_SUSPEND,
    EVENT_USER_RESUME,
    EVENT_USER_REMOVE,
    EVENT_USER_ROLE,
    EVENT_USER_REINVITE,
    EVENT_KEY_ROTATE,
    EVENT_ASSIGNMENT_REMOVE,
    EVENT_COMMAND_RETIRE,
    EVENT_SCHEDULE_REMOVE,
    EVENT_SERVICE_REVOKE,
    EVENT_BILLING_INIT,
    EVENT_CARD_ADD,
    EVENT_CARD_DEFAULT,
    EVENT_CARD_REMOVE,
    EVENT_SESSION_SHOW,
    EVENT_POLICY_LIST,
    EVENT_USER_LIST,
    EVENT_USER_SHOW,
    EVENT_USER_SIGNED,
    EVENT_GROUP_LIST,
    EVENT_TARGET_LIST,
    EVENT_TARGET_SHOW,
    EVENT_COMMAND_LIST,
    EVENT_COMMAND_SHOW,
    EVENT_COMMAND_VERSIONS,
    EVENT_SCHEDULE_LIST,
    EVENT_ASSIGNMENT_LIST,
    EVENT_ASSIGNMENT_EXPLAIN,
    EVENT_AUDIT_LIST,
    EVENT_AUDIT_ROWS,
    EVENT_PENDING_LIST,
    EVENT_PENDING_SHOW,
    EVENT_RUN_SHOW,
    EVENT_RUN_OUTPUT,
    EVENT_RUN_HISTORY,
    EVENT_BILLING_SHOW,
    EVENT_CARD_LIST,
    EVENT_CARD_EXPORT,
    EVENT_DISPATCH,
    EVENT_CLAIM,
    EVENT_STARTED,
    EVENT_OUTPUT,
    EVENT_FINISHED,
    EVENT_HELLO,
    EVENT_REPLY,
    EVENT_USER_INVITED,
    EVENT_USER_VERIFIED,
    EVENT_USER_CONFIRMED,
    EVENT_INVITATION_REUSED,
    EVENT_MAIL_SENT,
    EVENT_MAIL_DELAYED,
    EVENT_MAIL_REFUSED,
    EVENT_MFA_ENABLED,
    EVENT_MFA_WITHDRAWN,
    EVENT_POLICY_CHANGED,
    EVENT_SESSION_OPENED,
    EVENT_SESSION_CLOSED,
    EVENT_SERVICE_ENROLLED,
    EVENT_TARGET_ADDED,
    EVENT_TARGET_CHANGED,
    EVENT_GROUP_CHANGED,
    EVENT_COMMAND_SAVED,
    EVENT_SCHEDULE_CHANGED,
    EVENT_ASSIGNMENT_ADDED,
    EVENT_BILLING_MADE,
    EVENT_CARD_ADDED,
    EVENT_CARD_DEFAULTED,
    EVENT_CARD_REMOVED,
    EVENT_RUN_ACCEPTED,
    EVENT_RUN_REFUSED,
    EVENT_RUN_CANCELLED,
    EVENT_RUN_ENDED,
    EVENT_RUN_PENDING,
    EVENT_RUN_APPROVED,
    EVENT_RUN_REJECTED,
    EVENT_AUDIT_CHECKPOINT,
    EVENT_AUDIT_CUT,
    EVENT_USER_SUSPENDED,
    EVENT_USER_RESUMED,
    EVENT_USER_REMOVED,
    EVENT_USER_ROLE_CHANGED,
    EVENT_USER_REINVITED,
    EVENT_KEY_ROTATED,
    EVENT_ASSIGNMENT_REMOVED,
    EVENT_COMMAND_RETIRED,
    EVENT_SCHEDULE_REMOVED,
    EVENT_SERVICE_REVOKED,
    EVENT_KINDS
};

struct event_type {
    const char *type; /* "errand.run.start.v1" */
    const char *verb; /* "run.start"; NULL: not a request */
    const struct table *table;
    size_t signers;
};

/* Indexed by enum event_kind. */
extern const struct event_type event_types[EVENT_KINDS];

/* The kind of a type's name; -1: none that we know. */
int event_kind(const char *type);

/* Encodes a payload (the struct of that kind's table) and signs it; `second`
 * for kinds with two signers, else NULL. */
int event_sign(enum event_kind kind, const void *payload,
               const struct key_pair *first, const struct key_pair *second,
               struct envelope *ret_envelope, struct err *err);

/* Decodes an envelope's payload as that kind; REJECT: another type, too few
 * signatures, or a bad payload. ret_payload: to be released with table_done().
 */
int event_decode(enum event_kind kind, const struct envelope *envelope,
                 void *ret_payload, struct err *err);

/* A payload of any kind on the heap; to be released with event_free(). */
struct event {
    enum event_kind kind;
    struct envelope envelope;
    struct hash hash;
    void *payload; /* the struct of the kind's table; its head first */
};

/* Takes the envelope over, also where it fails (and releases it then). */
struct event *event_new_take(struct envelope *envelope, struct err *err);

/* Of an envelope's JSON (envelope_decode()). */
struct event *event_from_json(const struct buf *json, struct err *err);

/* An event as a record holds it: type, payload and signatures, and headers that
 * agree with the payload. No signature is checked yet. NULL: REJECT. */
struct event *event_from_record(const struct record *record, struct err *err);
void event_free(struct event *event);
static inline void event_release(struct event **event)
{
    event_free(*event);
}
#define _cleanup_event_ _cleanup_(event_release)

/* The record of an envelope; the key as text, or by default (NULL) the first
 * signer's key id. `source`: a URI reference, such as "executor/web-1". */
int event_to_record(const struct envelope *envelope, const char *source,
                    const char *topic, int64_t partition, const char *key,
                    struct record *ret_record, struct err *err);
