/*
 * result.h: what executors tell: started, output, finished, and hello.
 *
 * One execution's results are numbered from 0 and chained: `previous` is the
 * hash of the envelope before, all zero in number 0. `claim` is the offset of
 * the winning claim in the target's claim log. Consumers pass over fields that
 * they don't know.
 */
#pragma once

#include "model/request.h"

#define CHUNK_MAX 65536 /* bytes of output in one event */

enum stream { STREAM_NONE, STREAM_STDOUT, STREAM_STDERR };

enum outcome {
    OUTCOME_NONE,
    OUTCOME_SUCCEEDED,
    OUTCOME_FAILED,
    OUTCOME_TIMED_OUT,
    OUTCOME_CANCELLED,
    OUTCOME_EXPIRED,
    OUTCOME_INTERRUPTED,
    OUTCOME_LOST,
};

extern const struct words stream_words;
extern const struct words outcome_words;

/* What each of an execution's results opens with. */
struct result {
    struct head head;
    struct id execution;
    struct id incarnation; /* all zero where the scheduler speaks */
    int64_t number;
    struct hash previous;
};

struct execution_started {
    struct result result;
    int64_t claim;
};

struct chunk {
    int stream;
    struct buf data; /* at most CHUNK_MAX */
};

struct execution_output {
    struct result result;
    struct chunk chunk;
};

/* What an execution took: its processes, as far as they were waited for. */
struct usage {
    int64_t wall; /* ms, */
    int64_t user;
    int64_t sys;
    int64_t memory; /* bytes, of the largest process; */
    int64_t read;   /* from and to disks */
    int64_t written;
};

struct execution_finished {
    struct result result;
    int64_t claim; /* 0 where there was none */
    int outcome;
    bool started;       /* START was reached: the child may have run */
    int64_t exit;       /* as in the shell: 124, 126, 127, 128 + n */
    int64_t signal;     /* 0: none */
    bool core;          /* it would have dumped one: none is written */
    struct usage usage; /* all zero: not known */
    int64_t chunks;     /* of output, in all */
    int64_t dropped;    /* bytes of output that were not kept */
    char *reason;       /* in words; NULL where the exit status says all */
    struct list output; /* struct chunk: told here instead of before */
};

struct executor_hello {
    struct head head;
    char *name;
    char *target;
    struct id incarnation;
    int64_t slots;
    char *version;
    struct list running; /* struct id: executions that it holds */
};

extern const struct table chunk_table;
extern const struct table usage_table;
extern const struct table execution_started_table;
extern const struct table execution_output_table;
extern const struct table execution_finished_table;
extern const struct table executor_hello_table;
