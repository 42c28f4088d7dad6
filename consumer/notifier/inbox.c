/*
 * inbox.c: errand.events into the outbox; see notifier.h.
 *
 * What isn't for a notifier is passed over by its type alone, since others may
 * tell there what this build does not know. What is, and can't be believed,
 * goes to errand.dead.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "consumer/notifier/notice.h"
#include "consumer/notifier/notifier.h"

#define AT_ONCE 500 /* records in a turn */

/* Takes it over, as what this record asked for. */
static void add(struct notifier *notifier, const struct record *record,
                struct mail *mail)
{
    mail->partition = record->partition;
    mail->offset = record->offset;
    (void)snprintf(mail->key, sizeof(mail->key), "%s", buf_text(&record->key));
    roads_need(&notifier->roads, mail->to);
    (void)outbox_add_take(notifier->outbox, mail);
}

static void add_mail(struct notifier *notifier, const struct record *record,
                     const struct news *news, enum letter letter)
{
    const struct config *config = &notifier->daemon->config;
    struct sender sender = {.from = config_text(config, "smtp", "from"),
                            .brokers =
                                config_text(config, "invitation", "brokers")};
    struct mail mail = {.id = mail_id(&news->about, letter),
                        .about = news->about,
                        .letter = letter,
                        .user = news->user,
                        .to = must_strdup(letter_to(news, letter)),
                        .until = letter_until(news, letter),
                        .state = MAIL_WAITS};

    if (letter == LETTER_INVITATION && !news->open) {
        mail.state = MAIL_DECIDED;
        mail.fate = FATE_REFUSED;
        (void)snprintf(mail.reason, sizeof(mail.reason), "%.*s",
                       MAIL_REASON_MAX, news->closed.text);
    } else if (letter_make(news, letter, &sender, &mail.bytes) != 0) {
        abort(); /* some kilobytes */
    }
    add(notifier, record, &mail);
}

static int64_t notice_until(const struct notifier *notifier,
                            const struct ending *ending,
                            const struct notify *notify)
{
    const struct config *config = &notifier->daemon->config;
    int64_t life = notify_webhook(notify->to) == NULL
                       ? NOTICE_LIFE
                       : config_int(config, "webhook", "give_up") * 1000;

    return ending->end->head.issued + life;
}

static int add_notice(struct notifier *notifier, const struct record *record,
                      const struct ending *ending, const struct notify *notify,
                      struct err *err)
{
    const char *from = config_text(&notifier->daemon->config, "smtp", "from");
    struct mail mail = {.id = notice_id(ending->end, notify->to),
                        .about = ending->end->start,
                        .letter = LETTER_ENDED,
                        .user = ending->end->user,
                        .until = notice_until(notifier, ending, notify),
                        .state = MAIL_WAITS};

    if (notify_webhook(notify->to) != NULL) {
        if (notice_json(ending, &mail.bytes, err) != 0) {
            buf_done(&mail.bytes);
            return -1;
        }
    } else if (notice_mail(ending, notify, from, &mail.bytes) != 0) {
        abort(); /* some kilobytes */
    }
    mail.to = must_strdup(notify->to);
    add(notifier, record, &mail);
    return 0;
}

static int take_ending(struct notifier *notifier, const struct record *record,
                       const struct event *event, struct err *err)
{
    _cleanup_ending_ struct ending ending = {.end = NULL};

    if (ending_read(&notifier->daemon->roots, event, record->timestamp, &ending,
                    err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ending.saved.notify.n; i++) {
        const struct notify *notify =
            &list_at(&ending.saved.notify, struct notify, i);
        if (run_end_concerns(ending.end, notify) &&
            add_notice(notifier, record, &ending, notify, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int take_news(struct notifier *notifier, const struct record *record,
                     const struct event *event, struct err *err)
{
    const struct reader reader = {&notifier->daemon->roots,
                                  notifier->daemon->keys};
    _cleanup_news_ struct news news = {.about = {{0}}};
    enum letter letter;

    if (news_read(&reader, event, record->timestamp, &news, err) != 0) {
        return -1;
    }
    if (news_invites(event->kind) && !news.by_mail) {
        return 0; /* the inviter hands the code over */
    }
    for (size_t i = 0; (letter = letter_of(event->kind, i)) != LETTER_NONE;
         i++) {
        add_mail(notifier, record, &news, letter);
    }
    return 0;
}

static bool is_fate(int kind)
{
    return kind == EVENT_MAIL_SENT || kind == EVENT_MAIL_REFUSED ||
           kind == EVENT_MAIL_DELAYED;
}

static int take_record(struct notifier *notifier, const struct record *record,
                       struct err *err)
{
    const char *type = record_header(record, "ce_type", 0);
    int kind = type == NULL ? -1 : event_kind(type);

    if (type != NULL && !is_fate(kind) && kind != EVENT_RUN_ENDED &&
        (kind < 0 || !news_can((enum event_kind)kind))) {
        return 0;
    }
    _cleanup_event_ struct event *event = event_from_record(record, err);
    if (event == NULL) {
        return -1;
    }
    return is_fate(kind) ? fate_read(notifier, event, record->timestamp, err)
           : kind == EVENT_RUN_ENDED ? take_ending(notifier, record, event, err)
                                     : take_news(notifier, record, event, err);
}

/* The record that can't be processed, until it is in errand.dead. */
static int bury(struct notifier *notifier, struct err *err)
{
    if (notifier->reason.kind == ERR_NONE) {
        return 0;
    }
    if (daemon_dead(notifier->daemon, &notifier->held, &notifier->reason,
                    err) != 0) {
        return -1;
    }
    outbox_read(notifier->outbox, notifier->held.partition,
                notifier->held.offset);
    record_done(&notifier->held);
    err_clear(&notifier->reason);
    return 0;
}

/* The group gave or took: what is known here may be another's by now. */
static void begin_anew(struct notifier *notifier)
{
    uint64_t changes = kafka_group_changes(notifier->reader);

    if (changes != notifier->changes) {
        notifier->changes = changes;
        roads_abort(&notifier->roads);
        outbox_forget(notifier->outbox);
        record_done(&notifier->held);
        err_clear(&notifier->reason);
    }
}

/* 1: a record was taken; 0: there is none. */
static int take_one(struct notifier *notifier, struct err *err)
{
    _cleanup_record_ struct record record = {0};
    int got = kafka_reader_poll(notifier->reader, 0, &record, err);

    begin_anew(notifier);
    if (got <= 0) {
        return got;
    }
    if (take_record(notifier, &record, err) != 0) {
        if (err->kind != ERR_REJECT) {
            return -1;
        }
        notifier->reason = *err;
        notifier->held = record;
        record = (struct record){0};
        err_clear(err);
        return bury(notifier, err) != 0 ? -1 : 1;
    }
    outbox_read(notifier->outbox, record.partition, record.offset);
    return 1;
}

int news_take(struct notifier *notifier, struct err *err)
{
    int got = bury(notifier, err) != 0 ? -1 : 1;

    for (size_t i = 0; i < AT_ONCE && got == 1; i++) {
        got = take_one(notifier, err);
    }
    return got < 0 ? -1 : 0;
}
