/*
 * submit.c: main: the command line, the profile, the verb, the exit status.
 * The verbs' table is verb_rows.c.
 */
#include "producer/submit/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "producer/submit/asking.h"
#include "producer/submit/console.h"
#include "producer/submit/help.h"
#include "producer/submit/menu.h"
#include "producer/submit/parse.h"

#ifndef ERRAND_VERSION /* the Makefile says it */
#define ERRAND_VERSION "unknown"
#endif

/* Tables need to know what a character is, whatever the locale says. */
static void set_locale(void)
{
    if (setlocale(LC_CTYPE, "") == NULL ||
        strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
}

static struct print stdout_print(void)
{
    bool terminal = isatty(STDOUT_FILENO);
    const char *no_color = getenv("NO_COLOR");

    return (struct print){
        .out = stdout,
        .format = FORMAT_TABLE,
        .terminal = terminal,
        .colour = terminal && (no_color == NULL || no_color[0] == '\0'),
    };
}

/* So that nobody wonders who they are: once a verb, where a person looks on. In
 * pipes and for programs it would only be in the way. */
static void tell_who(const struct submit *submit)
{
    const struct profile *profile = submit->profile;

    if (submit->print.terminal && submit->print.format == FORMAT_TABLE &&
        isatty(STDERR_FILENO)) {
        say("%s (%s%s)", profile->email, word_text(&role_words, profile->role),
            profile->service ? ", machine identity" : "");
    }
}

static int run_verb(struct submit *submit, struct err *err)
{
    if (flag_given(submit, "version")) {
        return print_line(&submit->print, err, "submit %s", ERRAND_VERSION);
    }
    if (submit->verb == NULL) {
        return help_print(submit, submit->args, submit->n_args, err);
    }
    if (!submit->verb->bare) {
        submit->profile = profile_open(err);
        if (submit->profile == NULL) {
            return -1;
        }
        tell_who(submit);
    }
    submit->print.pages = submit->print.terminal && submit->verb->lists;
    return submit->verb->run(submit, err);
}

/* No verb is half done here: the files that it makes are written beside and
 * renamed, and what was asked is decided elsewhere. */
static void on_interrupt(int signal)
{
    static const char text[] =
        "\nsubmit: broken off; what was asked may yet be carried out\n";

    (void)signal;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(EXIT_NO_ANSWER);
}

/* A standard descriptor that came closed must not become a socket's number, to
 * which output is written: this one fails what is asked of it. */
static void hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

/* What was written may still be on its way: a full disk is seen here. */
static int flush_output(int status, struct err *err)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return print_failed(err);
    }
    return status;
}

/* It holds passwords, keys and card numbers: no core of it is written, no
 * debugger of the same user looks into it, and JSON leaves none behind. */
static void be_discreet(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
    fields_leave_no_trace();
}

static int status_of(const struct err *err)
{
    if (err->status != 0) {
        return err->status;
    }
    return err->kind == ERR_REJECT  ? EXIT_DATA
           : err->kind == ERR_RETRY ? EXIT_BROKER
                                    : EXIT_BUG;
}

int main(int argc, char **argv)
{
    struct submit submit = {.print = stdout_print()};
    struct err err = {0};

    hold_standard();
    be_discreet();
    if (sodium_init() < 0) {
        return EXIT_BUG;
    }
    set_locale();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, on_interrupt);
    int status = argc == 1 && console_can() ? menu(&submit, &err)
                 : parse(&submit, argc, argv, &err) != 0
                     ? -1
                     : run_verb(&submit, &err);
    status = status < 0 ? -1 : flush_output(status, &err);
    if (status < 0) {
        if (err.text[0] != '\0') {
            say("submit: %s", err.text);
        }
        status = status_of(&err);
    }
    asking_done(&submit);
    profile_free(submit.profile);
    parse_done(&submit);
    return status;
}
