/* notice.c: see notice.h. */
#include "consumer/notifier/notice.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consumer/notifier/body.h"

/* A command's name that leaves the subject one line. */
#define SUBJECT_FITS 45

/* What the run did, for who does not know our words. */
static const char *const in_words[] = {
    [OUTCOME_NONE] = "has ended",
    [OUTCOME_SUCCEEDED] = "has succeeded",
    [OUTCOME_FAILED] = "has failed",
    [OUTCOME_TIMED_OUT] = "took longer than it may and was ended",
    [OUTCOME_CANCELLED] = "was cancelled",
    [OUTCOME_EXPIRED] = "was not begun in time: where it should have run was "
                        "off or busy",
    [OUTCOME_INTERRUPTED] = "was interrupted, perhaps in the middle of its "
                            "work",
    [OUTCOME_LOST] = "is lost: the machine that ran it has fallen silent, and "
                     "nobody knows how far it came",
};

/* "2026-11-29 03:40:07 UTC" */
static void moment_text(int64_t moment, char text[static TIME_TEXT])
{
    time_format(moment, text);
    text[10] = ' ';
    (void)snprintf(text + 19, TIME_TEXT - 19, " UTC");
}

static void add_facts(struct body *body, const struct ending *ending,
                      const char *run)
{
    const struct run_end *end = ending->end;
    struct buf *block = body_block(body);
    char asked[TIME_TEXT];
    char ended[TIME_TEXT];

    moment_text(end->asked, asked);
    moment_text(end->ended, ended);
    body->failed |=
        buf_addf(block, "command   %s, version %lld\n", ending->saved.name,
                 (long long)ending->saved.version) != 0 ||
        buf_addf(block, "run       %s\n", run) != 0 ||
        (end->asker != NULL &&
         buf_addf(block, "asked by  %s\n", end->asker) != 0) ||
        buf_addf(block, "asked     %s\nended     %s\n", asked, ended) != 0;
}

static void add_targets(struct body *body, const struct run_end *end)
{
    struct buf *block = body_block(body);

    for (size_t i = 0; i < end->targets.n; i++) {
        const struct target_end *one =
            &list_at(&end->targets, struct target_end, i);
        _cleanup_free_ char *outcome =
            word_spoken(&outcome_words, one->outcome);
        body->failed |=
            buf_addf(block, "%s: %s", one->target, outcome) != 0 ||
            (one->exit != 0 &&
             buf_addf(block, " (exit %lld)", (long long)one->exit) != 0) ||
            buf_adds(block, "\n") != 0;
    }
}

static void write_body(struct body *body, const struct ending *ending,
                       const struct notify *notify)
{
    const struct run_end *end = ending->end;
    _cleanup_free_ char *line = notify_text(notify);
    char run[ID_TEXT];

    id_format(&end->run, run);
    body_say(body, "Hello,");
    body_say(body, "a run of the command %s %s.", ending->saved.name,
             in_words[end->outcome]);
    add_facts(body, ending, run);
    body_say(body, end->targets.n == 1 ? "How it ended:"
                                       : "How it ended, on each target:");
    add_targets(body, end);
    body_say(body, "Who may see the run finds more by");
    body->failed |=
        buf_addf(body_block(body), "submit result %s\nsubmit output %s\n", run,
                 run) != 0;
    if (end->outcome == OUTCOME_LOST) {
        body_say(body, "If the machine comes back, the run may turn out "
                       "otherwise; submit result will say so.");
    }
    body_say(body,
             "You are told because the command says: notify = %s. An "
             "administrator of Errand can change that.",
             line);
}

int notice_mail(const struct ending *ending, const struct notify *notify,
                const char *from, struct buf *out)
{
    _cleanup_body_ struct body body = {.failed = false};
    _cleanup_free_ char *outcome =
        word_spoken(&outcome_words, ending->end->outcome);
    const char *name = ending->saved.name;
    _cleanup_free_ char *subject =
        must_printf("Errand: %s%s%s", name,
                    strlen(name) > SUBJECT_FITS ? "\r\n " : " ", outcome);
    struct heading heading = {.from = from,
                              .to = notify->to,
                              .subject = subject,
                              .date = ending->end->head.issued,
                              .id = notice_id(ending->end, notify->to)};

    write_body(&body, ending, notify);
    return body_mail(&body, &heading, out);
}

/* What a webhook gets. */

struct told {
    struct id run;
    char *command;
    int64_t version;
    int outcome;
    char *asker;
    int64_t asked;
    int64_t ended;
    struct list targets;
};

struct call {
    char *type;
    int64_t timestamp;
    struct told data;
};

static const struct field told_fields[] = {
    {"run", FIELD_ID, .at = offsetof(struct told, run)},
    {"command", FIELD_NAME, .at = offsetof(struct told, command)},
    {"version", FIELD_INT, .at = offsetof(struct told, version)},
    {"outcome", FIELD_WORD, .words = &outcome_words,
     .at = offsetof(struct told, outcome)},
    {"asked_by", FIELD_TEXT, .optional = true,
     .at = offsetof(struct told, asker)},
    {"asked", FIELD_TIME, .at = offsetof(struct told, asked)},
    {"ended", FIELD_TIME, .at = offsetof(struct told, ended)},
    {"targets", FIELD_LIST, .item = &target_end_item,
     .at = offsetof(struct told, targets)},
};

static const struct table told_table = {
    .name = "data", TABLE(told_fields), .size = sizeof(struct told)};

static const struct field call_fields[] = {
    {"type", FIELD_TEXT, .at = offsetof(struct call, type)},
    {"timestamp", FIELD_TIME, .at = offsetof(struct call, timestamp)},
    {"data", FIELD_TABLE, .table = &told_table,
     .at = offsetof(struct call, data)},
};

static const struct table call_table = {
    .name = "call", TABLE(call_fields), .size = sizeof(struct call)};

int notice_json(const struct ending *ending, struct buf *out, struct err *err)
{
    const struct run_end *end = ending->end;
    const struct call call = {.type = (char *)"run.ended", /* all lent */
                              .timestamp = end->head.issued,
                              .data = {.run = end->run,
                                       .command = ending->saved.name,
                                       .version = ending->saved.version,
                                       .outcome = end->outcome,
                                       .asker = end->asker,
                                       .asked = end->asked,
                                       .ended = end->ended,
                                       .targets = end->targets}};

    return table_encode(&call_table, &call, out, err);
}
