/* sealing.c: see sealing.h. */
#include "producer/submit/sealing.h"

#include <string.h>

#include "base/clock.h"
#include "model/enrolment.h"
#include "producer/submit/asking.h"
#include "producer/submit/heard.h"
#include "trust/sealed.h"

#define REQUEST_MAX (64 * 1024)
#define REQUEST_REST 1024 /* what is filled in when it is signed */

/* Who can open it */

static bool knows(const struct list *recipients, const struct key32 *box)
{
    for (size_t i = 0; i < recipients->n; i++) {
        const struct key32 *one = &list_at(recipients, struct recipient, i).box;
        if (memcmp(one->b, box->b, sizeof(box->b)) == 0) {
            return true;
        }
    }
    return false;
}

/* What can't be believed is passed over: the box would be for somebody else. */
static void take(struct proof *proof, const struct hash *hash,
                 const struct list *targets, struct list *recipients,
                 struct list *served)
{
    const struct service_enrol *enrol = NULL;
    struct err why = {0};

    if (proof_service(proof, hash, SERVICE_EXECUTOR, NULL, clock_now(), &enrol,
                      &why) != 0) {
        say("submit: passed over: what was told of an executor can't be "
            "trusted: %s",
            why.text);
        return;
    }
    if (enrol->target == NULL || !texts_hold(targets, enrol->target)) {
        return;
    }
    if (!knows(recipients, &enrol->box)) {
        struct recipient *to = list_grow(recipients, sizeof(*to));
        to->box = enrol->box;
    }
    texts_add(served, enrol->target);
}

static int take_all(struct submit *submit, const struct command_answer *answer,
                    const struct list *targets, struct list *recipients,
                    struct err *err)
{
    _cleanup_proof_ struct proof *proof =
        proof_new(&submit->profile->roots, NULL, NULL);
    struct list served = {0}; /* char * */
    int done = 0;

    if (heard_current(submit, err) != 0 ||
        proof_add_all(proof, &answer->envelopes, err) != 0) {
        return -1;
    }
    proof_set_standing(proof, heard_standing(submit));
    for (size_t i = 0; i < answer->executors.n; i++) {
        take(proof, &list_at(&answer->executors, struct hash, i), targets,
             recipients, &served);
    }
    for (size_t i = 0; done == 0 && i < targets->n; i++) {
        const char *target = list_at(targets, char *, i);
        if (!texts_hold(&served, target)) {
            done = err_exit(err, EXIT_DATA,
                            "no executor of %s is known that could open the "
                            "secrets: ask an administrator",
                            target);
        }
    }
    texts_done(&served);
    return done;
}

int recipients_find(struct submit *submit, const char *command,
                    const struct list *targets, struct list *ret_recipients,
                    struct err *err)
{
    struct command_named named = {.name = (char *)command, .targets = *targets};
    struct command_answer answer = {0};
    struct list recipients = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_COMMAND_SHOW,
                                      .payload = &named,
                                      .answer = &command_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = take_all(submit, &answer, targets, &recipients, err);
    table_done(&command_answer_table, &answer);
    if (done != 0) {
        free(recipients.items);
        return -1;
    }
    *ret_recipients = recipients;
    return 0;
}

/* Sealing */

static int seal_one(const struct submit *submit,
                    const struct secret_value *secret, const struct key32 *to,
                    struct run_start *run, struct err *err)
{
    struct sealed content = {
        .root = submit->profile->root,
        .purpose = (char *)SECRET_PURPOSE,
        .signer = key_id(&submit->session->keys->key),
        .request = run->request.head.id,
        .name = secret->name,
        .value = {.data = (unsigned char *)secret->text,
                  .len = strlen(secret->text)},
    };
    struct secret_box *box = list_grow(&run->boxes, sizeof(*box));

    box->name = must_strdup(secret->name);
    box->to = key_id(to);
    return sealed_make(&content, to, &box->box, err);
}

static int check_size(const struct run_start *run, size_t secrets,
                      size_t recipients, struct err *err)
{
    _cleanup_buf_ struct buf json = {0};
    bool fits = run->boxes.n <= SECRET_BOXES_MAX;

    if (fits && table_encode(&run_start_table, run, &json, err) != 0) {
        return -1;
    }
    return fits && json.len + REQUEST_REST <= REQUEST_MAX
               ? 0
               : err_exit(err, EXIT_DATA,
                          "%zu secret%s for %zu executor%s, with all else, "
                          "are more than the 64 KiB of one request: name fewer "
                          "targets at once (-t), or shorten them",
                          secrets, secrets == 1 ? "" : "s", recipients,
                          recipients == 1 ? "" : "s");
}

int secrets_seal(const struct submit *submit, const struct list *secrets,
                 const struct list *recipients, struct run_start *run,
                 struct err *err)
{
    for (size_t i = 0; i < secrets->n; i++) {
        for (size_t j = 0; j < recipients->n; j++) {
            if (seal_one(submit, &list_at(secrets, struct secret_value, i),
                         &list_at(recipients, struct recipient, j).box, run,
                         err) != 0) {
                return -1;
            }
        }
    }
    return check_size(run, secrets->n, recipients->n, err);
}
