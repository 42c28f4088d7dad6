/*
 * assignment.h: the right of one user to run one command: assignment.add.
 */
#pragma once

#include "model/request.h"

struct assignment_add { /* administrator's own key */
    struct request request;
    struct id user;
    struct id command;
    int64_t until; /* 0: no end */
    int64_t pin;   /* the only version that it is for; 0: the newest */
    int64_t seq;   /* of the revocation log when it was signed: what was removed
                      after that, it doesn't bring back */
};

/* All that this person, or this command, is in. Both optional. */
struct assignment_list {
    struct request request;
    char *command;
    char *email;
};

extern const struct table assignment_add_table;
extern const struct table assignment_list_table;
