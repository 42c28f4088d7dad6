/*
 * views.h: which commands and runs the asker sees, and how a run looks in an
 * answer.
 *
 * An administrator in force sees every run; anybody else those of the commands
 * that are assigned to them now, whoever asked for them.
 */
#pragma once

#include "consumer/authorizer/decision.h"

/* Who looks, as far as what they see depends on it. */
struct seer {
    struct id user;
    int64_t now;
    bool all; /* an administrator in force */
};

struct seer asking_seer(const struct asking *asking);

/* Rows of the commands that they may run: of that name and version; all zero:
 * all of them, each in the version that counts for them. In commands.c. */
int commands_visible(struct postgres *postgres, const struct seer *seer,
                     const struct command_named *named, struct rows **ret_rows,
                     struct err *err);

/* A condition on a row `r` of runs: $1 the asker, $2 now, $3 whether they see
 * everything; and its three parameters. */
#define RUN_VISIBLE                                         \
    "($3::boolean OR EXISTS (SELECT FROM assignments a "    \
    "WHERE a.command_id = r.command_id AND a.user_id = $1 " \
    "AND (a.until IS NULL OR a.until > $2)))"
#define RUN_VISIBLE_PARAMS(asking)                              \
    P_ID(&(asking)->signer.person.user), P_TIME((asking)->now), \
        P_BOOL(asking_by_administrator(asking))

/* The columns that run_row_of() reads, for `runs r`. */
#define RUN_COLUMNS                                                           \
    "r.id, r.command_id, c.name AS command, r.version, u.email AS asked_by, " \
    "r.asked_at, r.schedule_id, "                                             \
    "s.finished_at, s.outcome, "                                              \
    "p.wanted, p.approvers, p.given, p.until, "                               \
    "json_build_object('arguments', r.arguments) AS arguments "
#define RUN_JOINS                                                        \
    "JOIN commands c ON c.id = r.command_id "                            \
    "JOIN users u ON u.id = r.user_id JOIN run_states s ON s.id = r.id " \
    "LEFT JOIN approvals p ON p.run_id = r.id AND p.state = 'pending' "

int run_row_of(const struct rows *rows, size_t i, struct run_row *ret_row,
               struct err *err);

/* Arguments as JSON: {"arguments": {…}}; the caller's. */
int arguments_json(const struct list *arguments, char **ret_json,
                   struct err *err);

/* The visible run of that id, or of that unique ending of one. 0; 1: refused
 * (no such run, or several); -1. */
int run_find(struct asking *asking, const char *text, struct id *ret_run,
             struct err *err);

/* True for an id, or an ending of one of at least 4 digits. */
bool run_text_is_good(const char *text);
