/* event.c: see event.h. */
#include "trust/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "model/advance.h"
#include "model/approval.h"
#include "model/assignment.h"
#include "model/audit.h"
#include "model/cut.h"
#include "model/billing.h"
#include "model/change.h"
#include "model/command.h"
#include "model/enrolment.h"
#include "model/group.h"
#include "model/log_entry.h"
#include "model/mail.h"
#include "model/mfa.h"
#include "model/read.h"
#include "model/reply.h"
#include "model/result.h"
#include "model/rules.h"
#include "model/run.h"
#include "model/run_end.h"
#include "model/schedule.h"
#include "model/session.h"
#include "model/target.h"
#include "model/user.h"

#define REQUEST(verb, table, signers)                 \
    {                                                 \
        "errand." verb ".v1", verb, &(table), signers \
    }
#define FACT(name, table)                       \
    {                                           \
        "errand." name ".v1", NULL, &(table), 1 \
    }

const struct event_type event_types[EVENT_KINDS] = {
    [EVENT_ROOT_INIT] = FACT("root.init", root_init_table),
    [EVENT_SERVICE_ENROL] = REQUEST("service.enrol", service_enrol_table, 1),
    [EVENT_SERVICE_LIST] = REQUEST("service.list", service_list_table, 1),
    [EVENT_TARGET_SET] = REQUEST("target.set", target_set_table, 1),
    [EVENT_GROUP_SET] = REQUEST("group.set", group_set_table, 1),
    [EVENT_INVITATION_SHOW] =
        REQUEST("invitation.show", invitation_show_table, 1),
    [EVENT_USER_INVITE] = REQUEST("user.invite", user_invite_table, 1),
    [EVENT_USER_VERIFY] = REQUEST("user.verify", user_verify_table, 2),
    [EVENT_USER_CONFIRM] = REQUEST("user.confirm", user_confirm_table, 1),
    [EVENT_MFA_SET] = REQUEST("mfa.set", mfa_set_table, 1),
    [EVENT_MFA_RESET] = REQUEST("mfa.reset", mfa_reset_table, 1),
    [EVENT_POLICY_SET] = REQUEST("policy.set", policy_set_table, 1),
    [EVENT_SESSION_OPEN] = REQUEST("session.open", session_open_table, 2),
    [EVENT_SESSION_CLOSE] = REQUEST("session.close", session_close_table, 1),
    [EVENT_COMMAND_SAVE] = REQUEST("command.save", command_save_table, 1),
    [EVENT_ASSIGNMENT_ADD] = REQUEST("assignment.add", assignment_add_table, 1),
    [EVENT_SCHEDULE_SET] = REQUEST("schedule.set", schedule_set_table, 1),
    [EVENT_RUN_START] = REQUEST("run.start", run_start_table, 1),
    [EVENT_RUN_ADVANCE] = REQUEST("run.advance", run_advance_table, 1),
    [EVENT_RUN_TICK] = REQUEST("run.tick", run_tick_table, 1),
    [EVENT_RUN_CANCEL] = REQUEST("run.cancel", run_cancel_table, 1),
    [EVENT_RUN_APPROVE] = REQUEST("run.approve", vote_table, 1),
    [EVENT_RUN_REJECT] = REQUEST("run.reject", vote_table, 1),
    [EVENT_USER_SUSPEND] = REQUEST("user.suspend", user_standing_table, 1),
    [EVENT_USER_RESUME] = REQUEST("user.resume", user_standing_table, 1),
    [EVENT_USER_REMOVE] = REQUEST("user.remove", user_standing_table, 1),
    [EVENT_USER_ROLE] = REQUEST("user.role", user_role_table, 1),
    [EVENT_USER_REINVITE] = REQUEST("user.reinvite", user_reinvite_table, 1),
    [EVENT_KEY_ROTATE] = REQUEST("key.rotate", key_rotate_table, 2),
    [EVENT_ASSIGNMENT_REMOVE] =
        REQUEST("assignment.remove", assignment_remove_table, 1),
    [EVENT_COMMAND_RETIRE] = REQUEST("command.retire", command_retire_table, 1),
    [EVENT_SCHEDULE_REMOVE] =
        REQUEST("schedule.remove", schedule_remove_table, 1),
    [EVENT_SERVICE_REVOKE] = REQUEST("service.revoke", service_revoke_table, 1),
    [EVENT_BILLING_INIT] = REQUEST("billing.init", billing_init_table, 1),
    [EVENT_CARD_ADD] = REQUEST("card.add", card_add_table, 1),
    [EVENT_CARD_DEFAULT] = REQUEST("card.default", card_named_table, 1),
    [EVENT_CARD_REMOVE] = REQUEST("card.remove", card_named_table, 1),
    [EVENT_SESSION_SHOW] = REQUEST("session.show", plain_request_table, 1),
    [EVENT_POLICY_LIST] = REQUEST("policy.list", plain_request_table, 1),
    [EVENT_USER_LIST] = REQUEST("user.list", plain_request_table, 1),
    [EVENT_USER_SHOW] = REQUEST("user.show", user_named_table, 1),
    [EVENT_USER_SIGNED] = REQUEST("user.signed", user_named_table, 1),
    [EVENT_GROUP_LIST] = REQUEST("group.list", plain_request_table, 1),
    [EVENT_TARGET_LIST] = REQUEST("target.list", plain_request_table, 1),
    [EVENT_TARGET_SHOW] = REQUEST("target.show", target_named_table, 1),
    [EVENT_COMMAND_LIST] = REQUEST("command.list", plain_request_table, 1),
    [EVENT_COMMAND_SHOW] = REQUEST("command.show", command_show_table, 1),
    [EVENT_COMMAND_VERSIONS] =
        REQUEST("command.versions", command_versions_table, 1),
    [EVENT_SCHEDULE_LIST] = REQUEST("schedule.list", schedule_list_table, 1),
    [EVENT_ASSIGNMENT_LIST] =
        REQUEST("assignment.list", assignment_list_table, 1),
    [EVENT_ASSIGNMENT_EXPLAIN] =
        REQUEST("assignment.explain", assignment_list_table, 1),
    [EVENT_AUDIT_LIST] = REQUEST("audit.list", audit_list_table, 1),
    [EVENT_AUDIT_ROWS] = REQUEST("audit.rows", audit_rows_table, 1),
    [EVENT_PENDING_LIST] = REQUEST("pending.list", plain_request_table, 1),
    [EVENT_PENDING_SHOW] = REQUEST("pending.show", run_named_table, 1),
    [EVENT_RUN_SHOW] = REQUEST("run.show", run_named_table, 1),
    [EVENT_RUN_OUTPUT] = REQUEST("run.output", run_output_table, 1),
    [EVENT_RUN_HISTORY] = REQUEST("run.history", run_history_table, 1),
    [EVENT_BILLING_SHOW] = REQUEST("billing.show", plain_request_table, 1),
    [EVENT_CARD_LIST] = REQUEST("card.list", card_list_table, 1),
    [EVENT_CARD_EXPORT] = REQUEST("card.export", card_export_table, 1),
    [EVENT_DISPATCH] = FACT("dispatch", dispatch_table),
    [EVENT_CLAIM] = FACT("claim", claim_table),
    [EVENT_STARTED] = FACT("execution.started", execution_started_table),
    [EVENT_OUTPUT] = FACT("execution.output", execution_output_table),
    [EVENT_FINISHED] = FACT("execution.finished", execution_finished_table),
    [EVENT_HELLO] = FACT("executor.hello", executor_hello_table),
    [EVENT_REPLY] = FACT("reply", reply_table),
    [EVENT_USER_INVITED] = FACT("user.invited", change_table),
    [EVENT_USER_VERIFIED] = FACT("user.verified", change_table),
    [EVENT_USER_CONFIRMED] = FACT("user.confirmed", change_table),
    [EVENT_INVITATION_REUSED] = FACT("invitation.reused", change_table),
    [EVENT_MAIL_SENT] = FACT("mail.sent", mail_fate_table),
    [EVENT_MAIL_DELAYED] = FACT("mail.delayed", mail_fate_table),
    [EVENT_MAIL_REFUSED] = FACT("mail.refused", mail_fate_table),
    [EVENT_MFA_ENABLED] = FACT("mfa.enabled", change_table),
    [EVENT_MFA_WITHDRAWN] = FACT("mfa.withdrawn", change_table),
    [EVENT_POLICY_CHANGED] = FACT("policy.changed", change_table),
    [EVENT_SESSION_OPENED] = FACT("session.opened", change_table),
    [EVENT_SESSION_CLOSED] = FACT("session.closed", change_table),
    [EVENT_SERVICE_ENROLLED] = FACT("service.enrolled", change_table),
    [EVENT_TARGET_ADDED] = FACT("target.added", change_table),
    [EVENT_TARGET_CHANGED] = FACT("target.changed", change_table),
    [EVENT_GROUP_CHANGED] = FACT("group.changed", change_table),
    [EVENT_COMMAND_SAVED] = FACT("command.saved", change_table),
    [EVENT_SCHEDULE_CHANGED] = FACT("schedule.changed", change_table),
    [EVENT_ASSIGNMENT_ADDED] = FACT("assignment.added", change_table),
    [EVENT_BILLING_MADE] = FACT("billing.made", change_table),
    [EVENT_CARD_ADDED] = FACT("card.added", change_table),
    [EVENT_CARD_DEFAULTED] = FACT("card.defaulted", change_table),
    [EVENT_CARD_REMOVED] = FACT("card.removed", change_table),
    [EVENT_RUN_ACCEPTED] = FACT("run.accepted", change_table),
    [EVENT_RUN_REFUSED] = FACT("run.refused", change_table),
    [EVENT_RUN_CANCELLED] = FACT("run.cancelled", change_table),
    [EVENT_RUN_ENDED] = FACT("run.ended", run_end_table),
    [EVENT_RUN_PENDING] = FACT("run.pending", change_table),
    [EVENT_RUN_APPROVED] = FACT("run.approved", change_table),
    [EVENT_RUN_REJECTED] = FACT("run.rejected", change_table),
    [EVENT_AUDIT_CHECKPOINT] = FACT("audit.checkpoint", audit_checkpoint_table),
    [EVENT_AUDIT_CUT] = FACT("audit.cut", audit_cut_table),
    [EVENT_USER_SUSPENDED] = FACT("user.suspended", change_table),
    [EVENT_USER_RESUMED] = FACT("user.resumed", change_table),
    [EVENT_USER_REMOVED] = FACT("user.removed", change_table),
    [EVENT_USER_ROLE_CHANGED] = FACT("user.changed", change_table),
    [EVENT_USER_REINVITED] = FACT("user.reinvited", change_table),
    [EVENT_KEY_ROTATED] = FACT("key.rotated", change_table),
    [EVENT_ASSIGNMENT_REMOVED] = FACT("assignment.removed", change_table),
    [EVENT_COMMAND_RETIRED] = FACT("command.retired", change_table),
    [EVENT_SCHEDULE_REMOVED] = FACT("schedule.removed", change_table),
    [EVENT_SERVICE_REVOKED] = FACT("service.revoked", change_table),
};

int event_kind(const char *type)
{
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        if (strcmp(event_types[kind].type, type) == 0) {
            return kind;
        }
    }
    return -1;
}

int event_sign(enum event_kind kind, const void *payload,
               const struct key_pair *first, const struct key_pair *second,
               struct envelope *ret_envelope, struct err *err)
{
    const struct event_type *type = &event_types[kind];
    _cleanup_envelope_ struct envelope envelope = {.type =
                                                       must_strdup(type->type)};

    if (table_encode(type->table, payload, &envelope.payload, err) != 0 ||
        envelope_sign(&envelope, first, err) != 0 ||
        (second != NULL && envelope_sign(&envelope, second, err) != 0)) {
        return -1;
    }
    *ret_envelope = envelope;
    envelope = (struct envelope){0};
    return 0;
}

int event_decode(enum event_kind kind, const struct envelope *envelope,
                 void *ret_payload, struct err *err)
{
    const struct event_type *type = &event_types[kind];

    if (strcmp(envelope->type, type->type) != 0) {
        return err_set(err, ERR_REJECT, "a %.100s where %s belongs",
                       envelope->type, type->type);
    }
    if (envelope->signatures.n != type->signers) {
        return err_set(err, ERR_REJECT, "%s: %zu signatures instead of %zu",
                       type->type, envelope->signatures.n, type->signers);
    }
    return table_decode(type->table, envelope->payload.data,
                        envelope->payload.len, ret_payload, err);
}

struct event *event_new_take(struct envelope *envelope, struct err *err)
{
    _cleanup_envelope_ struct envelope taken = *envelope;
    int kind = taken.type == NULL ? -1 : event_kind(taken.type);

    *envelope = (struct envelope){0};
    if (kind < 0) {
        (void)err_set(err, ERR_REJECT, "unknown type '%.100s'",
                      taken.type == NULL ? "" : taken.type);
        return NULL;
    }
    struct event *event = must_calloc(1, sizeof(*event));
    event->kind = (enum event_kind)kind;
    event->payload = must_calloc(1, event_types[kind].table->size);
    event->envelope = taken;
    taken = (struct envelope){0};
    if (event_decode(event->kind, &event->envelope, event->payload, err)) {
        event_free(event);
        return NULL;
    }
    event->hash = envelope_hash(&event->envelope);
    return event;
}

struct event *event_from_json(const struct buf *json, struct err *err)
{
    struct envelope envelope = {0};

    return envelope_decode(json->data, json->len, &envelope, err) != 0
               ? NULL
               : event_new_take(&envelope, err);
}

void event_free(struct event *event)
{
    if (event == NULL) {
        return;
    }
    table_done(event_types[event->kind].table, event->payload);
    free(event->payload);
    envelope_done(&event->envelope);
    free(event);
}

/* The record's signature headers, in their order. */
static int read_signatures(const struct record *record,
                           struct envelope *envelope, struct err *err)
{
    for (size_t i = 0; i <= ENVELOPE_SIGNERS_MAX; i++) { /* one too many, too */
        const char *key = record_header(record, "errand-key", i);
        const char *sig = record_header(record, "errand-sig", i);
        if (key == NULL && sig == NULL) {
            break;
        }
        struct signature *to = list_grow(&envelope->signatures, sizeof(*to));
        if (key == NULL || sig == NULL || hash_parse(key, &to->key) != 0 ||
            base64_decode_fixed(sig, to->b, sizeof(to->b)) != 0) {
            return err_set(err, ERR_REJECT,
                           "header errand-key or errand-sig: "
                           "missing or malformed");
        }
    }
    return 0;
}

static int check_hints(const struct record *record, const struct head *head,
                       struct err *err)
{
    const char *id = record_header(record, "ce_id", 0);
    const char *time = record_header(record, "ce_time", 0);
    char text[ID_TEXT];
    char moment[TIME_TEXT];

    id_format(&head->id, text);
    time_format(head->issued, moment);
    if (id == NULL || strcmp(id, text) != 0) {
        return err_set(err, ERR_REJECT, "header ce_id: not the signed id");
    }
    if (time == NULL || strcmp(time, moment) != 0) {
        return err_set(err, ERR_REJECT, "header ce_time: not the signed time");
    }
    return 0;
}

struct event *event_from_record(const struct record *record, struct err *err)
{
    const char *type = record_header(record, "ce_type", 0);
    _cleanup_envelope_ struct envelope envelope = {0};

    if (type == NULL) {
        (void)err_set(err, ERR_REJECT, "header ce_type: missing");
        return NULL;
    }
    envelope.type = must_strdup(type);
    if (buf_add(&envelope.payload, record->value.data, record->value.len)) {
        (void)err_set(err, ERR_RETRY, "out of memory");
        return NULL;
    }
    if (read_signatures(record, &envelope, err) != 0) {
        return NULL;
    }
    _cleanup_event_ struct event *event = event_new_take(&envelope, err);
    if (event == NULL || check_hints(record, event->payload, err) != 0) {
        return NULL;
    }
    return take_ptr(event);
}

static void add_signatures(const struct envelope *envelope,
                           struct record *record)
{
    for (size_t i = 0; i < envelope->signatures.n; i++) {
        const struct signature *signature =
            &list_at(&envelope->signatures, struct signature, i);
        char key[HASH_TEXT];
        _cleanup_free_ char *sig =
            base64_encode(signature->b, sizeof(signature->b));
        hash_format(&signature->key, key);
        record_header_add(record, "errand-key", key);
        record_header_add(record, "errand-sig", sig == NULL ? "" : sig);
    }
}

/* What the headers repeat; the rest of a payload, which may be large and was
 * checked when it was signed, is passed over. */
static const struct field hint_fields[] = {
    {"id", FIELD_ID, .at = offsetof(struct head, id)},
    {"issued", FIELD_TIME, .at = offsetof(struct head, issued)},
};

static const struct table hint_table = {.name = "payload",
                                        TABLE(hint_fields),
                                        .size = sizeof(struct head),
                                        .open = true};

int event_to_record(const struct envelope *envelope, const char *source,
                    const char *topic, int64_t partition, const char *key,
                    struct record *ret_record, struct err *err)
{
    struct head head;
    char text[HASH_TEXT];
    char id[ID_TEXT];
    char time[TIME_TEXT];

    if (table_decode(&hint_table, envelope->payload.data, envelope->payload.len,
                     &head, err) != 0) {
        return -1;
    }
    id_format(&head.id, id);
    time_format(head.issued, time);
    if (envelope->signatures.n > 0) {
        hash_format(&list_at(&envelope->signatures, struct signature, 0).key,
                    text);
    }
    struct record record = {.topic = must_strdup(topic),
                            .partition = partition};
    (void)buf_adds(&record.key, key == NULL ? text : key);
    if (buf_add(&record.value, envelope->payload.data, envelope->payload.len)) {
        record_done(&record);
        return err_set(err, ERR_RETRY, "out of memory");
    }
    record_header_add(&record, "ce_specversion", "1.0");
    record_header_add(&record, "ce_id", id);
    record_header_add(&record, "ce_source", source);
    record_header_add(&record, "ce_type", envelope->type);
    record_header_add(&record, "ce_time", time);
    record_header_add(&record, "content-type", "application/json");
    add_signatures(envelope, &record);
    *ret_record = record;
    return 0;
}
