/* cut_proof.c: see cut_proof.h. */
#include "trust/cut_proof.h"

#include "model/rules.h"
#include "trust/proof_private.h"

static int check_policy(struct proof *proof, const struct audit_cut *cut,
                        struct err *err)
{
    struct link *link =
        proof_link_of(proof, &cut->policy, EVENT_POLICY_SET, err);
    struct person person;

    if (link == NULL || proof_by_administrator(proof, link, &person, err)) {
        return -1;
    }
    const struct policy_set *policy = link->event->payload;
    int64_t keep = policy->rules.keep * 1000;
    if (!hash_equal(&person.root, &cut->head.root) ||
        policy->request.head.issued > cut->head.issued) {
        return err_set(err, ERR_REJECT,
                       "its policy is of later, or of another installation");
    }
    return keep > 0 && cut->until + keep <= cut->head.issued
               ? 0
               : err_set(err, ERR_REJECT,
                         "it is of what the policy wants to be kept");
}

static int check_spans(const struct audit_cut *cut, struct err *err)
{
    for (size_t i = 0; i < cut->spans.n; i++) {
        const struct span_row *span = &list_at(&cut->spans, struct span_row, i);
        if (span->first < 1 || span->last < span->first) {
            return err_set(err, ERR_REJECT, "its span %zu is none", i);
        }
    }
    return 0;
}

int cut_check(struct proof *proof, const struct event *event, struct err *err)
{
    const struct audit_cut *cut = event->payload;

    if (event->kind != EVENT_AUDIT_CUT) {
        return err_set(err, ERR_REJECT, "it is another document");
    }
    return proof_said(proof, event, SERVICE_AUTHORIZER, cut->head.issued,
                      err) != 0 ||
                   check_policy(proof, cut, err) != 0
               ? -1
               : check_spans(cut, err);
}
