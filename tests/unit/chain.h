/*
 * chain.h: a whole installation's worth of envelopes, made in memory, for tests
 * of what a proof allows. Each step can be changed before it is signed.
 */
#pragma once

#include "model/log_entry.h"
#include "trust/proof.h"

struct chain {
    struct key_pair *root;
    struct key_pair *admin;
    struct key_pair *invitation;
    struct key_pair *runner;
    struct key_pair *session;
    struct key_pair *authorizer;
    struct key_pair *executor;
    struct roots roots;
    struct hash root_hash;
    int64_t now;

    struct root_init init;
    struct service_enrol enrol; /* the authorizer's */
    struct service_enrol host;  /* the executor's */
    struct user_invite invite;
    struct user_verify verify;
    struct session_open open;
    struct command_save save;
    struct assignment_add add;
    struct run_start run;
    struct dispatch dispatch;

    struct hash init_hash, enrol_hash, host_hash, invite_hash, verify_hash,
        open_hash, save_hash, add_hash, run_hash;
    struct list envelopes; /* all but the dispatch */
    struct envelope signed_dispatch;
};

/* Makes keys and payloads; nothing is signed. */
void chain_init(struct chain *chain);

/* Signs from the root down; each `by` and hash follows from what is above. */
void chain_sign(struct chain *chain);

/* Signs the dispatch over what is in `envelopes` now. */
void chain_dispatch(struct chain *chain);

void chain_done(struct chain *chain);

/* An entry of the revocation log, signed by the administrator: the next one,
 * unless its seq is set; the caller's. Nothing is added to the standing. */
struct event *chain_entry(struct chain *chain, struct standing *standing,
                          enum event_kind kind, void *payload);

/* The envelope of a kind in a list; NULL: none. */
struct envelope *chain_find(struct list *envelopes, enum event_kind kind);
