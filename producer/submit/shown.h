/*
 * shown.h: what is shown in more than one verb: commands, targets, runs.
 */
#pragma once

#include "producer/submit/submit.h"

/* command.list, by these columns. */
int commands_print(struct submit *submit, const struct noun *noun,
                   struct err *err);

/* One command: what it is, what it asks for, how it is run, the last run. */
int command_print(struct submit *submit, const char *name, struct err *err);

/* A command's file, byte for byte, for who may see it. */
int script_print(struct submit *submit, const char *name, struct err *err);

/* target.show; status 67: no such target, 77: not for them. */
int target_ask(struct submit *submit, const char *name,
               struct target_answer *ret_answer, struct err *err);

/* The newest run that this person asked for, of this command (NULL: of any);
 * 0: ret_run is the caller's (run_row's texts, by table_done of the answer);
 * 1: there is none. */
int run_last(struct submit *submit, const char *command,
             struct history_answer *ret_history, struct run_row **ret_run,
             struct err *err);

/* "succeeded", "running", "waits for 1 approval (…)"; the caller's to free. */
char *run_text(const struct run_row *run);

/* For somebody to approve it. */
bool run_waits(const struct run_row *run);

/* Who asked for it; of a schedule's, in whose name it ran. The caller's. */
char *run_by_text(const struct run_row *run);

/* The last digits of a run's id, which name it: 12, and a NUL. */
#define RUN_SHORT 13
void run_short(const struct id *run, char text[static RUN_SHORT]);
