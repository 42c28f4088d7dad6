/* policy.c: see policy.h. Numbers: design, "Bounds". */
#include "consumer/authorizer/policy.h"

#include <stdlib.h>

static const char *const key_names[] = {
    [SIGNER_NONE] = "no key",
    [SIGNER_OWN] = "a person's own key",
    [SIGNER_SESSION] = "a session's key",
    [SIGNER_INVITATION] = "an invitation",
    [SIGNER_SERVICE] = "a daemon's key",
};

int policy_check(const struct verb *verb, const struct signer *signer,
                 struct err *err)
{
    const char *name = event_types[verb->kind].verb;

    if ((verb->signers & BY(signer->kind)) == 0) {
        return err_set(err, ERR_REJECT, "%s can't be asked with %s", name,
                       key_names[signer->kind]);
    }
    if (signer->kind == SIGNER_INVITATION) {
        return 0;
    }
    if (signer->kind == SIGNER_SERVICE) {
        return (verb->roles & BY(signer->service)) != 0
                   ? 0
                   : err_set(err, ERR_REJECT, "%s is not for the daemon %s",
                             name,
                             word_text(&service_kind_words, signer->service));
    }
    if ((verb->roles & BY(signer->person.role)) == 0) {
        return err_set(err, ERR_REJECT, "%s is not for the role %s", name,
                       word_text(&role_words, signer->person.role));
    }
    if (verb->standing == IN_FORCE && !signer->person.in_force) {
        return err_set(err, ERR_REJECT,
                       "%s waits to be confirmed by another "
                       "administrator: until then %s can't "
                       "be asked",
                       signer->person.email, name);
    }
    return 0;
}

int lifetime_check(const struct request *request, int64_t now, struct err *err)
{
    const struct head *head = &request->head;

    if (request->expires > head->issued + REQUEST_LIFE) {
        return err_set(err, ERR_REJECT,
                       "the request wants to live for more "
                       "than %d minutes",
                       REQUEST_LIFE / 60000);
    }
    if (head->issued > now + CLOCK_SKEW) {
        return err_set(err, ERR_REJECT,
                       "issued %lld s ahead of the "
                       "authorizer's clock: set your clock",
                       (long long)(head->issued - now) / 1000);
    }
    if (request->expires < now) {
        return err_set(err, ERR_REJECT,
                       "expired %lld s ago by the "
                       "authorizer's clock: ask again (and "
                       "look at your clock)",
                       (long long)(now - request->expires) / 1000);
    }
    return 0;
}

int freshness_check(const struct request *request, int64_t now, struct err *err)
{
    const struct head *head = &request->head;

    if (lifetime_check(request, now, err) != 0) {
        return -1;
    }
    if (id_version(&head->id) != 7 ||
        llabs(id_time(&head->id) - now) > REQUEST_LIFE) {
        return err_set(err, ERR_REJECT,
                       "the request's id is not a UUIDv7 of "
                       "now");
    }
    return 0;
}
