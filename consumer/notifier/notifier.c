/*
 * notifier.c: errand-notifier: people are told by mail what concerns them, and
 * machines by webhooks.
 *
 * In come errand.events, by a consumer group; out go mails to one SMTP server,
 * calls to the webhooks that its host knows, the fate of each on errand.events,
 * and errand.dead. Kafka is all that it remembers by (outbox.h). A mail, or a
 * call, is sent until the server has said that it has it, or that it never
 * will: the same bytes each time, so that one that was sent twice is seen to be
 * one. This file is the service row and the turn.
 */
#include "consumer/notifier/notifier.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "consumer/notifier/wire.h"

#define ASK_MS 3000
#define IDLE_MS 1000 /* a group wants to be polled once a second */

static const struct config_key keys[] = {
    {"smtp", "url", CONFIG_TEXT, .required = true,
     .help = "smtp://HOST:PORT/OUR-NAME, or smtps://"},
    {"smtp", "from", CONFIG_TEXT, .required = true,
     .help = "the sender's address"},
    {"smtp", "tls", CONFIG_TEXT, .fallback = "required",
     .help = "STARTTLS: required, optional or none"},
    {"smtp", "ca_file", CONFIG_TEXT,
     .help = "who vouches for the server's certificate, if not the system"},
    {"smtp", "credentials_file", CONFIG_TEXT,
     .help = "a private file: the user's name, in a second line the password"},
    {"smtp", "connect_timeout", CONFIG_DURATION, .fallback = "10s", .min = 1,
     .max = 300, .help = "until the server is there"},
    {"smtp", "timeout", CONFIG_DURATION, .fallback = "2m", .min = 1, .max = 600,
     .help = "for one mail, whole"},
    {"smtp", "retry_first", CONFIG_DURATION, .fallback = "1s", .min = 1,
     .max = 3600, .help = "the wait after the first try; then it doubles"},
    {"smtp", "retry_max", CONFIG_DURATION, .fallback = "5m", .min = 1,
     .max = 3600, .help = "the longest wait between two tries"},
    {"webhook", "folder", CONFIG_TEXT,
     .help = "where each webhook has a private file of its name: the URL, then "
             "a secret a line"},
    {"webhook", "ca_file", CONFIG_TEXT,
     .help = "who vouches for receivers' certificates, if not the system"},
    {"webhook", "connect_timeout", CONFIG_DURATION, .fallback = "5s", .min = 1,
     .max = 300, .help = "until the receiver is there"},
    {"webhook", "timeout", CONFIG_DURATION, .fallback = "15s", .min = 1,
     .max = 300, .help = "for one call, whole"},
    {"webhook", "retry_first", CONFIG_DURATION, .fallback = "5s", .min = 1,
     .max = 3600, .help = "the wait after the first try; then it doubles"},
    {"webhook", "retry_max", CONFIG_DURATION, .fallback = "30m", .min = 1,
     .max = 86400, .help = "the longest wait between two tries"},
    {"webhook", "give_up", CONFIG_DURATION, .fallback = "3d", .min = 1,
     .max = 7 * 86400, .help = "the last try is so long after the run's end"},
    {"invitation", "brokers", CONFIG_TEXT, .required = true,
     .help = "HOST:PORT,… of the broker, as invited people reach it"},
};

static int64_t back_off(const struct notifier *notifier,
                        const struct road *road, int64_t tries)
{
    const struct config *config = &notifier->daemon->config;
    const char *section = road_section(road);

    return back_off_of(tries, config_int(config, section, "retry_first") * 1000,
                       config_int(config, section, "retry_max") * 1000);
}

static struct kafka_reader *join_group(const struct daemon *daemon,
                                       struct err *err)
{
    struct list properties = kafka_unhurried(&daemon->kafka);
    struct kafka_reader *reader =
        kafka_group_new(&properties, "errand-notifier", EVENTS_TOPIC, err);

    pairs_done(&properties);
    return reader;
}

static int check_brokers(const struct daemon *daemon, struct err *err)
{
    if (brokers_check(config_text(&daemon->config, "invitation", "brokers"),
                      err) == 0) {
        return 0;
    }
    err->kind = ERR_FATAL;
    err->status = EX_CONFIG;
    return err_wrap(err, "[invitation]");
}

static int start(struct daemon *daemon, struct err *err)
{
    struct notifier *notifier = must_calloc(1, sizeof(*notifier));

    daemon->state = notifier;
    notifier->daemon = daemon;
    notifier->outbox = outbox_new();
    if (roads_open(&notifier->roads, &daemon->config, err) != 0 ||
        check_brokers(daemon, err) != 0 ||
        kafka_writer_know(daemon->writer, EVENTS_TOPIC, ASK_MS, err) != 0) {
        return -1;
    }
    notifier->reader = join_group(daemon, err);
    if (notifier->reader == NULL) {
        return -1;
    }
    daemon_watch(daemon, notifier->reader);
    daemon_ready(daemon);
    return 0;
}

static void stop(struct daemon *daemon)
{
    struct notifier *notifier = daemon->state;

    if (notifier->reader != NULL) {
        daemon_unwatch(daemon, notifier->reader);
        kafka_reader_free(notifier->reader);
    }
    roads_close(&notifier->roads);
    outbox_free(notifier->outbox);
    record_done(&notifier->held);
    free(notifier);
}

struct looking {
    const struct notifier *notifier;
    const struct road *road;
};

/* What goes by this road, of a partition that was read to its end: what was
 * sent before is struck out. */
static bool may_send(void *arg, const struct mail *mail)
{
    const struct looking *looking = arg;

    return road_is_for(looking->road, mail) &&
           kafka_reader_at_end(looking->notifier->reader, EVENTS_TOPIC,
                               mail->partition);
}

static struct mail *next_of(const struct notifier *notifier,
                            const struct road *road)
{
    struct looking looking = {notifier, road};

    return outbox_next(notifier->outbox, may_send, &looking);
}

static void note_reason(struct mail *mail, const char *reason)
{
    (void)snprintf(mail->reason, sizeof(mail->reason), "%.*s", MAIL_REASON_MAX,
                   reason);
}

static void decide(struct mail *mail, enum fate fate, const char *reason)
{
    mail->fate = fate;
    mail->state = MAIL_DECIDED;
    note_reason(mail, reason == NULL ? "" : reason);
}

static void give_up(struct mail *mail)
{
    _cleanup_free_ char *reason =
        must_printf("it could not be delivered in time%s%.400s",
                    mail->reason[0] == '\0' ? "" : "; last: ", mail->reason);

    decide(mail, FATE_REFUSED, reason);
}

static void begin_one(struct notifier *notifier, struct road *road)
{
    struct mail *mail = next_of(notifier, road);
    int64_t now = clock_steady();

    if (!id_is_zero(&road->going) || mail == NULL || mail->due > now ||
        road->away_until > now) {
        return;
    }
    if (mail->until < clock_now()) {
        give_up(mail);
        return;
    }
    mail->state = MAIL_GOES;
    mail->tries++;
    road_begin(&notifier->roads, road, mail);
}

/* Later: it waits, or, where the server itself is away, all that go there do.
 */
static int put_off(struct notifier *notifier, struct road *road,
                   struct mail *mail, bool away, struct err *err)
{
    int64_t now = clock_steady();

    road->away_tries = away ? road->away_tries + 1 : 0;
    road->away_until =
        away ? now + back_off(notifier, road, road->away_tries) : 0;
    mail->state = MAIL_WAITS;
    mail->due = now + (away ? 0 : back_off(notifier, road, mail->tries));
    if (mail->delayed) {
        return 0;
    }
    mail->delayed = true;
    return fate_delayed(notifier, mail, err);
}

static int go_on(struct notifier *notifier, struct road *road, struct err *err)
{
    struct mail *mail = outbox_find(notifier->outbox, &road->going);
    struct err reason = {0};
    bool away = false;
    enum post_verdict verdict =
        road_step(&notifier->roads, road, &away, &reason);

    if (verdict == POST_GOING || mail == NULL) {
        return 0;
    }
    if (verdict == POST_LATER) {
        note_reason(mail, reason.text);
        return put_off(notifier, road, mail, away, err);
    }
    road->away_tries = 0;
    decide(mail, verdict == POST_SENT ? FATE_SENT : FATE_REFUSED,
           verdict == POST_SENT ? NULL : reason.text);
    return 0;
}

static void tell_group(struct notifier *notifier)
{
    int64_t partition;
    int64_t next;

    while (outbox_progress(notifier->outbox, &partition, &next)) {
        kafka_group_done(notifier->reader, EVENTS_TOPIC, partition, next);
    }
}

static int time_left(const struct notifier *notifier, const struct road *road)
{
    const struct mail *mail = next_of(notifier, road);
    int64_t now = clock_steady();

    if (mail == NULL || !id_is_zero(&road->going)) {
        return IDLE_MS;
    }
    int64_t at = mail->due > road->away_until ? mail->due : road->away_until;
    return at <= now ? 0 : at - now > IDLE_MS ? IDLE_MS : (int)(at - now);
}

static int send_all(struct notifier *notifier, struct err *err)
{
    struct road *road;

    for (size_t i = 0; (road = roads_at(&notifier->roads, i)) != NULL; i++) {
        begin_one(notifier, road);
        if (go_on(notifier, road, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void wait_for_more(struct notifier *notifier)
{
    struct daemon *daemon = notifier->daemon;
    int fds[] = {kafka_reader_fd(notifier->reader),
                 kafka_writer_fd(daemon->writer), daemon_ending_fd(daemon)};
    int left = IDLE_MS;
    const struct road *road;

    for (size_t i = 0; (road = roads_at(&notifier->roads, i)) != NULL; i++) {
        int until = time_left(notifier, road);
        left = until < left ? until : left;
    }
    wire_wait(notifier->roads.wire, fds, ARRAY_SIZE(fds), left);
}

static int turn(struct daemon *daemon, struct err *err)
{
    struct notifier *notifier = daemon->state;

    if (news_take(notifier, err) != 0 || send_all(notifier, err) != 0 ||
        fates_tell(notifier, err) != 0 ||
        kafka_writer_poll(daemon->writer, 0, err) != 0) {
        return -1;
    }
    tell_group(notifier);
    wait_for_more(notifier);
    return 0;
}

static const struct service notifier_service = {
    .name = "errand-notifier",
    .kind = SERVICE_NOTIFIER,
    .keys = keys,
    .n_keys = ARRAY_SIZE(keys),
    .delivered = fate_delivered,
    .start = start,
    .turn = turn,
    .stop = stop,
};

int main(int argc, char **argv)
{
    return service_main(&notifier_service, argc, argv);
}
