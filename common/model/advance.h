/*
 * advance.h: run.advance: a scheduler asks what follows from how a run is by
 * now (design: "Advancing"). What does, the authorizer decides.
 */
#pragma once

#include "model/request.h"

struct run_advance { /* scheduler */
    struct request request;
    struct id run;
    struct hash progress; /* run_progress() in schema/sql, when it was issued */
};

extern const struct table run_advance_table;

/* The request's id: the same for whoever sees the run as it is now. */
struct id advance_id(const struct id *run, const struct hash *progress);
