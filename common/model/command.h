/*
 * command.h: what an administrator prepared: command.save.
 *
 * Every save is a new version, chained to the one before by its hash; the id is
 * made once and never used again. `script` is the file as it was saved, byte
 * for byte, with its comment header; the other members say what the header
 * says.
 */
#pragma once

#include "model/approval.h"
#include "model/argv.h"
#include "model/attachment.h"
#include "model/notify.h"
#include "model/pace.h"
#include "model/parameter.h"
#include "model/request.h"

#define SCRIPT_MAX (400 * 1024) /* with the command's files */
#define COMMAND_TARGETS_MAX 64
#define VERSION_MAX 1000000
#define TIMEOUT_DEFAULT 120 /* s */
#define TIMEOUT_MAX 86400
#define BYTES_MAX (1LL << 50)
#define NUMBER_MAX 1048576 /* of files, of processes */
#define WAIT_DEFAULT 60    /* s */
#define WAIT_MAX (7 * 86400L)

struct command_save { /* administrator's own key */
    struct request request;
    struct id command;
    char *name;
    char *description; /* may be NULL */
    int64_t version;
    struct hash previous; /* zero for version 1 */
    struct buf script;
    struct list parameters; /* struct parameter */
    struct list args;       /* char *: words behind the script; argv.h */
    struct list files;      /* struct attachment */
    struct list runner_may; /* char *; empty: cancel. See command_lets() */
    struct list notify;     /* struct notify: who is told how runs end */
    struct list targets;    /* char *: where.h */
    int64_t timeout;        /* s */
    int64_t wait;           /* s */
    char *run_as;           /* a user of the host's; NULL: the host says who */
    int64_t cpu;            /* s; from here on 0: no limit of the command's */
    int64_t memory;         /* bytes that a process may map, */
    int64_t file_size;      /* and write into one file */
    int64_t open_files;
    int64_t processes; /* that its user may have on the host */
    struct pace pace;  /* how its runs go on */
    struct approval approve;
};

extern const struct table command_save_table;
extern const struct field arg_item; /* of args */

/* Reads for which the payload names one command. */
struct command_named {
    struct request request;
    char *name;
    int64_t version; /* command.show; 0: the one that counts for the asker */
    struct list targets; /* command.show, char *: names, whose executors are
                            told */
};

extern const struct table command_show_table;
extern const struct table command_versions_table;

/* A script: not too large, and its first line is one that the kernel takes.
 * -1: REJECT. */
int script_check(const void *bytes, size_t n, struct err *err);

/* What a runner may do beyond running it: "cancel" (their own run), as long as
 * nothing else is said; "see_script". */
bool command_lets(const struct command_save *command, const char *what);

/* A user's name, as useradd takes it. */
extern const struct text_form user_form;

/* What its members say beyond their bounds: parameters' names once, defaults
 * good, at least one target, an interpreter line. -1: REJECT. */
int command_check(const struct command_save *command, struct err *err);

/*
 * Reads a command file (a script whose comment header describes it, see
 * command_file.c) into everything that a file can say: name … wait, and the
 * script itself; of its files it knows the names alone. `path` is for messages:
 * "path:line: key: what, and what to do". -1: REJECT, status 65.
 */
int command_read(const char *path, const void *bytes, size_t n,
                 struct command_save *ret_command, struct err *err);
