/*
 * proof.h: the chain of envelopes up to a pinned root, and what it allows
 * (design: "Authority").
 *
 * A proof is a flat set of envelopes, found by hash. Everything here is pure:
 * envelopes and a moment in, a verdict out. The authorizer, the executor and
 * submit ask by this same code; the authorizer gives it a source to fetch from
 * (PostgreSQL), the others only what came along. What was needed on the way is
 * marked, and proof_used() hands it on: that is how a dispatch gets its proof.
 *
 * What always holds: nothing is believed that is not signed by a key which an
 * envelope of this very chain names for that purpose; every payload bears the
 * hash of the same pinned root; a type is matched for each place.
 */
#pragma once

#include "model/approval.h"
#include "model/assignment.h"
#include "model/command.h"
#include "model/enrolment.h"
#include "model/run.h"
#include "model/schedule.h"
#include "model/session.h"
#include "model/user.h"
#include "trust/event.h"
#include "trust/standing.h"
#include "trust/verified.h"

struct proof;

/* Adds to the proof (proof_add) the envelope of that hash and, where it is a
 * user.verify, its user.confirm too, if they exist. -1: could not look. */
typedef int proof_fetch(void *arg, const struct hash *hash, struct proof *proof,
                        struct err *err);

/* fetch may be NULL. `roots` are borrowed for the proof's life. */
struct proof *proof_new(const struct roots *roots, proof_fetch *fetch,
                        void *arg);
void proof_free(struct proof *proof);
static inline void proof_release(struct proof **proof)
{
    proof_free(*proof);
}
#define _cleanup_proof_ _cleanup_(proof_release)

/* What the revocation log says by now, borrowed; NULL (as at first): no log is
 * known, and only what is signed counts. */
void proof_set_standing(struct proof *proof, const struct standing *standing);

/* Where good signatures and decoded envelopes are remembered, borrowed until
 * the proof is freed; NULL (as at first): only within this proof. To be said
 * before any is added. */
void proof_set_verified(struct proof *proof, struct verified *verified);

/* Adds a copy; one that is there already is fine. REJECT: no known payload. */
int proof_add(struct proof *proof, const struct envelope *envelope,
              struct err *err);
int proof_add_all(struct proof *proof, const struct list *envelopes,
                  struct err *err);

/* Appends copies of all that was needed since the last proof_forget_used(). */
void proof_used(const struct proof *proof, struct list *ret_envelopes);
void proof_forget_used(struct proof *proof);

/* A person by their own key: who, and as what. */
struct person {
    struct id user;
    int role;
    bool in_force; /* an administrator counts only once confirmed */
    char email[EMAIL_MAX + 1];
    struct key32 key;
    struct hash by;     /* the envelope that names the key */
    struct hash invite; /* a user.verify's; zero: named otherwise */
    struct hash root;   /* what the chain goes up to */
    int64_t generation;
    enum standing_word standing; /* by this envelope, now */
    bool mfa;                    /* invited to have a second factor */
    bool service;                /* a machine identity */
};

/* by: hash of what names the key: root.init, user.verify, user.role,
 * key.rotate. REJECT says which link is missing. Whether they still stand is
 * told, not judged. */
int proof_person(struct proof *proof, const struct hash *by,
                 struct person *ret_person, struct err *err);

/* The same, and it is an administrator in force. */
int proof_administrator(struct proof *proof, const struct hash *by,
                        struct person *ret_person, struct err *err);

/* Whether the envelope of that hash is signed by an administrator in force, or
 * kept since; and by whom. */
int proof_signed_by_administrator(struct proof *proof, const struct hash *hash,
                                  struct person *ret_person, struct err *err);

struct session {
    struct hash hash; /* of session.open */
    struct person person;
    struct key32 key;
    struct key32 box;
    int64_t issued;
    int64_t until;
};

int proof_session(struct proof *proof, const struct hash *by,
                  struct session *ret_session, struct err *err);

/* A service of that kind whose enrolment is in force at this moment; `target`
 * (may be NULL) must be the one that it is enrolled for. The enrolment belongs
 * to the proof. */
int proof_service(struct proof *proof, const struct hash *by,
                  enum service_kind kind, const char *target, int64_t now,
                  const struct service_enrol **ret_enrolment, struct err *err);

/* An invitation, the first one or another; texts belong to the proof. */
struct invitation {
    struct hash hash;
    struct id user;
    struct key32 key;
    const char *email;
    int role;
    int64_t until;
    int64_t generation; /* of the key that will follow it */
    bool mfa;
    bool service;
    struct hash root;
    struct hash by;            /* what names the inviter's key */
    struct id request;         /* its own id */
    const char *name;          /* as people call them; may be NULL */
    const struct list *sealed; /* struct sealed_seed */
};

int proof_invitation(struct proof *proof, const struct hash *invite,
                     struct invitation *ret_invitation, struct err *err);

/* A user.verify with both its signatures, and the invitation that it follows.
 */
int proof_verification(struct proof *proof, const struct hash *verify,
                       const struct user_verify **ret_verify,
                       struct invitation *ret_invitation, struct err *err);

/* What a service of that kind says on a topic: its enrolment was in force at
 * this moment, and it signed with the key that is enrolled. */
int proof_said(struct proof *proof, const struct event *event,
               enum service_kind kind, int64_t moment, struct err *err);

/* Who signed a request, and with which kind of key. */
enum signer_kind {
    SIGNER_NONE,
    SIGNER_OWN,        /* a person's own key */
    SIGNER_SESSION,    /* a session's */
    SIGNER_INVITATION, /* of user.verify: with the new key beside it */
    SIGNER_SERVICE,    /* a daemon's */
};

struct signer {
    enum signer_kind kind;
    struct person person;   /* OWN, SESSION */
    struct session session; /* SESSION */
    int service;            /* SERVICE: its enum service_kind */
    struct hash root;
};

/* Checks a request's signatures against what its `by` gives its signer, who
 * must still stand, at the moment that it was issued. A session.open is OWN,
 * with the session's key checked beside it. Whether that signer may ask this is
 * not told here. */
int proof_request(struct proof *proof, const struct event *request,
                  struct signer *ret_signer, struct err *err);

/* Whether this request may be the next entry of the revocation log: signed by
 * an administrator in force (key.rotate: by its own person) as the log stands
 * before it. */
int proof_entry(struct proof *proof, const struct event *entry,
                struct err *err);

/* A run that is allowed on a target: what to execute. The payloads belong to
 * the proof. */
struct order {
    struct person asker; /* of a schedule: who signed that */
    struct hash root;
    struct hash run_hash;
    struct hash signer; /* the id of the key that signed the run */
    struct hash command_hash;
    const struct run_start *run;
    const struct command_save *command;
    const struct schedule_set *schedule; /* NULL: a person asked */
    bool pinned; /* an administrator signed it for this version alone */
};

/* The latest deadline that a run of this command may be signed with: waits and
 * time-outs of as many waves and attempts as the command allows, behind the
 * time that it has to be approved. */
int64_t run_latest(const struct run_start *run,
                   const struct command_save *command);

/*
 * Everything that a run.start must have behind it before anybody approves it:
 * its session, its person's right (an assignment.add in the proof, or an
 * administrator in force), a command saved by an administrator in force, good
 * arguments, and a target that both name. Behind a run.tick, in the place of
 * session and right: a scheduler that is enrolled, and a schedule.set of an
 * administrator in force for this very version of the command, which asks for
 * just this. (Whether the zone's clock makes it due is for who has tzdata.)
 */
int proof_asked(struct proof *proof, const struct hash *run,
                const struct hash *command, const char *target,
                struct order *ret_order, struct err *err);

/* Whether this person is one of those whose approval is wanted, as the log says
 * now. Who asked for the run never counts besides. */
bool approver_may(const struct standing *standing,
                  const struct approval *approval, const struct person *person);

/* A vote (run.approve, run.reject) for this very order, by somebody who may
 * cast it. */
int proof_vote(struct proof *proof, const struct event *vote,
               const struct order *order, struct signer *ret_voter,
               struct err *err);

/* How many people's votes in the proof approve it, up to as many as are wanted;
 * ret_why: why the last one that doesn't count does not, or nothing. */
int64_t proof_approvals(struct proof *proof, const struct order *order,
                        struct err *ret_why);

/* The same as proof_asked(), and approved by as many as the command wants, with
 * votes that are in the proof. */
int proof_run(struct proof *proof, const struct hash *run,
              const struct hash *command, const char *target,
              struct order *ret_order, struct err *err);

/*
 * The same for a dispatch, its own claims beside it: signed by an authorizer
 * whose enrolment is in force now, the execution id derived, before its expiry,
 * and that not after the run's deadline; its target is not drained. The
 * dispatch's proof is added first.
 */
int proof_dispatch(struct proof *proof, const struct event *dispatch,
                   const char *target, int64_t now, struct order *ret_order,
                   struct err *err);
