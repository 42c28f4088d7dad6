/*
 * session_file.h: the session on this machine: its key pair and the
 * session.open that gives it its right, in one private file each.
 */
#pragma once

#include "producer/submit/asking.h"

/* 0: ret_session is the caller's, session_free(); 1: there is none that is in
 * force for this profile's person. */
int session_load(const struct profile *profile,
                 struct session_key **ret_session, struct err *err);

/* Writes it; takes nothing. */
int session_store(const struct profile *profile,
                  const struct session_key *session, struct err *err);

/* Removes what is stored. */
void session_forget(const struct profile *profile);

void session_free(struct session_key *session);
