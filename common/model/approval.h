/*
 * approval.h: what a command asks for before it runs (`approve = 2 of
 * ops-leads`), and the votes that give it: run.approve, run.reject.
 *
 * A vote says what it is for by hashes of what was signed: of the run, of the
 * command in the version that it runs, and on which targets. So it is worth
 * nothing for another run, another version or other targets, and whoever checks
 * it needs nobody's word for what it meant.
 */
#pragma once

#include "model/request.h"

#define APPROVALS_MAX 5 /* each brings its voter's chain into the dispatch */
#define APPROVE_WITHIN_DEFAULT 3600     /* s */
#define APPROVE_WITHIN_MAX (7 * 86400L) /* s */
#define COMMENT_MAX 500 /* bytes: it becomes the reason of an outcome */

struct approval {
    int64_t count;  /* of different people; 0: none is wanted */
    char *group;    /* whose members; NULL: administrators in force */
    int64_t within; /* s from when the run was asked for */
};

extern const struct table approval_table;

/* Reads "2 of ops-leads", "any administrator", "2 administrators"; `within`
 * stays as it is, or becomes the default. -1: REJECT. */
int approval_parse(const char *text, struct approval *approval,
                   struct err *err);

/* The same text; the caller's to free. NULL where none is wanted. */
char *approval_text(const struct approval *approval);

/* What its members say beyond their bounds. -1: REJECT. */
int approval_check(const struct approval *approval, struct err *err);

struct vote { /* session key: run.approve, run.reject */
    struct request request;
    struct hash run;     /* run.start's envelope */
    struct hash command; /* command.save's envelope */
    struct list targets; /* char *: the run's, in its order */
    char *comment;       /* may be NULL */
};

extern const struct table vote_table;
