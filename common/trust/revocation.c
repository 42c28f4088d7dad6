/* revocation.c: see revocation.h. */
#include "trust/revocation.h"

#include <string.h>

#include "model/log_entry.h"

#define TOPIC "errand.revocations"
#define PROOF_HEADER "errand-proof"

struct line {
    struct envelope entry;
    struct list proof;
};

static const struct field line_fields[] = {
    {"entry", FIELD_TABLE, .table = &envelope_table,
     .at = offsetof(struct line, entry)},
    {"proof", FIELD_LIST, .item = &envelope_item, .max = PROOF_MAX,
     .at = offsetof(struct line, proof)},
};

static const struct table line_table = {
    .name = "entry", TABLE(line_fields), .size = sizeof(struct line)};

int revocation_beginning(const struct list *envelopes, struct hash *ret_init,
                         struct err *err)
{
    for (size_t i = 0; i < envelopes->n; i++) {
        const struct envelope *envelope =
            &list_at(envelopes, struct envelope, i);
        if (strcmp(envelope->type, event_types[EVENT_ROOT_INIT].type) == 0) {
            *ret_init = envelope_hash(envelope);
            return 0;
        }
    }
    return err_set(err, ERR_REJECT, "there is no root.init in the chain");
}

void revocation_done(struct revocation *entry)
{
    event_free(entry->event);
    envelopes_done(&entry->proof);
    *entry = (struct revocation){0};
}

int revocation_to_record(const struct envelope *envelope,
                         const struct list *proof, struct record *ret_record,
                         struct err *err)
{
    struct envelopes all = {*proof};
    _cleanup_buf_ struct buf json = {0};

    if (table_encode(&envelopes_table, &all, &json, err) != 0 ||
        event_to_record(envelope, "revocations", TOPIC, 0, NULL, ret_record,
                        err) != 0) {
        return -1;
    }
    record_header_add(ret_record, PROOF_HEADER, buf_text(&json));
    return 0;
}

int revocation_from_record(const struct record *record,
                           struct revocation *ret_entry, struct err *err)
{
    const char *json = record_header(record, PROOF_HEADER, 0);
    struct envelopes proof = {0};

    if (json == NULL) {
        return err_set(err, ERR_REJECT, "header %s: missing", PROOF_HEADER);
    }
    if (table_decode(&envelopes_table, json, strlen(json), &proof, err) != 0) {
        return err_wrap(err, "header %s", PROOF_HEADER);
    }
    struct revocation entry = {.event = event_from_record(record, err),
                               .proof = proof.list};
    if (entry.event == NULL) {
        revocation_done(&entry);
        return -1;
    }
    *ret_entry = entry;
    return 0;
}

int revocation_encode(const struct envelope *envelope, const struct list *proof,
                      struct buf *out, struct err *err)
{
    struct line line = {.entry = *envelope, .proof = *proof}; /* lent */

    return table_encode(&line_table, &line, out, err);
}

int revocation_decode(const void *json, size_t n, struct revocation *ret_entry,
                      struct err *err)
{
    struct line line;

    if (table_decode(&line_table, json, n, &line, err) != 0) {
        return -1;
    }
    struct revocation entry = {.event = event_new_take(&line.entry, err),
                               .proof = line.proof};
    if (entry.event == NULL) {
        revocation_done(&entry);
        return -1;
    }
    *ret_entry = entry;
    return 0;
}

int revocation_admit(struct standing *standing, const struct roots *roots,
                     const struct revocation *entry, struct err *err)
{
    const struct log_entry *place;
    _cleanup_proof_ struct proof *proof = proof_new(roots, NULL, NULL);

    if (!standing_is_entry(entry->event->kind)) {
        return err_set(err, ERR_REJECT,
                       "a %s is no entry of the revocation log",
                       entry->event->envelope.type);
    }
    place = entry->event->payload;
    if (roots_find(roots, &place->request.head.root) == NULL) {
        return err_set(err, ERR_REJECT, "%s is of another installation",
                       entry->event->envelope.type);
    }
    if (place->seq != standing_seq(standing) + 1) { /* there, or too early */
        return standing_add(standing, entry->event, err);
    }
    proof_set_standing(proof, standing);
    if (proof_add_all(proof, &entry->proof, err) != 0 ||
        proof_entry(proof, entry->event, err) != 0) {
        return err_wrap(err, "entry %lld of the revocation log",
                        (long long)place->seq);
    }
    return standing_add(standing, entry->event, err);
}
