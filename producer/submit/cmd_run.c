/*
 * cmd_run.c: run: asks for a run, and follows it unless told otherwise.
 *
 * Arguments and targets are checked here first, by the authorizer's own code,
 * so that a person is told at once. The run's deadline is signed with it:
 * nothing of it starts later than the command's wait and limits allow.
 */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "producer/submit/arguments.h"
#include "producer/submit/chosen.h"
#include "producer/submit/dry_run.h"
#include "producer/submit/ended.h"
#include "producer/submit/follow.h"
#include "producer/submit/running.h"
#include "producer/submit/saved.h"
#include "producer/submit/sealing.h"
#include "producer/submit/waits.h"

/* What is asked for becomes the names that are signed. */
static int choose_targets(struct submit *submit,
                          const struct command_answer *command,
                          struct list *targets, struct err *err)
{
    struct list asked = *targets;

    *targets = (struct list){0};
    int done = targets_choose(submit, &command->command, &asked, targets, err);
    texts_done(&asked);
    return done;
}

static int plan_run(struct submit *submit, const struct command_answer *command,
                    struct run_start *run, struct err *err)
{
    run->command = command->command.command;
    run->name = must_strdup(command->command.name);
    run->follow = !flag_given(submit, "detach");
    if (arguments_check(&command->parameters, &run->arguments, NULL, err) !=
        0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "%s", command->command.name);
    }
    return choose_targets(submit, command, &run->targets, err);
}

/* Until the answer is there, nothing can be said but this. */
static void on_interrupt(int signal)
{
    static const char text[] =
        "\nsubmit: no answer came yet; if the run was accepted, it goes on: "
        "submit history tells\n";
    static const char none[] = "\nsubmit: nothing was started\n";

    (void)signal;
    if (prompt_waits()) {
        (void)!write(STDERR_FILENO, none, sizeof(none) - 1);
        _exit(EXIT_NOT_ALLOWED);
    }
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_NO_ANSWER);
}

/* From here on it is to be asked for soon. */
static void date_run(const struct command_answer *command,
                     struct run_start *run)
{
    int64_t now = clock_now();

    run->request.head.id = id_new(now);
    run->request.head.issued = now;
    run->deadline = now + REQUEST_LIFE + command->approve.within * 1000 +
                    pace_life(&command->pace, command->wait, command->timeout,
                              run->targets.n);
}

static int seal(struct submit *submit, const struct command_answer *command,
                struct given *given, struct run_start *run, struct err *err)
{
    struct list recipients = {0};

    if (given_ask_secrets(given, &command->parameters, err) != 0) {
        return -1;
    }
    if (given->secrets.n > 0 &&
        recipients_find(submit, command->command.name, &run->targets,
                        &recipients, err) != 0) {
        return -1;
    }
    date_run(command, run);
    int done = secrets_seal(submit, &given->secrets, &recipients, run, err);
    free(recipients.items);
    return done;
}

static int start_run(struct submit *submit, struct run_start *run,
                     struct run_answer *ret_answer, struct err *err)
{
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_RUN_START,
                                         .payload = run,
                                         .answer = &run_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

static int tell_detached(const struct submit *submit,
                         const struct run_answer *answer, struct err *err)
{
    static const struct column columns[] = {
        {"run", COLUMN_ID, .at = offsetof(struct run_answer, run.run)}};
    struct noun noun = {.table = &run_answer_table,
                        .columns = columns,
                        .n = ARRAY_SIZE(columns)};
    struct print print = submit->print;

    waits_tell(&answer->run);
    if (print.format == FORMAT_TABLE) {
        print.format = FORMAT_NAME;
    }
    return print_row(&print, &noun, answer, err);
}

/* Nothing is asked for, and nothing sealed; but to whom it would be is told. */
static int show_plan(struct submit *submit,
                     const struct command_answer *command,
                     const struct given *given, struct run_start *run,
                     struct err *err)
{
    struct list recipients = {0};
    bool secret = false;

    for (size_t i = 0; i < command->parameters.n; i++) {
        secret |= list_at(&command->parameters, struct parameter, i).type ==
                  PARAMETER_SECRET;
    }
    if (secret && recipients_find(submit, command->command.name, &run->targets,
                                  &recipients, err) != 0) {
        return -1;
    }
    if (secret) {
        say("its secrets would be sealed to %zu executor%s", recipients.n,
            recipients.n == 1 ? "" : "s");
    }
    free(recipients.items);
    return dry_run_print(submit, command, given, run, err);
}

int run_go(struct submit *submit, const struct command_answer *command,
           struct given *given, struct run_start *run, struct err *err)
{
    struct run_answer answer = {0};

    run->arguments = given->arguments;
    given->arguments = (struct list){0};

    if (plan_run(submit, command, run, err) != 0) {
        return -1;
    }
    if (flag_given(submit, "dry-run")) {
        return show_plan(submit, command, given, run, err);
    }
    if (command->pace.concurrency == CONCURRENCY_REFUSE) {
        ended_settle(submit);
    }
    if (seal(submit, command, given, run, err) != 0 ||
        start_run(submit, run, &answer, err) != 0) {
        return -1;
    }
    int done = run->follow ? follow_run(submit, &answer, err)
                           : tell_detached(submit, &answer, err);
    table_done(&run_answer_table, &answer);
    return done;
}

void run_begin(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    (void)sigaction(SIGINT, &action, NULL);
}

static int run_command(struct submit *submit, struct run_start *run,
                       struct err *err)
{
    struct command_answer command = {0};
    _cleanup_given_ struct given given = {0};

    flag_texts(submit, "target", &run->targets);
    if (arguments_check_words(submit, 1, err) != 0 ||
        command_ask(submit, submit->args[0], &command, err) != 0) {
        return -1;
    }
    int done = arguments_read(submit, 1, &command.parameters, &given, err) != 0
                   ? -1
                   : run_go(submit, &command, &given, run, err);
    table_done(&command_answer_table, &command);
    return done;
}

int cmd_run(struct submit *submit, struct err *err)
{
    struct run_start run = {0};

    run_begin();
    int done = run_command(submit, &run, err);
    table_done(&run_start_table, &run);
    return done;
}
