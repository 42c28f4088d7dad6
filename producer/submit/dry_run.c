/* dry_run.c: see dry_run.h. */
#include "producer/submit/dry_run.h"

#include <string.h>

#include "model/environment.h"

#define WORD_MAX 65536 /* bytes of a word, or of a variable with its value */

struct planned_execution {
    char *target;
    struct list argv;        /* char * */
    struct list environment; /* char *: NAME=VALUE */
};

struct planned {
    char *command;
    int64_t version;
    struct list targets; /* char * */
    int64_t timeout;
    int64_t wait;
    char *approve;          /* who has to; NULL: nobody */
    struct list executions; /* struct planned_execution */
};

static const struct field word_item = {
    .name = "word", .kind = FIELD_TEXT, .max = WORD_MAX};

static const struct field planned_execution_fields[] = {
    {"target", FIELD_NAME, .at = offsetof(struct planned_execution, target)},
    {"argv", FIELD_LIST, .item = &word_item,
     .at = offsetof(struct planned_execution, argv)},
    {"environment", FIELD_LIST, .item = &word_item,
     .at = offsetof(struct planned_execution, environment)},
};

static const struct table planned_execution_table = {
    .name = "execution",
    TABLE(planned_execution_fields),
    .size = sizeof(struct planned_execution)};

static const struct field planned_execution_item = {
    .name = "execution",
    .kind = FIELD_TABLE,
    .table = &planned_execution_table};

static const struct field planned_fields[] = {
    {"command", FIELD_NAME, .at = offsetof(struct planned, command)},
    {"version", FIELD_INT, .at = offsetof(struct planned, version)},
    {"targets", FIELD_LIST, .item = &name_item,
     .at = offsetof(struct planned, targets)},
    {"timeout", FIELD_INT, .at = offsetof(struct planned, timeout)},
    {"wait", FIELD_INT, .at = offsetof(struct planned, wait)},
    {"approve", FIELD_TEXT, .optional = true,
     .at = offsetof(struct planned, approve)},
    {"executions", FIELD_LIST, .item = &planned_execution_item,
     .at = offsetof(struct planned, executions)},
};

static const struct table planned_table = {
    .name = "dry run", TABLE(planned_fields), .size = sizeof(struct planned)};

#define PRIVATE "(a private directory)"

/* As a child finds them, but for the secrets: those that were given, and those
 * that will be asked for. */
static int make_values(const struct command_answer *command,
                       const struct given *given, const struct run_start *run,
                       struct list *ret_values, struct err *err)
{
    const struct list *parameters = &command->parameters;

    if (arguments_check(parameters, &run->arguments, ret_values, err) != 0) {
        return -1;
    }
    values_place_files(parameters, PRIVATE, ret_values);
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *one = &list_at(parameters, struct parameter, i);
        if (one->type == PARAMETER_SECRET &&
            (one->required || given_holds(given, one->name))) {
            pairs_add(ret_values, one->name, SECRET_SHOWN);
        }
    }
    return 0;
}

static void make_environment(const struct command_answer *command,
                             const char *target, const struct list *values,
                             struct list *ret_environment)
{
    environment_make(
        &(struct surroundings){
            .home = PRIVATE,
            .run = "(its id, once it is accepted)",
            .execution = "(its id, once it is accepted)",
            .command = command->command.name,
            .target = target,
            .attempt = 1,
        },
        values, ret_environment);
}

static void add_execution(const struct command_answer *command,
                          const char *target, const struct list *values,
                          struct list *executions)
{
    struct planned_execution *one = list_grow(executions, sizeof(*one));

    one->target = must_strdup(target);
    texts_add(&one->argv, command->command.name);
    argv_make(&command->args, values, &one->argv);
    make_environment(command, target, values, &one->environment);
}

static struct planned planned_of(const struct command_answer *command,
                                 const struct run_start *run,
                                 const struct list *values)
{
    struct planned planned = {.command = must_strdup(command->command.name),
                              .version = command->command.version,
                              .timeout = command->timeout,
                              .wait = command->wait,
                              .approve = approval_text(&command->approve)};

    for (size_t i = 0; i < run->targets.n; i++) {
        const char *target = list_at(&run->targets, char *, i);
        texts_add(&planned.targets, target);
        add_execution(command, target, values, &planned.executions);
    }
    return planned;
}

/* For people */

/* As a shell would take it for one word. */
static void add_quoted(struct buf *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=./:,@%+";

    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        (void)buf_adds(text, word);
        return;
    }
    (void)buf_adds(text, "'");
    for (const char *c = word; *c != '\0'; c++) {
        (void)(*c == '\'' ? buf_adds(text, "'\\''") : buf_add(text, c, 1));
    }
    (void)buf_adds(text, "'");
}

static char *argv_text(const void *row)
{
    const struct planned *planned = row;
    const struct planned_execution *first = planned->executions.items;
    struct buf text = {0};

    for (size_t i = 0; i < first->argv.n; i++) {
        (void)buf_adds(&text, i == 0 ? "" : " ");
        add_quoted(&text, list_at(&first->argv, char *, i));
    }
    return buf_take(&text);
}

static const struct column planned_columns[] = {
    {"command", COLUMN_TEXT, .at = offsetof(struct planned, command)},
    {"version", COLUMN_INT, .at = offsetof(struct planned, version)},
    {"targets", COLUMN_TEXTS, .at = offsetof(struct planned, targets)},
    {"timeout", COLUMN_SECONDS, .at = offsetof(struct planned, timeout)},
    {"waits", COLUMN_SECONDS, .at = offsetof(struct planned, wait)},
    {"argv", COLUMN_MADE, .make = argv_text},
    {"approved by", COLUMN_TEXT, .at = offsetof(struct planned, approve)},
};

static int print_environment(const struct print *print,
                             const struct list *environment, struct err *err)
{
    for (size_t i = 0; i < environment->n; i++) {
        if (print_line(print, err, "%s", list_at(environment, char *, i)) !=
            0) {
            return -1;
        }
    }
    return 0;
}

/* One for all targets: they differ in nothing but their names. */
static int print_shared(const struct print *print,
                        const struct command_answer *command,
                        const struct run_start *run, const struct list *values,
                        struct err *err)
{
    const char *target = run->targets.n == 1 ? list_at(&run->targets, char *, 0)
                                             : "(the target's name)";
    struct list environment = {0};

    make_environment(command, target, values, &environment);
    int done = print_line(print, err, "%s", "") != 0
                   ? -1
                   : print_environment(print, &environment, err);
    texts_done(&environment);
    return done;
}

int dry_run_print(const struct submit *submit,
                  const struct command_answer *command,
                  const struct given *given, const struct run_start *run,
                  struct err *err)
{
    const struct print *print = &submit->print;
    struct noun noun = {.table = &planned_table,
                        .columns = planned_columns,
                        .n = ARRAY_SIZE(planned_columns)};
    struct list values = {0};

    if (make_values(command, given, run, &values, err) != 0) {
        return -1;
    }
    struct planned planned = planned_of(command, run, &values);
    noun.n -= planned.approve == NULL; /* the last one */
    int done = print_row(print, &noun, &planned, err) != 0 ? -1
               : print->format != FORMAT_TABLE
                   ? 0
                   : print_shared(print, command, run, &values, err);
    table_done(&planned_table, &planned);
    pairs_done(&values);
    if (done == 0) {
        say("nothing was run");
    }
    return done;
}
