/*
 * answer.h: the bodies of replies, by verb: what the authorizer tells who
 * asked.
 *
 * Consumers pass over members that they don't know. Keys and scripts are never
 * taken from here but from `envelopes`, whose chain the asker checks.
 *
 *   session.show        session_answer        session.open session_answer
 *   user.list           users_answer          user.show            user_answer
 *   invitation.show     user_answer           target.list targets_answer
 *   target.show         target_answer
 *   service.list        services_answer
 *   command.list        commands_answer       command.show command_answer
 *   command.versions    versions_answer       assignment.list
 * assignments_answer run.start           run_answer            run.show
 * run_answer run.output          output_answer         run.history
 * history_answer everything else     made_answer
 */
#pragma once

#include "model/command.h"
#include "model/envelope.h"
#include "model/mfa.h"
#include "model/result.h"
#include "model/rules.h"

struct made_answer {  /* what a change made */
    struct hash hash; /* the envelope that counts from now on */
    struct id id;     /* user, command … ; zero where there is none */
    int64_t version;  /* command.save; 0 else */
};

struct session_answer {
    struct id user;
    char *email;
    int role;
    int state;
    struct hash session;
    int64_t until;
    int mfa;                 /* enum mfa_state */
    bool service;            /* a machine identity */
    struct rules rules;      /* that hold for new passwords and sessions */
    struct list authorizers; /* struct envelope: enrolments in force, to seal
                                codes to; to an own key's session.show alone */
};

struct user_row {
    struct id user;
    char *email;
    int role;
    int state;
    bool suspended;
    int64_t generation;    /* of their key */
    int64_t invited;       /* moments; 0: never */
    int64_t invited_until; /* 0 once verified */
    int64_t verified;
    int64_t confirmed;
    char *invited_by; /* e-mail; NULL: the first administrator */
    char *name;       /* as people call them; may be NULL */
    int mail;         /* enum fate of the invitation's mail; 0: there is none */
    int64_t mail_at;  /* when that was told; 0: not yet */
    char *mail_reason;
    int mfa; /* enum mfa_state */
    bool service;
};

struct users_answer {
    struct list users; /* struct user_row */
};

struct user_answer {
    struct user_row user;
    struct hash invite;    /* zero: the first administrator */
    struct hash verify;    /* zero: not yet */
    struct list envelopes; /* these and their chain up to root.init */
    struct rules rules;    /* to invitation.show alone */
};

struct rules_answer { /* policy.list */
    struct rules rules;
    int64_t version;  /* 0: nobody has said anything yet */
    struct hash hash; /* of its policy.set */
    int64_t set;      /* moment */
    char *set_by;     /* e-mail */
};

struct service_row { /* one enrolment; those that were revoked are not told */
    int kind;        /* enum service_kind */
    int state;       /* enum service_state */
    char *name;
    char *target; /* executors */
    int64_t enrolled;
    char *enrolled_by; /* e-mail; NULL: the root key */
    int64_t until;     /* 0: no end of its own */
    struct hash hash;  /* of service.enrol, which is among the envelopes */
};

struct services_answer {
    struct list services;  /* struct service_row: the newest of a name first */
    struct list envelopes; /* what enrols them, and its chain */
};

struct signed_row { /* in force, and signed by somebody */
    struct hash hash;
    char *what; /* "command", "assignment", "invitation" … */
    char *name;
};

struct signed_answer {
    struct list rows; /* struct signed_row */
};

/* Of an executor; of a target: the best of its executors'. */
enum seen { SEEN_NONE, SEEN_LIVE, SEEN_SILENT, SEEN_NEVER };

extern const struct words seen_words;

struct executor_row {
    char *name;
    int seen;
    int64_t heard; /* moment; 0: never */
    int64_t slots;
    int64_t free; /* of them, by its newest hello; 0 where it isn't live */
    char *version;
};

struct target_row {
    char *name;
    int state; /* enum target_state */
    int64_t generation;
    int64_t max_wait;
    struct list labels; /* struct pair */
    int seen;
    int64_t slots;   /* of those that are live, */
    int64_t free;    /* and what of them is free */
    int64_t set;     /* moment, of what holds now */
    char *set_by;    /* e-mail */
    int64_t waiting; /* executions; target.show alone */
    int64_t running;
    struct list executors; /* struct executor_row */
};

struct target_answer { /* target.show */
    struct target_row target;
};

struct targets_answer {
    struct list targets; /* struct target_row */
};

struct command_row {
    struct id command;
    char *name;
    char *description;
    int64_t version;
    struct list targets; /* char * */
    int64_t saved;       /* moment */
    char *saved_by;      /* e-mail; only for administrators */
    int64_t runners;     /* how many are assigned; only for administrators */
};

struct commands_answer {
    struct list commands; /* struct command_row */
};

struct command_answer {
    struct command_row command;
    struct list parameters; /* struct parameter */
    struct list args;       /* char *: as in command.save */
    int64_t timeout;
    int64_t wait;
    struct pace pace;
    struct approval approve;
    struct list notify;    /* struct notify; only for administrators */
    struct list runners;   /* char *: e-mails; likewise */
    struct list envelopes; /* command.save, its chain; administrators only */
    struct list executors; /* struct hash: service.enrol of those that serve the
                              targets that were asked for; with their chains
                              among the envelopes */
};

struct version_row {
    int64_t version;
    struct hash hash;
    int64_t saved;
    char *saved_by;
};

struct versions_answer {
    struct list versions; /* struct version_row, newest first */
};

struct assignment_row {
    char *command;
    char *email;
    int state; /* the user's: invited … */
    int64_t added;
    char *added_by;
    int64_t until;
    int64_t pin;
};

struct assignments_answer {
    struct list assignments; /* struct assignment_row */
};

struct explained_answer { /* may somebody run a command, and why */
    bool may;
    char *why;
    char *by;   /* who signed what decides; NULL: nothing was signed */
    int64_t at; /* and when */
    int64_t until;
};

enum execution_state {
    EXECUTION_NONE,
    EXECUTION_PLANNED, /* its turn has not come */
    EXECUTION_WAITING, /* no claim is known yet */
    EXECUTION_CLAIMED,
    EXECUTION_RUNNING,
    EXECUTION_ENDED,
};

extern const struct words execution_state_words;

struct execution_row {
    struct id execution;
    char *target;
    int64_t attempt;
    int state;
    int outcome;     /* 0 until it ended */
    int64_t expires; /* until when it may start */
    int64_t heard;   /* when anyone of its target was last heard; 0: never */
    bool silent;     /* nobody of its target is heard now */
    int64_t started; /* moments; 0: not yet */
    int64_t finished;
    bool was_started; /* START was reached */
    int64_t exit;
    int64_t signal;
    int64_t chunks;
    int64_t dropped;
    char *reason;
    bool core;
    struct usage usage; /* all zero: not known */
    int64_t cancelled;  /* when somebody asked to end it; 0: nobody did */
    int64_t due;        /* PLANNED, another attempt: not before that moment */
};

struct run_pending { /* while it waits for approval */
    char *whose;     /* "2 of ops-leads" */
    int64_t lacking; /* approvals */
    int64_t until;
};

struct run_row {
    struct id run;
    struct id command_id; /* a name may be another command's by now */
    char *command;
    int64_t version;
    char *asked_by; /* e-mail */
    int64_t asked;
    int64_t finished;      /* 0: not yet */
    int outcome;           /* succeeded, or the first other one; 0: goes on */
    struct list arguments; /* struct pair */
    struct run_pending pending; /* all zero: it doesn't wait for approval */
    struct id schedule; /* that started it, in asked_by's name; zero: none */
};

struct run_answer {
    struct run_row run;
    struct list executions; /* struct execution_row: by target and attempt */
    int64_t attempts;       /* that the command allows on each; 0: one */
};

struct history_answer {
    struct list runs;  /* struct run_row, newest first */
    int64_t count;     /* where that was asked */
    bool more;         /* ask again, before … */
    struct id further; /* … this one: as far as was looked, perhaps in vain */
};

struct piece {
    struct id execution;
    char *target;
    int64_t number; /* grows by one within an execution, from 1 */
    struct chunk chunk;
};

struct output_answer {
    struct id run;
    struct list pieces; /* struct piece: at most 256 KiB of data */
    int64_t missing;    /* chunks that are said to be, and are not there */
    bool more;          /* ask again, `after` the last piece's number */
    bool ended;         /* every execution that was asked for has ended */
};

extern const struct table made_answer_table;
extern const struct table session_answer_table;
extern const struct table users_answer_table;
extern const struct table user_answer_table;
extern const struct table services_answer_table;
extern const struct table signed_answer_table;
extern const struct table rules_answer_table;
extern const struct table targets_answer_table;
extern const struct table target_answer_table;
extern const struct table commands_answer_table;
extern const struct table command_answer_table;
extern const struct table versions_answer_table;
extern const struct table assignments_answer_table;
extern const struct table explained_answer_table;
extern const struct table run_pending_table;
extern const struct table run_row_table;
extern const struct table run_answer_table;
extern const struct table history_answer_table;
extern const struct table output_answer_table;
