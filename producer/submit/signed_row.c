/* signed_row.c: see signed_row.h. */
#include "producer/submit/signed_row.h"

#include <string.h>

#include "trust/late.h"

/* The row says of its request what the request says itself. */
static const char *check_told(const struct audit_row *row,
                              const struct event *request)
{
    const struct head *head = request->payload;
    const struct signature *signature =
        &list_at(&request->envelope.signatures, struct signature, 0);
    const char *verb = event_types[request->kind].verb;

    return !hash_equal(&request->hash, &row->request) ||
                   (int64_t)request->envelope.payload.len != row->size
               ? "its request is not the one that was decided"
           : verb == NULL || strcmp(verb, row->verb) != 0
               ? "its request is another verb"
           : !id_equal(&head->id, &row->id) || head->issued != row->issued
               ? "its request has another id or time"
           : !hash_equal(&signature->key, &row->key)
               ? "its request names another key"
               : NULL;
}

int signed_row_check(const struct audit_row *row, struct proof *proof,
                     struct err *err)
{
    struct envelope envelope = {0};
    struct signer signer = {0};

    if (envelope_decode(row->envelope.data, row->envelope.len, &envelope,
                        err) != 0) {
        return err_set(err, ERR_REJECT, "its request can't be read");
    }
    _cleanup_event_ struct event *request = event_new_take(&envelope, err);
    if (request == NULL) {
        return err_set(err, ERR_REJECT, "its request is none");
    }
    const char *other = check_told(row, request);
    if (other != NULL) {
        return err_set(err, ERR_REJECT, "%s", other);
    }
    if (proof_asker(proof, request, &row->invite, &signer, err) != 0) {
        return -1;
    }
    return id_is_zero(&row->user) || id_equal(&row->user, &signer.person.user)
               ? 0
               : err_set(err, ERR_REJECT, "somebody else signed its request");
}
