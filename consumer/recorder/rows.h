/*
 * rows.h: what an event means to PostgreSQL (design: "Recording").
 *
 * Pure: in come an event, who signed it, and what is recorded so far; out come
 * a verdict and the parameters of a statement. WRITE: the row is new, and what
 * is known was brought up to date with it; PASS: it says nothing new (sent
 * again, or overtaken); DEAD: it can't be true, and `reason` says why. Whatever
 * the verdict, the partition moves on. Claims are judged by their key alone:
 * the first record with a key always makes a row, if need be a void one.
 */
#pragma once

#include "io/postgres.h"
#include "model/enrolment.h"
#include "model/result.h"
#include "model/run.h"
#include "trust/event.h"

#define NAME_SIZE 64 /* bytes of a name, with its NUL */

enum verdict { VERDICT_DEAD, VERDICT_PASS, VERDICT_WRITE };

/* Who signed an event; kind 0: nobody whom we know. */
struct speaker {
    int kind;            /* enum service_kind */
    struct hash service; /* its service.enrol */
    struct hash key;     /* its key's id */
    char name[NAME_SIZE];
    char target[NAME_SIZE]; /* executors */
    int64_t generation;     /* of that target */
};

enum claim_kind { CLAIM_NONE, CLAIM_EXECUTOR, CLAIM_CLOSING, CLAIM_VOID };
enum said_by { SAID_NONE, SAID_EXECUTOR, SAID_SCHEDULER };

extern const struct words claim_kind_words;
extern const struct words said_by_words;

/* A claim log: all zero is none. Bytes behind the name are zero, too. */
struct place {
    char target[NAME_SIZE];
    int64_t generation;
};

struct place place_of(const char *target, int64_t generation);

struct claim_row {
    struct id execution;
    struct place place;
    int64_t offset;
    int kind;
    struct id incarnation; /* EXECUTOR */
    int closing;           /* CLOSING */
    struct hash service;   /* not where it is void */
    struct hash key;       /* its signer's; no column */
    int64_t appended;
    char reason[sizeof(((struct err *)0)->text)]; /* VOID */
};

/* A chunk that is recorded. */
struct numbered {
    int64_t number;
    struct hash hash;
};

/* What is recorded of an execution. */
struct known {
    struct id execution;
    struct place place; /* where it was dispatched to, or else claimed */
    struct claim_row claim;
    struct hash started; /* the event's; zero: not recorded */
    struct hash finished;
    int outcome;
    int said_by;
    int64_t chunks;      /* of output, as said_by executor told */
    struct list numbers; /* struct numbered: those that were asked about */
};

void known_done(struct known *known);

/* The chunk numbers whose recorded hashes a verdict on this event needs:
 * from ret_first, how many (0: none). */
size_t rows_needs(const struct event *event, int64_t *ret_first);

/* The row of a key's first record. `event` NULL, or a speaker of kind 0: void,
 * with this reason. row's execution, place, offset and appended are set. */
void claim_row_fill(struct claim_row *row, const struct event *event,
                    const struct speaker *speaker, const struct err *reason);

/* started, output and finished. */
enum verdict result_judge(struct known *known, const struct event *event,
                          const struct speaker *speaker, struct err *reason);

/* What is recorded of an executor's hellos; current is all zero: nothing. */
struct heard {
    struct id current; /* the newest incarnation */
    int64_t hello_at;  /* the newest hello, by its own clock */
    bool seen;         /* the incarnation that speaks has spoken before … */
    char seen_as[NAME_SIZE]; /* … under this name */
};

/* A hello that was read before, or of a life that is over, passes: whoever
 * writes it again makes nobody live. */
enum verdict hello_judge(struct heard *heard,
                         const struct executor_hello *hello,
                         const struct speaker *speaker, struct err *reason);

/* Statements and their parameters, which borrow from what they are made of. */
#define ROW_PARAMS 24
struct row {
    const char *statement;
    struct param params[ROW_PARAMS];
    size_t n;
};

void claim_statement(const struct claim_row *claim, struct row *ret_row);

/* The row of a started or finished that was judged WRITE. */
void result_statement(const struct event *event, const struct speaker *speaker,
                      struct row *ret_row);

/* The i-th chunk that an output (i = 0) or a finished brings; false: no more.
 */
bool chunk_statement(const struct event *event, size_t i, struct row *ret_row);

/* The executor's and the incarnation's row; `running` is uuid_array()'s. */
void hello_statements(const struct executor_hello *hello, int64_t heard,
                      const char *running, struct row ret_rows[static 2]);

/* The row of a mail, which a fate moves forward: only `delayed` gives way. */
void fate_statement(const struct event *event, const struct speaker *speaker,
                    struct row *ret_row);

/* ids (struct id) as an array literal, the caller's to free. */
char *uuid_array(const struct list *ids);
