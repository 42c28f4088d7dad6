/*
 * cmd_rerun.c: rerun: what was run once, once more: the same arguments on the
 * same targets, in the version that counts today.
 *
 * The old run is taken from the record, as whoever may see it sees it; the new
 * one is a run of its own, which is allowed or not like any other.
 */
#include <string.h>

#include "producer/submit/arguments.h"
#include "producer/submit/recorded.h"
#include "producer/submit/running.h"
#include "producer/submit/saved.h"
#include "producer/submit/shown.h"

/* A name that is free again may be another command's since. */
static int check_same(const struct run_row *old,
                      const struct command_answer *command, struct err *err)
{
    const struct id *now = &command->command.command;

    if (!id_equal(&old->command_id, now)) {
        return err_exit(err, EXIT_NOT_FOUND,
                        "the command of that run was removed; the %s that is "
                        "there now is another",
                        old->command);
    }
    if (old->version != command->command.version) {
        say("%s is version %lld now; that run was of version %lld",
            old->command, (long long)command->command.version,
            (long long)old->version);
    }
    return 0;
}

static bool succeeded(const struct execution_row *row)
{
    return row->outcome == OUTCOME_SUCCEEDED;
}

/* Each target of it once; where it was tried again there, the last one tells:
 * rows are sorted by target and attempt. */
static void add_targets(const struct list *executions, bool failed,
                        struct list *targets)
{
    for (size_t i = 0; i < executions->n; i++) {
        const struct execution_row *rows = executions->items;
        bool last = i + 1 == executions->n ||
                    strcmp(rows[i].target, rows[i + 1].target) != 0;
        if (last && !(failed && succeeded(&rows[i]))) {
            texts_add(targets, rows[i].target);
        }
    }
}

static int choose_targets(const struct submit *submit,
                          const struct run_answer *old, struct run_start *run,
                          struct err *err)
{
    bool failed = flag_given(submit, "failed");
    char shown[RUN_SHORT];

    run_short(&old->run.run, shown);
    if (failed && old->run.outcome == OUTCOME_NONE) {
        return err_exit(err, EXIT_NO_ANSWER,
                        "run %s goes on: where it fails is not known yet "
                        "(submit result %s)",
                        shown, shown);
    }
    add_targets(&old->executions, failed, &run->targets);
    return 0;
}

/* What is given anew counts; of a secret and of a file the record has no more
 * than that there was one. */
static int take_arguments(const struct submit *submit, const struct list *old,
                          const struct list *parameters, struct given *given,
                          struct err *err)
{
    if (arguments_read(submit, 1, parameters, given, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < old->n; i++) {
        const struct pair *one = &list_at(old, struct pair, i);
        const struct parameter *parameter =
            parameter_find(parameters, one->name);
        int type = parameter == NULL ? PARAMETER_NONE : parameter->type;
        if (type == PARAMETER_SECRET || given_holds(given, one->name)) {
            continue;
        }
        if (type == PARAMETER_FILE) {
            return err_exit(err, EXIT_USAGE,
                            "%s: the content of a file is not kept to be run "
                            "again: give it once more, %s=@FILE behind the run",
                            one->name, one->name);
        }
        pairs_add(&given->arguments, one->name, one->value);
    }
    return 0;
}

static int rerun(struct submit *submit, const struct run_answer *old,
                 struct run_start *run, struct err *err)
{
    struct command_answer command = {0};
    _cleanup_given_ struct given given = {0};

    if (choose_targets(submit, old, run, err) != 0) {
        return -1;
    }
    if (run->targets.n == 0) {
        say("all of it succeeded: nothing is run again");
        return 0;
    }
    if (command_ask(submit, old->run.command, &command, err) != 0) {
        return -1;
    }
    int done = check_same(&old->run, &command, err) != 0 ||
                       take_arguments(submit, &old->run.arguments,
                                      &command.parameters, &given, err) != 0
                   ? -1
                   : run_go(submit, &command, &given, run, err);
    table_done(&command_answer_table, &command);
    return done;
}

int cmd_rerun(struct submit *submit, struct err *err)
{
    struct run_answer old = {0};
    struct run_start run = {0};

    run_begin();
    if (arguments_check_words(submit, 1, err) != 0 ||
        recorded_find(submit, &old, err) != 0) {
        return -1;
    }
    int done = rerun(submit, &old, &run, err);
    table_done(&run_answer_table, &old);
    table_done(&run_start_table, &run);
    return done;
}
