/* news.c: see news.h. */
#include "consumer/notifier/news.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "model/change.h"
#include "model/key_words.h"
#include "trust/proof.h"
#include "trust/sealed.h"

void news_done(struct news *news)
{
    free(news->name);
    free(news->words);
    sodium_memzero(news, sizeof(*news));
}

/* The seed, if one of the boxes is for this notifier. */
static void open_seed(const struct reader *reader,
                      const struct invitation *invite,
                      const struct person *inviter, struct news *news)
{
    struct hash own = key_id(&reader->keys->box);
    struct sealed pattern = {.root = inviter->root,
                             .purpose = (char *)"invitation",
                             .signer = key_id(&inviter->key),
                             .request = invite->request,
                             .name = (char *)invite->email};
    _cleanup_sealed_ struct buf seed = {0};

    (void)err_set(&news->closed, ERR_REJECT,
                  "the invitation was sealed to other notifiers");
    for (size_t i = 0; i < invite->sealed->n && !news->open; i++) {
        const struct sealed_seed *sealed =
            &list_at(invite->sealed, struct sealed_seed, i);
        if (hash_equal(&sealed->to, &own) &&
            sealed_open(reader->keys, &sealed->box, &pattern, &seed,
                        &news->closed) == 0) {
            news->open = seed.len == INVITATION_SEED;
        }
    }
    if (news->open) {
        memcpy(news->seed, seed.data, INVITATION_SEED);
    }
}

/* The key that is made from the seed is the one that was invited by. */
static void check_seed(const struct invitation *invite, struct news *news)
{
    _cleanup_key_pair_ struct key_pair *pair =
        key_pair_from_invitation(news->seed);

    if (news->open && memcmp(pair->key.b, invite->key.b, 32) != 0) {
        news->open = false;
        (void)err_set(&news->closed, ERR_REJECT,
                      "the seed that was sealed is not the invitation's");
    }
}

static void take_invite(const struct invitation *invite,
                        const struct person *inviter, struct news *news)
{
    news->root = inviter->root;
    news->user = invite->user;
    news->role = invite->role;
    news->again = invite->generation > 1;
    news->until = invite->until;
    news->name = invite->name == NULL ? NULL : must_strdup(invite->name);
    news->by_mail = invite->sealed->n > 0;
    (void)snprintf(news->email, sizeof(news->email), "%s", invite->email);
    (void)snprintf(news->inviter, sizeof(news->inviter), "%s", inviter->email);
}

/* What the gates of submit and authorizer let through, once more: what follows
 * is written into mails. */
static int check_texts(const struct news *news, struct err *err)
{
    _cleanup_free_ char *email = email_normal(news->email, err);
    _cleanup_free_ char *inviter =
        email == NULL ? NULL : email_normal(news->inviter, err);

    return inviter == NULL || (news->name != NULL &&
                               display_name_check(news->name, err) != 0)
               ? -1
               : 0;
}

bool news_invites(enum event_kind kind)
{
    return kind == EVENT_USER_INVITED || kind == EVENT_USER_REINVITED;
}

static int read_invite(const struct reader *reader, struct proof *proof,
                       const struct hash *hash, struct news *news,
                       struct err *err)
{
    struct invitation invite;
    struct person inviter;

    if (proof_invitation(proof, hash, &invite, err) != 0 ||
        proof_administrator(proof, &invite.by, &inviter, err) != 0) {
        return -1;
    }
    take_invite(&invite, &inviter, news);
    if (news_invites(news->kind) && news->by_mail) {
        open_seed(reader, &invite, &inviter, news);
        check_seed(&invite, news);
    }
    return check_texts(news, err);
}

/* user.invited, user.reinvited, and invitation.reused */
static int read_invited(const struct reader *reader, struct proof *proof,
                        const struct change *change, struct news *news,
                        struct err *err)
{
    news->about = change->invite;
    return read_invite(reader, proof, &change->invite, news, err);
}

static int read_verified(const struct reader *reader, struct proof *proof,
                         const struct change *change, struct news *news,
                         struct err *err)
{
    const struct user_verify *verify = NULL;
    struct invitation invite;

    if (proof_verification(proof, &change->subject, &verify, &invite, err) !=
            0 ||
        read_invite(reader, proof, &verify->invite, news, err) != 0) {
        return -1;
    }
    news->about = change->subject;
    news->words =
        invite.role == ROLE_ADMINISTRATOR ? key_words(&verify->key) : NULL;
    return 0;
}

typedef int read_kind(const struct reader *reader, struct proof *proof,
                      const struct change *change, struct news *news,
                      struct err *err);

static const struct readable {
    enum event_kind kind;
    read_kind *read;
} readable[] = {
    {EVENT_USER_INVITED, read_invited},
    {EVENT_USER_REINVITED, read_invited},
    {EVENT_USER_VERIFIED, read_verified},
    {EVENT_INVITATION_REUSED, read_invited},
};

static const struct readable *find(enum event_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
        if (readable[i].kind == kind) {
            return &readable[i];
        }
    }
    return NULL;
}

bool news_can(enum event_kind kind)
{
    return find(kind) != NULL;
}

int news_read(const struct reader *reader, const struct event *event,
              int64_t moment, struct news *ret_news, struct err *err)
{
    const struct readable *row = find(event->kind);
    const struct change *change = event->payload;
    _cleanup_proof_ struct proof *proof = proof_new(reader->roots, NULL, NULL);
    _cleanup_news_ struct news news = {.kind = event->kind,
                                       .issued = change->head.issued};

    if (row == NULL) {
        return err_set(err, ERR_REJECT, "no mail is made of a %s",
                       event->envelope.type);
    }
    if (proof_add_all(proof, &change->envelopes, err) != 0 ||
        proof_said(proof, event, SERVICE_AUTHORIZER, moment, err) != 0 ||
        row->read(reader, proof, change, &news, err) != 0) {
        return -1;
    }
    if (!hash_equal(&news.root, &change->head.root) ||
        !id_equal(&news.user, &change->user)) {
        return err_set(err, ERR_REJECT,
                       "the event is about another user than its envelopes");
    }
    *ret_news = news;
    news = (struct news){0};
    return 0;
}
