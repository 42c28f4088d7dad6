/* ending.c: see ending.h. */
#include "consumer/notifier/ending.h"

#include "trust/proof.h"

void ending_done(struct ending *ending)
{
    table_done(&command_save_table, &ending->saved);
    ending->end = NULL;
}

/* The command.save among the envelopes; that it is there was proved. */
static int read_saved(const struct run_end *end, struct command_save *ret_saved,
                      struct err *err)
{
    for (size_t i = 0; i < end->envelopes.n; i++) {
        const struct envelope *envelope =
            &list_at(&end->envelopes, struct envelope, i);
        struct hash hash = envelope_hash(envelope);
        if (hash_equal(&hash, &end->command)) {
            return event_decode(EVENT_COMMAND_SAVE, envelope, ret_saved, err);
        }
    }
    return err_set(err, ERR_REJECT, "the command's envelope is missing");
}

/* What the gates of submit and authorizer let through, once more: what follows
 * is written into mails. */
static int check_texts(const struct ending *ending, struct err *err)
{
    _cleanup_free_ char *asker = ending->end->asker == NULL
                                     ? NULL
                                     : account_normal(ending->end->asker, err);

    return (asker == NULL && ending->end->asker != NULL) ||
                   notify_check(&ending->saved.notify, err) != 0
               ? -1
               : 0;
}

int ending_read(const struct roots *roots, const struct event *event,
                int64_t moment, struct ending *ret_ending, struct err *err)
{
    const struct run_end *end = event->payload;
    _cleanup_proof_ struct proof *proof = proof_new(roots, NULL, NULL);
    _cleanup_ending_ struct ending ending = {.end = end};
    struct person author;

    if (proof_add_all(proof, &end->envelopes, err) != 0 ||
        proof_said(proof, event, SERVICE_AUTHORIZER, moment, err) != 0 ||
        proof_signed_by_administrator(proof, &end->command, &author, err) !=
            0 ||
        read_saved(end, &ending.saved, err) != 0 ||
        check_texts(&ending, err) != 0) {
        return -1;
    }
    if (!hash_equal(&author.root, &end->head.root)) {
        return err_set(err, ERR_REJECT,
                       "the authorizer and the command are of two "
                       "installations");
    }
    *ret_ending = ending;
    ending = (struct ending){.end = NULL};
    return 0;
}
