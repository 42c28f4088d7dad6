/*
 * approved.c: whether those who have to have approved a run: which votes count,
 * and how many do. See proof.h.
 *
 * A vote counts as long as who cast it stands by the very key that signed it,
 * and is in the group by its newest group.set (an administrator: in force).
 * Whoever is suspended, removed, has another key or role by now, or is in the
 * group no more has approved nothing that has not begun: a vote is an opinion
 * that has to be held until then, not a right that is given away.
 */
#include <string.h>

#include "trust/proof_private.h"

bool approver_may(const struct standing *standing,
                  const struct approval *approval, const struct person *person)
{
    if (person->standing != STANDS || !person->in_force) {
        return false;
    }
    if (approval->group == NULL) {
        return person->role == ROLE_ADMINISTRATOR;
    }
    const struct group_standing *group =
        standing == NULL ? NULL : standing_group(standing, approval->group);
    return group != NULL && members_hold(&group->members, &person->user);
}

static bool same_targets(const struct list *a, const struct list *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(list_at(a, char *, i), list_at(b, char *, i)) != 0) {
            return false;
        }
    }
    return true;
}

static int check_meant(const struct vote *vote, const struct order *order,
                       struct err *err)
{
    if (!hash_equal(&vote->run, &order->run_hash)) {
        return err_set(err, ERR_REJECT, "the vote is for another run");
    }
    if (!hash_equal(&vote->command, &order->command_hash)) {
        return err_set(err, ERR_REJECT,
                       "the vote is for another version of the command");
    }
    return same_targets(&vote->targets, &order->run->targets)
               ? 0
               : err_set(err, ERR_REJECT, "the vote is for other targets");
}

/* While the run could be approved; clocks differ. */
static int check_time(const struct vote *vote, const struct order *order,
                      struct err *err)
{
    int64_t asked = order->run->request.head.issued;
    int64_t cast = vote->request.head.issued;

    return cast >= asked - CLOCK_SKEW &&
                   cast <= asked + order->command->approve.within * 1000 +
                               CLOCK_SKEW
               ? 0
               : err_set(err, ERR_REJECT,
                         "the vote was not cast while the run waited for it");
}

static int check_voter(const struct proof *proof, const struct signer *voter,
                       const struct order *order, struct err *err)
{
    _cleanup_free_ char *whose = approval_text(&order->command->approve);

    if (voter->kind != SIGNER_SESSION) {
        return err_set(err, ERR_REJECT,
                       "the vote is not signed by a session's key");
    }
    if (!hash_equal(&voter->root, &order->root)) {
        return err_set(err, ERR_REJECT, "the vote is of another installation");
    }
    if (id_equal(&voter->person.user, &order->asker.user)) {
        return err_set(err, ERR_REJECT,
                       "who asks for a run does not approve it");
    }
    return approver_may(proof->standing, &order->command->approve,
                        &voter->person)
               ? 0
               : err_set(err, ERR_REJECT, "%s is not among those who may: %s",
                         voter->person.email, whose == NULL ? "nobody" : whose);
}

int proof_vote(struct proof *proof, const struct event *event,
               const struct order *order, struct signer *ret_voter,
               struct err *err)
{
    const struct vote *vote = event->payload;
    struct signer voter;

    if (event->kind != EVENT_RUN_APPROVE && event->kind != EVENT_RUN_REJECT) {
        return err_set(err, ERR_REJECT, "a %s is no vote",
                       event->envelope.type);
    }
    if (check_meant(vote, order, err) != 0 ||
        check_time(vote, order, err) != 0 ||
        proof_request(proof, event, &voter, err) != 0 ||
        check_voter(proof, &voter, order, err) != 0) {
        return -1;
    }
    *ret_voter = voter;
    return 0;
}

/* Who has voted; nobody counts twice. */
struct tally {
    struct id users[APPROVALS_MAX];
    int64_t n;
    struct err why; /* the last vote didn't count; no text: none */
};

static bool has_voted(const struct tally *tally, const struct id *user)
{
    for (int64_t i = 0; i < tally->n; i++) {
        if (id_equal(&tally->users[i], user)) {
            return true;
        }
    }
    return false;
}

/* What was needed for a vote that doesn't count is not needed: a proof has room
 * for so many envelopes. */
static bool *marks_take(const struct proof *proof)
{
    bool *marks = must_calloc(HASH_COUNT(proof->links), sizeof(*marks));
    size_t i = 0;

    for (struct link *l = proof->links; l != NULL; l = l->hh.next) {
        marks[i++] = l->used;
    }
    return marks;
}

static void marks_restore(struct proof *proof, const bool *marks, size_t n)
{
    size_t i = 0;

    for (struct link *l = proof->links; l != NULL; l = l->hh.next, i++) {
        l->used = i < n && marks[i]; /* what was fetched since comes last */
    }
    proof->state++;
}

static void count_vote(struct proof *proof, struct link *link,
                       const struct order *order, struct tally *tally)
{
    size_t n = HASH_COUNT(proof->links);
    _cleanup_free_ bool *marks = marks_take(proof);
    struct signer voter;

    if (proof_vote(proof, link->event, order, &voter, &tally->why) == 0 &&
        !has_voted(tally, &voter.person.user)) {
        link->used = true;
        tally->users[tally->n++] = voter.person.user;
    } else {
        marks_restore(proof, marks, n);
    }
}

int64_t proof_approvals(struct proof *proof, const struct order *order,
                        struct err *ret_why)
{
    int64_t wanted = order->command->approve.count;
    struct tally tally = {0};

    for (struct link *l = proof->links; l != NULL && tally.n < wanted;
         l = l->hh.next) {
        if (l->event->kind == EVENT_RUN_APPROVE) {
            count_vote(proof, l, order, &tally);
        }
    }
    *ret_why = tally.why;
    return tally.n;
}

int proof_approved(struct proof *proof, const struct order *order,
                   struct err *err)
{
    const struct approval *approval = &order->command->approve;
    struct err why = {0};
    int64_t n = proof_approvals(proof, order, &why);

    if (n >= approval->count) {
        return 0;
    }
    _cleanup_free_ char *whose = approval_text(approval);
    return err_set(err, ERR_REJECT,
                   "command %s has to be approved by %s, and %lld vote%s "
                   "counts%s%s",
                   order->command->name, whose, (long long)n, n == 1 ? "" : "s",
                   why.text[0] == '\0' ? "" : ": ", why.text);
}
