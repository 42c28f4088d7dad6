/*
 * session.h: sessions, and their payloads session.open and session.close.
 *
 * A session key acts for a person for at most eight hours, and only for what
 * does not outlive the session: runs, its own end, and reads.
 */
#pragma once

#include "model/mfa.h"

#define SESSION_LIFE (8LL * 3600 * 1000)

struct session_open { /* user's own key and the session key, in this order */
    struct request request;
    struct key32 key;
    struct key32 box;
    int64_t until;
    struct list code; /* struct sealed_to: of the second factor; where one is
                         on */
};

struct session_close { /* session key */
    struct request request;
    struct hash session; /* hash of session.open */
};

extern const struct table session_open_table;
extern const struct table session_close_table;
