/*
 * submit.h: the frame of submit: its verbs as rows, and what a verb can do.
 *
 * A verb is a row of verb_rows.c: name, arguments, flags, who it is for,
 * handler. main() finds the row, parses flags (before or after the verb),
 * checks the number of arguments, opens the profile, calls the handler and
 * turns what it returns into an exit status. Help comes from the same rows.
 *
 * A handler returns an exit status (0 mostly), or -1 with its error: one line,
 * what, where, what to do; with err_exit()'s status, or 70 where there is none.
 * Data goes out by print.h, messages by say(), questions by prompt.h.
 */
#pragma once

#include "rpc.h"
#include "producer/submit/print.h"
#include "producer/submit/profile.h"
#include "producer/submit/prompt.h"

/* Exit statuses; `submit help exit-codes` tells them. */
enum {
    EXIT_OUTCOME = 1,    /* a run that did not succeed */
    EXIT_USAGE = 64,     /* these are sysexits.h's numbers */
    EXIT_DATA = 65,      /* bad data */
    EXIT_INPUT = 66,     /* your file can't be read */
    EXIT_NOT_FOUND = 67, /* no such thing, or not yours */
    EXIT_BROKER = 69,    /* out of reach */
    EXIT_BUG = 70,
    EXIT_OUTPUT = 74,      /* can't write */
    EXIT_NO_ANSWER = 75,   /* no end or no answer yet */
    EXIT_NOT_ALLOWED = 77, /* not signed in, or not a verb of your role */
    EXIT_CONFIG = 78,
};

struct submit;
struct telling;

/* One flag. The same name means the same in all verbs. */
struct flag {
    char letter;       /* 0: none */
    const char *name;  /* "target": --target */
    const char *value; /* "TARGET"; NULL: it takes none */
    const char *help;  /* NULL: there is none such; the verb says why */
};

enum audience { FOR_EVERYBODY, FOR_BILLING, FOR_ADMINISTRATORS };

typedef int cmd(struct submit *submit, struct err *err);

struct verb {
    const char *name; /* "command save" */
    const char *args; /* "COMMAND [NAME=VALUE...]" says also how many there
                         may be; "": none */
    const char *summary;
    enum audience who;        /* helps to sort the help; no access */
    const struct flag *flags; /* beside -o, --help, --version; up to one without
                                 a name; NULL: none */
    const char *help;    /* more for `submit help VERB`, which breaks its lines;
                            may be NULL */
    const char *example; /* lines below it; may be NULL */
    bool bare;           /* works without a profile */
    bool lists;          /* tells a list: -o csv, and a pager, are for it */
    bool refuses; /* says itself what is wrong with words beyond `args` */
    cmd *run;
};

extern const struct verb verbs[];
extern const size_t n_verbs;

struct submit {
    const struct verb *verb;
    char **args; /* what is left beside the verb and the flags */
    size_t n_args;
    struct list given;       /* struct pair: flags by name, in their order */
    struct print print;      /* for print.h; from -o and the terminal */
    struct profile *profile; /* NULL in a bare verb, until it opens one */
    struct session_key *session; /* private to asking.c */
    struct key_pair *own;        /* likewise */
    struct rpc *rpc;             /* likewise */
    struct known *known;         /* likewise: of the revocation log */
    const char *code_file;       /* of a code of the second factor; NULL: ask */
    int64_t session_life; /* ms, of a new session; 0: as long as may be */
    bool may_set_up;      /* a second factor, before a session is opened */
    const struct telling *telling; /* follow.h; NULL: its own sentences */
};

/* A flag's value, the last one given ("" where it takes none); NULL: not
 * given. Flags that repeat: the i-th, from 0, until NULL. */
const char *flag_value(const struct submit *submit, const char *name);
const char *flag_value_at(const struct submit *submit, const char *name,
                          size_t i);

/* --limit: a number from 1 to `most`; `otherwise` where it is not given. -1:
 * status 64. */
int flag_limit(const struct submit *submit, int64_t otherwise, int64_t most,
               int64_t *ret_limit, struct err *err);

/* Appends a flag's values, each once. */
void flag_texts(const struct submit *submit, const char *name,
                struct list *texts);

static inline bool flag_given(const struct submit *submit, const char *name)
{
    return flag_value(submit, name) != NULL;
}

/* By which key a request is signed. */
enum asker {
    ASK_SESSION, /* reads, run.start: the session's; opened where none is valid
                  */
    ASK_OWN,     /* lasting acts: the person's own key, unlocked for it */
};

struct question {
    enum asker as;
    enum event_kind kind;
    void
        *payload; /* the struct of the kind's table. Root, by, reply and expires
                     are filled in; id and issued, too, where the id is zero */
    const struct key_pair *second; /* of kinds with two signers; else NULL */
    const struct table *answer;    /* NULL: what comes back is not looked at */
    void *ret_answer;              /* the caller's: table_done() */
    struct hash *ret_hash;         /* of the request's envelope; may be NULL */
    /* The payload got another id: what in it hangs on that is made anew. May be
     * NULL. */
    int (*anew)(struct submit *submit, void *arg, struct err *err);
    /* With the signed request, before it is sent: so that nothing of it is
     * lost. May be NULL. */
    int (*before)(void *arg, const struct envelope *envelope, struct err *err);
    void *arg;
};

/*
 * Asks and waits for the answer. Where the authorizer says that the session has
 * ended, it opens a new one and asks once more. An error carries the exit
 * status: 67 not found, 69 no broker, 75 no answer …
 */
int submit_ask(struct submit *submit, const struct question *question,
               struct err *err);

/* The connection, for rpc_next() after a followed run. NULL before the first
 * submit_ask(). */
struct rpc *submit_rpc(struct submit *submit);

/* One line on stderr, as it is but for what isn't harmless. */
void say(const char *fmt, ...) _printf_(1, 2);

/* The handlers. */
cmd cmd_init, cmd_login, cmd_logout, cmd_whoami, cmd_verify;
cmd cmd_mfa_setup, cmd_mfa_status, cmd_user_reset;
cmd cmd_policy_list, cmd_policy_set;
cmd cmd_passwd, cmd_key_export, cmd_key_import, cmd_key_list;
cmd cmd_user_invite, cmd_user_show, cmd_user_confirm, cmd_user_list;
cmd cmd_user_suspend, cmd_user_resume, cmd_user_remove, cmd_user_withdraw,
    cmd_user_role, cmd_user_resend, cmd_user_reset, cmd_key_rotate,
    cmd_assign_remove, cmd_assign_explain, cmd_command_remove;
cmd cmd_target_add, cmd_target_list, cmd_target_show, cmd_target_set,
    cmd_target_drain, cmd_target_resume, cmd_target_remove;
cmd cmd_group_add, cmd_group_remove, cmd_group_list;
cmd cmd_pending, cmd_approve, cmd_reject;
cmd cmd_service_enrol, cmd_service_list, cmd_service_rotate, cmd_service_revoke;
cmd cmd_help;
cmd cmd_command_save, cmd_command_list, cmd_command_show, cmd_command_versions,
    cmd_command_diff, cmd_command_restore;
cmd cmd_schedule_list, cmd_schedule_next, cmd_schedule_pause,
    cmd_schedule_resume;
cmd cmd_assign_add, cmd_assign_list;
cmd cmd_audit, cmd_audit_verify;
cmd cmd_card_add, cmd_card_list, cmd_card_default, cmd_card_remove;
cmd cmd_billing_init, cmd_billing_export;
cmd cmd_list, cmd_show, cmd_run, cmd_rerun, cmd_cancel, cmd_watch, cmd_result,
    cmd_output, cmd_history;
