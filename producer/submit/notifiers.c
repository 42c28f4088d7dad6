/* notifiers.c: see notifiers.h. */
#include "producer/submit/notifiers.h"

#include <string.h>

#include "base/clock.h"
#include "model/invitation.h"
#include "producer/submit/enrolled.h"
#include "producer/submit/heard.h"
#include "trust/sealed.h"

void notifiers_done(struct list *notifiers)
{
    for (size_t i = 0; i < notifiers->n; i++) {
        free(list_at(notifiers, struct notifier, i).name);
    }
    free(notifiers->items);
    *notifiers = (struct list){0};
}

static int take_notifier(struct proof *proof, const struct service_row *row,
                         struct list *notifiers, struct err *err)
{
    const struct service_enrol *enrol = NULL;

    if (proof_service(proof, &row->hash, SERVICE_NOTIFIER, NULL, clock_now(),
                      &enrol, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "what was told of notifier %.63s can't be trusted",
                        row->name);
    }
    struct notifier *notifier = list_grow(notifiers, sizeof(*notifier));
    *notifier =
        (struct notifier){.name = must_strdup(enrol->name), .box = enrol->box};
    return 0;
}

static int take_all(const struct submit *submit,
                    const struct services_answer *answer,
                    struct list *notifiers, struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);

    if (proof_add_all(proof, &answer->envelopes, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < answer->services.n; i++) {
        const struct service_row *row =
            &list_at(&answer->services, struct service_row, i);
        if (row->state == SERVICE_IN_FORCE &&
            !heard_revoked(submit, &row->hash) &&
            take_notifier(proof, row, notifiers, err) != 0) {
            return -1;
        }
    }
    return notifiers->n <= NOTIFIERS_MAX
               ? 0
               : err_exit(err, EXIT_DATA, "over %d notifiers are enrolled",
                          NOTIFIERS_MAX);
}

int notifiers_find(struct submit *submit, struct list *ret_notifiers,
                   struct err *err)
{
    struct services_answer answer = {0};
    struct list notifiers = {0};

    if (services_ask(submit, SERVICE_NOTIFIER, &answer, err) != 0) {
        return -1;
    }
    int done = take_all(submit, &answer, &notifiers, err);
    table_done(&services_answer_table, &answer);
    if (done != 0) {
        notifiers_done(&notifiers);
        return -1;
    }
    *ret_notifiers = notifiers;
    return 0;
}

void sealed_seeds_done(struct list *sealed)
{
    for (size_t i = 0; i < sealed->n; i++) {
        buf_done(&list_at(sealed, struct sealed_seed, i).box);
    }
    free(sealed->items);
    *sealed = (struct list){0};
}

int notifiers_seal(const struct submit *submit, const struct list *notifiers,
                   const unsigned char *seed, const char *email,
                   const struct id *request, struct list *ret_sealed,
                   struct err *err)
{
    struct sealed content = {
        .root = submit->profile->root,
        .purpose = (char *)"invitation",
        .signer = key_id(&submit->profile->key),
        .request = *request,
        .name = (char *)email,
        .value = {.data = (unsigned char *)seed, .len = INVITATION_SEED},
    };

    for (size_t i = 0; i < notifiers->n; i++) {
        const struct key32 *to = &list_at(notifiers, struct notifier, i).box;
        struct sealed_seed *sealed = list_grow(ret_sealed, sizeof(*sealed));
        sealed->to = key_id(to);
        if (sealed_make(&content, to, &sealed->box, err) != 0) {
            return -1;
        }
    }
    return 0;
}
