/*
 * read.h: requests that only ask: their payloads beyond plain_request.
 */
#pragma once

#include "model/request.h"

struct run_named { /* run.show */
    struct request request;
    char *run; /* an id, or a unique ending of one of at least 4 digits */
};

struct run_output {
    struct request request;
    char *run;
    struct id execution; /* zero: all of them, one after the other */
    int64_t after;       /* the last number that the asker has; 0: none */
};

/* Runs that the asker may see, the newest first. Absent filters pass. */
struct run_history {
    struct request request;
    struct id before; /* runs older than this one; zero: the newest */
    int64_t limit;    /* 1 to 100 */
    bool count;       /* they are counted, thousands at a time, and not told */
    char *command;
    char *email; /* of who asked for it */
    char *target;
    int outcome;           /* enum outcome; 0: any, or none yet */
    int state;             /* enum run_state; 0: any, or ended */
    int64_t since, until;  /* asked then or later, and before then */
    struct list arguments; /* struct pair: as they were given */
};

struct user_named { /* user.show, user.signed */
    struct request request;
    char *email;
};

struct service_list {
    struct request request;
    int kind; /* enum service_kind; 0: all */
};

extern const struct table run_named_table;
extern const struct table run_output_table;
extern const struct table run_history_table;
extern const struct table user_named_table;
extern const struct table service_list_table;
