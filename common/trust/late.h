/*
 * late.h: who signed a request that was decided, also where the answer was that
 * their time is over.
 *
 * proof_request() (proof.h) knows the signers whose word counts. These here
 * know those, too, whose session or invitation had ended, for who has to tell
 * them so; and all of them, for who checks the audit log afterwards. Nothing
 * that is found here alone allows anything.
 */
#pragma once

#include "trust/proof.h"

/* A session or an invitation whose key is good, though not for a request of
 * this time; and when it ended. */
bool proof_late(struct proof *proof, const struct event *request,
                struct signer *ret_signer, int64_t *ret_until);

/* invitation.show, which names its signer by the invitation key's id alone;
 * `invite`: hash of the user.invite with that key. */
int proof_invitee(struct proof *proof, const struct event *request,
                  const struct hash *invite, struct signer *ret_signer,
                  struct err *err);

/* Any of them. REJECT: signed by nobody whose chain goes up to the root. */
int proof_asker(struct proof *proof, const struct event *request,
                const struct hash *invite, struct signer *ret_signer,
                struct err *err);
