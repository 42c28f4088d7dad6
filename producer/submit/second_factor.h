/*
 * second_factor.h: codes on their way to the authorizers, and setting up a
 * second factor at a terminal.
 *
 * Secrets and codes are sealed for every authorizer that may decide. Their box
 * keys come from enrolments that are checked here up to the pinned root, never
 * from what an authorizer tells.
 */
#pragma once

#include "producer/submit/asking.h"
#include "trust/sealed.h"

/* Who decides, and what session.show said to the own key. */
struct deciders {
    struct list boxes; /* struct key32 */
    struct session_answer answer;
};

/* Asks session.show with the own key, which needs no session. */
int deciders_learn(struct submit *submit, struct deciders *ret_deciders,
                   struct err *err);
void deciders_done(struct deciders *deciders);

/* Seals this content to each of them; appends struct sealed_to. Root and name
 * are filled in. */
int deciders_seal(const struct deciders *deciders,
                  const struct profile *profile, const struct sealed *content,
                  struct list *ret_boxes, struct err *err);

/* Asks for a code, or reads it (a private file; "-": stdin): six digits or a
 * recovery code. What is neither is told before it is sent anywhere. */
char *code_ask(const char *question, const char *file, struct err *err);

/* The whole way: secret, QR code, first code, mfa.set, recovery codes. Where
 * one is on, a code of it is asked for first. `session` (may be NULL) is the
 * key of the session that will be opened without another code. */
int second_factor_set_up(struct submit *submit, const struct key32 *session,
                         struct err *err);

/* Takes somebody's away, for an administrator. */
int second_factor_reset(struct submit *submit, const char *email,
                        struct err *err);
