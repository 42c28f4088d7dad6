/*
 * cmd_history.c: history: which runs there were, the newest first; and a
 * person's last one, for whoever asks about that.
 *
 * A page is at most PAGE runs, and may be less, or none, where there is more:
 * the authorizer looks through so many runs at a time, and says how far it got.
 * --watch goes on to tell, a line each, which came and which have ended since,
 * among the newest PAGE that the flags let through.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "model/read.h"
#include "model/run.h"
#include "model/parameter.h"
#include "producer/submit/saved.h"
#include "producer/submit/shown.h"
#include "producer/submit/since.h"

#define LAST_AMONG 10 /* runs, for the last that one asked for */
#define PAGE 100
#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100000
#define LOOK_FIRST 1000 /* ms between two looks while something comes, … */
#define LOOK_MOST 8000 /* … and at most, doubled each time that nothing did */
#define COUNT_SHOWN 1000 /* beyond it a list says `1,000+` */

static int ask_history(struct submit *submit, struct run_history *history,
                       struct history_answer *ret_answer, struct err *err)
{
    history->request.head.id = (struct id){0}; /* a new request for each */
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_RUN_HISTORY,
                                         .payload = history,
                                         .answer = &history_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

/* What runs by itself in somebody's name they did not run. */
static struct run_row *first_asked(const struct history_answer *answer)
{
    for (size_t i = 0; i < answer->runs.n; i++) {
        struct run_row *run = &list_at(&answer->runs, struct run_row, i);
        if (id_is_zero(&run->schedule)) {
            return run;
        }
    }
    return NULL;
}

int run_last(struct submit *submit, const char *command,
             struct history_answer *ret_history, struct run_row **ret_run,
             struct err *err)
{
    struct run_history history = {.limit = LAST_AMONG,
                                  .command = (char *)command,
                                  .email = submit->profile->email};

    for (bool more = true; more;) {
        struct history_answer answer = {0};
        if (ask_history(submit, &history, &answer, err) != 0) {
            return -1;
        }
        *ret_run = first_asked(&answer);
        if (*ret_run != NULL) {
            *ret_history = answer;
            return 0;
        }
        more = answer.more;
        history.before = answer.further;
        table_done(&history_answer_table, &answer);
    }
    return 1;
}

/* Flags */

static int read_name(const struct submit *submit, const char *flag,
                     char **ret_name, struct err *err)
{
    const char *name = flag_value(submit, flag);

    if (name != NULL && !name_is_good(name)) {
        return err_exit(err, EXIT_USAGE,
                        "--%s %.60s: not a name: those are a-z, 0-9 and -",
                        flag, name);
    }
    *ret_name = name == NULL ? NULL : must_strdup(name);
    return 0;
}

static int read_email(const struct submit *submit, struct run_history *history,
                      struct err *err)
{
    const char *user = flag_value(submit, "user");

    if (user == NULL) {
        return 0;
    }
    history->email = account_normal(user, err);
    if (history->email == NULL) {
        err->status = EXIT_USAGE;
        return err_wrap(err, "--user %.60s", user);
    }
    return 0;
}

static int read_outcome(const struct submit *submit,
                        struct run_history *history, struct err *err)
{
    const char *word = flag_value(submit, "outcome");

    history->outcome = word == NULL ? 0 : word_value(&outcome_words, word);
    history->state = word == NULL ? 0 : word_value(&run_state_words, word);
    if (word != NULL && history->outcome == 0 && history->state == 0) {
        _cleanup_free_ char *known = words_join(&outcome_words);
        _cleanup_free_ char *going = words_join(&run_state_words);
        return err_exit(err, EXIT_USAGE,
                        "--outcome %.60s: expected %s; or, of what has not "
                        "ended, %s",
                        word, known, going);
    }
    return 0;
}

static int read_moment(const struct submit *submit, const char *flag,
                       int64_t *ret_moment, struct err *err)
{
    const char *text = flag_value(submit, flag);

    if (text != NULL && since_parse(text, clock_now(), ret_moment, err) != 0) {
        err->status = EXIT_USAGE;
        return err_wrap(err, "--%s %.60s", flag, text);
    }
    return 0;
}

static int read_times(const struct submit *submit, struct run_history *history,
                      struct err *err)
{
    if (read_moment(submit, "since", &history->since, err) != 0 ||
        read_moment(submit, "until", &history->until, err) != 0) {
        return -1;
    }
    return history->until == 0 || history->since < history->until
               ? 0
               : err_exit(err, EXIT_USAGE,
                          "--until is not later than --since: nothing lies "
                          "between");
}

static int read_values(const struct submit *submit, struct list *arguments,
                       struct err *err)
{
    const char *word;

    for (size_t i = 0; (word = flag_value_at(submit, "param", i)); i++) {
        const char *equals = strchr(word, '=');
        _cleanup_free_ char *name =
            equals == NULL ? NULL : strndup(word, (size_t)(equals - word));
        if (name == NULL || !name_is_good(name)) {
            return err_exit(err, EXIT_USAGE,
                            "--param %.60s: expected NAME=VALUE", word);
        }
        if (pairs_get(arguments, name) != NULL) {
            return err_exit(err, EXIT_USAGE, "--param %s: given twice", name);
        }
        pairs_add(arguments, name, equals + 1);
    }
    return 0;
}

static int read_filters(const struct submit *submit,
                        struct run_history *history, struct err *err)
{
    return read_name(submit, "command", &history->command, err) != 0 ||
                   read_name(submit, "target", &history->target, err) != 0 ||
                   read_email(submit, history, err) != 0 ||
                   read_outcome(submit, history, err) != 0 ||
                   read_times(submit, history, err) != 0 ||
                   read_values(submit, &history->arguments, err) != 0
               ? -1
               : 0;
}

/* Nothing that a secret was is kept to be found by, and what stands on a
 * command line others can read. */
static int check_no_secret(struct submit *submit,
                           const struct run_history *history, struct err *err)
{
    struct command_answer command = {0};
    const char *secret = NULL;

    if (history->arguments.n == 0 || history->command == NULL) {
        return 0;
    }
    if (command_ask(submit, history->command, &command, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < history->arguments.n && secret == NULL; i++) {
        const char *name = list_at(&history->arguments, struct pair, i).name;
        const struct parameter *parameter =
            parameter_find(&command.parameters, name);
        secret = parameter != NULL && parameter->type == PARAMETER_SECRET
                     ? name
                     : NULL;
    }
    table_done(&command_answer_table, &command);
    return secret == NULL ? 0
                          : err_exit(err, EXIT_USAGE,
                                     "--param %s: a secret is kept nowhere: no "
                                     "run is found by it",
                                     secret);
}

/* Pages */

/* What one page tells moves over; true where there is more. */
static bool take_page(struct history_answer *page, struct history_answer *all)
{
    for (size_t i = 0; i < page->runs.n; i++) {
        struct run_row *run = &list_at(&page->runs, struct run_row, i);
        *(struct run_row *)list_grow(&all->runs, sizeof(*run)) = *run;
        *run = (struct run_row){0};
    }
    all->count += page->count;
    all->more = page->more;
    all->further = page->further;
    return page->more;
}

/* The newest runs, or how many there are, page by page. */
static int read_history(struct submit *submit, struct run_history *history,
                        int64_t limit, struct history_answer *ret_all,
                        struct err *err)
{
    for (bool more = true; more && (int64_t)ret_all->runs.n < limit;) {
        int64_t left = limit - (int64_t)ret_all->runs.n;
        struct history_answer page = {0};
        history->limit = left < PAGE ? left : PAGE;
        if (ask_history(submit, history, &page, err) != 0) {
            return -1;
        }
        more = take_page(&page, ret_all);
        history->before = page.further;
        table_done(&history_answer_table, &page);
    }
    return 0;
}

/* Telling */

/* "1,234,567"; the caller's to free. */
static char *number_text(int64_t number)
{
    return number < 1000 ? must_printf("%lld", (long long)number)
           : number < 1000000
               ? must_printf("%lld,%03lld", (long long)number / 1000,
                             (long long)number % 1000)
               : must_printf("%lld,%03lld,%03lld", (long long)number / 1000000,
                             (long long)number / 1000 % 1000,
                             (long long)number % 1000);
}

/* Of how many these are the newest; where that is a long way to count, not
 * exactly. */
static int tell_more(struct submit *submit, struct run_history *history,
                     const struct history_answer *told, struct err *err)
{
    struct history_answer page = {0};

    history->count = true;
    history->limit = 1;
    history->before = (struct id){0};
    if (ask_history(submit, history, &page, err) != 0) {
        return -1;
    }
    bool many = page.more || page.count > COUNT_SHOWN;
    _cleanup_free_ char *of = number_text(many ? COUNT_SHOWN : page.count);
    say("the newest %zu of %s%s runs (-n N shows more, --count counts)",
        told->runs.n, of, many ? "+" : "");
    table_done(&history_answer_table, &page);
    return 0;
}

static char *row_how(const void *row)
{
    return run_text(row);
}

static char *row_by(const void *row)
{
    return run_by_text(row);
}

static const struct column history_columns[] = {
    {"asked", COLUMN_TIME, .at = offsetof(struct run_row, asked)},
    {"command", COLUMN_TEXT, .at = offsetof(struct run_row, command)},
    {"outcome", COLUMN_MADE, .make = row_how},
    {"arguments", COLUMN_PAIRS, .at = offsetof(struct run_row, arguments),
     .wide = true},
    {"by", COLUMN_MADE, .make = row_by, .wide = true},
    {"run", COLUMN_ID, .at = offsetof(struct run_row, run)},
};

static int list_runs(struct submit *submit, struct run_history *history,
                     int64_t limit, struct err *err)
{
    struct history_answer all = {0};
    struct noun noun = {.nothing = "there is no such run",
                        .table = row_table(&history_answer_table),
                        .columns = history_columns,
                        .n = ARRAY_SIZE(history_columns),
                        .name = ARRAY_SIZE(history_columns) - 1};

    int done = read_history(submit, history, limit, &all, err) != 0
                   ? -1
                   : print_rows(&submit->print, &noun, &all.runs, err);
    if (done == 0 && all.more && submit->print.format == FORMAT_TABLE) {
        done = tell_more(submit, history, &all, err);
    }
    table_done(&history_answer_table, &all);
    return done;
}

static int count_runs(struct submit *submit, struct run_history *history,
                      struct err *err)
{
    struct history_answer all = {0};
    int format = submit->print.format;

    history->count = true;
    if (read_history(submit, history, 1, &all, err) != 0) {
        return -1;
    }
    return print_line(&submit->print, err,
                      format == FORMAT_JSON || format == FORMAT_JSONL
                          ? "{\"count\":%lld}"
                          : "%lld",
                      (long long)all.count);
}

/* Watching */

/* How far one that goes on has come is not told: that is `watch`. */
static bool told_already(const struct history_answer *told,
                         const struct run_row *run)
{
    for (size_t i = 0; i < told->runs.n; i++) {
        const struct run_row *before = &list_at(&told->runs, struct run_row, i);
        if (id_equal(&before->run, &run->run)) {
            return before->outcome == run->outcome &&
                   run_waits(before) == run_waits(run);
        }
    }
    return false;
}

static int tell_run(struct submit *submit, const struct run_row *run,
                    struct err *err)
{
    char shown[RUN_SHORT];

    if (submit->print.format == FORMAT_JSONL) {
        const struct list one = {.items = (void *)run, .n = 1};
        const struct noun noun = {.table = row_table(&history_answer_table)};
        return print_rows(&submit->print, &noun, &one, err);
    }
    _cleanup_free_ char *asked = time_text(run->asked);
    _cleanup_free_ char *how = run_text(run);
    run_short(&run->run, shown);
    return print_line(&submit->print, err, "%s  %s  %s  %s  run %s", asked,
                      run->command, run->asked_by, how, shown);
}

struct watch {
    int64_t window;             /* of the newest runs, which are looked at */
    int64_t shown;              /* of these, at the next look */
    struct history_answer told; /* what the look before found */
    int interval;               /* ms until the next one */
};

/* Of the newest what is new, the oldest first. */
static int tell_news(struct submit *submit, struct watch *watch,
                     const struct history_answer *now, struct err *err)
{
    size_t n = (size_t)watch->shown;

    watch->interval =
        watch->interval * 2 < LOOK_MOST ? watch->interval * 2 : LOOK_MOST;
    for (size_t i = n < now->runs.n ? n : now->runs.n; i-- > 0;) {
        const struct run_row *run = &list_at(&now->runs, struct run_row, i);
        if (told_already(&watch->told, run)) {
            continue;
        }
        watch->interval = LOOK_FIRST;
        if (tell_run(submit, run, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Looks once, and tells. */
static int look(struct submit *submit, struct run_history *history,
                struct watch *watch, struct err *err)
{
    struct history_answer now = {0};

    history->before = (struct id){0};
    if (read_history(submit, history, watch->window, &now, err) != 0 ||
        tell_news(submit, watch, &now, err) != 0) {
        table_done(&history_answer_table, &now);
        return -1;
    }
    table_done(&history_answer_table, &watch->told);
    watch->told = now;
    watch->shown = watch->window;
    return 0;
}

static int watch_runs(struct submit *submit, struct run_history *history,
                      int64_t limit, struct err *err)
{
    struct watch watch = {.window = limit < PAGE ? PAGE : limit,
                          .shown = limit,
                          .interval = LOOK_FIRST};

    if (submit->print.format != FORMAT_TABLE &&
        submit->print.format != FORMAT_JSONL) {
        return err_exit(err, EXIT_USAGE,
                        "--watch tells a line for each run: -o table or jsonl");
    }
    while (look(submit, history, &watch, err) == 0) {
        (void)poll(NULL, 0, watch.interval);
    }
    table_done(&history_answer_table, &watch.told);
    return -1;
}

int cmd_history(struct submit *submit, struct err *err)
{
    struct run_history history = {0};
    int64_t limit = LIMIT_DEFAULT;

    int done =
        flag_limit(submit, LIMIT_DEFAULT, LIMIT_MAX, &limit, err) != 0 ||
                read_filters(submit, &history, err) != 0 ||
                check_no_secret(submit, &history, err) != 0
            ? -1
        : flag_given(submit, "watch") ? watch_runs(submit, &history, limit, err)
        : flag_given(submit, "count") ? count_runs(submit, &history, err)
                                      : list_runs(submit, &history, limit, err);
    table_done(&run_history_table, &history);
    return done;
}
