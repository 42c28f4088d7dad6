/*
 * service.c: the life of every daemon, from main() to its exit status; see
 * service.h. What is read before (options, configuration, keys) is in
 * service_setup.c.
 *
 * In go a row and a command line; out come the daemon's log on stderr, its
 * ready file and its exit status: 0 after TERM or INT, 78 for configuration, 1
 * for the rest. Only here and in the daemons something is logged.
 */
#include "service.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/file.h"
#include "service_private.h"

#define BACK_OFF_MIN 100  /* ms */
#define BACK_OFF_MAX 5000 /* ms */
#define TROUBLE_MS 300    /* a broker's absence that is worth a line */
#define FLUSH_MS 1000
#define WAIT_FDS_MAX 16

struct life {
    bool ready;
    struct list readers; /* struct kafka_reader * */
    int64_t back_off;    /* ms; 0: all is well */
    char *waiting_for;   /* how the reason for backing off begins, or NULL */
    int64_t troubled;    /* since when the broker is away; 0: it is not */
    bool trouble_told;
    char *dead; /* the record that was sent to errand.dead last */
};

/* Waiting */

void daemon_wait(struct daemon *daemon, const int *fds, size_t n,
                 int timeout_ms)
{
    struct pollfd all[WAIT_FDS_MAX + 1] = {
        {.fd = daemon_ending_fd(daemon), .events = POLLIN}};

    if (n > WAIT_FDS_MAX) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        all[i + 1] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    (void)poll(all, n + 1, timeout_ms);
}

/* Trouble: one line when it begins, one when it is over */

void daemon_watch(struct daemon *daemon, struct kafka_reader *reader)
{
    struct kafka_reader **to = list_grow(&daemon->life->readers, sizeof(*to));

    *to = reader;
}

void daemon_unwatch(struct daemon *daemon, const struct kafka_reader *reader)
{
    struct list *readers = &daemon->life->readers;

    for (size_t i = 0; i < readers->n; i++) {
        if (list_at(readers, struct kafka_reader *, i) == reader) {
            list_at(readers, struct kafka_reader *, i) =
                list_at(readers, struct kafka_reader *, --readers->n);
        }
    }
}

static const char *trouble_of(struct daemon *daemon)
{
    const struct list *readers = &daemon->life->readers;
    const char *trouble =
        daemon->writer == NULL ? NULL : kafka_writer_trouble(daemon->writer);

    for (size_t i = 0; i < readers->n; i++) {
        struct kafka_reader *reader =
            list_at(readers, struct kafka_reader *, i);
        _cleanup_free_ char *note = kafka_reader_note_take(reader);
        if (note != NULL) {
            log_warning(&daemon->log, note);
        }
        if (trouble == NULL) {
            trouble = kafka_reader_trouble(reader);
        }
    }
    return trouble;
}

static void log_trouble(struct daemon *daemon)
{
    struct life *life = daemon->life;
    const char *trouble = trouble_of(daemon);
    int64_t now = clock_steady();

    if (trouble == NULL) {
        if (life->trouble_told) {
            log_info(&daemon->log, "the broker is back",
                     L_INT("after_ms", now - life->troubled));
        }
        life->troubled = 0;
        life->trouble_told = false;
    } else if (life->troubled == 0) {
        life->troubled = now;
    } else if (!life->trouble_told && now - life->troubled >= TROUBLE_MS) {
        log_warning(&daemon->log, "waiting for the broker",
                    L_TEXT("reason", trouble));
        life->trouble_told = true;
    }
}

/* "database" of "database: connection refused": while that stays the same there
 * is nothing new to say. */
static void log_waiting(struct daemon *daemon, const struct err *err)
{
    struct life *life = daemon->life;
    _cleanup_free_ char *what =
        must_printf("%.*s", (int)strcspn(err->text, ":"), err->text);

    if (life->waiting_for == NULL || strcmp(life->waiting_for, what) != 0) {
        log_warning(&daemon->log, "waiting", L_ERR(err));
        free(life->waiting_for);
        life->waiting_for = take_ptr(what);
    }
}

static void back_off(struct daemon *daemon, const struct err *err)
{
    struct life *life = daemon->life;

    log_waiting(daemon, err);
    life->back_off = life->back_off == 0 ? BACK_OFF_MIN : 2 * life->back_off;
    if (life->back_off > BACK_OFF_MAX) {
        life->back_off = BACK_OFF_MAX;
    }
    daemon_wait(daemon, NULL, 0, (int)life->back_off);
}

static void went_well(struct daemon *daemon)
{
    struct life *life = daemon->life;

    if (life->waiting_for != NULL) {
        log_info(&daemon->log, "going on",
                 L_TEXT("waited_for", life->waiting_for));
    }
    free(life->waiting_for);
    life->waiting_for = NULL;
    life->back_off = 0;
}

/* The way: each step until it goes well, the daemon shall end, or it can't */

static int again(struct daemon *daemon,
                 int (*step)(struct daemon *, struct err *), struct err *err)
{
    while (!daemon_ending(daemon)) {
        if (step(daemon, err) == 0) {
            went_well(daemon);
            return 0;
        }
        if (err->kind != ERR_RETRY) {
            return -1;
        }
        back_off(daemon, err);
    }
    return 0;
}

static int open_database(struct daemon *daemon, struct err *err)
{
    if (!daemon->service->postgres) {
        return 0;
    }
    if (daemon->postgres == NULL) {
        daemon->postgres = postgres_new(
            config_text(&daemon->config, "postgres", "conninfo"), daemon->name);
    }
    return postgres_open(daemon->postgres, SCHEMA_NUMBER, err);
}

static int open_writer(struct daemon *daemon, struct err *err)
{
    daemon->writer = kafka_writer_new(&daemon->kafka,
                                      daemon->service->delivered, daemon, err);
    return daemon->writer == NULL ? -1 : 0;
}

static void stop(struct daemon *daemon)
{
    if (daemon->state != NULL) {
        daemon->service->stop(daemon);
        daemon->state = NULL;
    }
}

static int start(struct daemon *daemon, struct err *err)
{
    if (daemon->service->start(daemon, err) == 0) {
        return 0;
    }
    stop(daemon);
    return -1;
}

static int turn(struct daemon *daemon, struct err *err)
{
    int failed = daemon->service->turn(daemon, err);

    if (!failed) {
        failed = kafka_writer_poll(daemon->writer, 0, err);
    }
    log_trouble(daemon);
    return failed;
}

static int live(struct daemon *daemon, struct err *err)
{
    bool early = daemon->service->before_writer;

    if (!early && signals_watch(daemon->signals, err) != 0) {
        return -1;
    }
    if (again(daemon, open_database, err) != 0 ||
        (early && again(daemon, start, err) != 0) ||
        signals_watch(daemon->signals, err) != 0 ||
        open_writer(daemon, err) != 0 ||
        (!early && again(daemon, start, err) != 0)) {
        return -1;
    }
    while (!daemon_ending(daemon)) {
        if (again(daemon, turn, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void end(struct daemon *daemon)
{
    const char *ready = config_text(&daemon->config, "service", "ready");
    struct err err = {0};

    if (!daemon_ending(daemon)) {
        signals_give_up(daemon->signals);
    }
    stop(daemon);
    if (daemon->writer != NULL &&
        kafka_writer_flush(daemon->writer, FLUSH_MS, &err) != 0) {
        log_warning(&daemon->log, "not all was delivered", L_ERR(&err));
    }
    kafka_writer_free(daemon->writer);
    postgres_free(daemon->postgres);
    if (ready != NULL) {
        (void)unlink(ready);
    }
    free(daemon->life->readers.items);
    free(daemon->life->waiting_for);
    free(daemon->life->dead);
}

void daemon_ready(struct daemon *daemon)
{
    const char *path = config_text(&daemon->config, "service", "ready");
    _cleanup_free_ char *pid = must_printf("%d\n", getpid());
    struct err err = {0};

    if (daemon->life->ready) {
        return;
    }
    daemon->life->ready = true;
    log_info(&daemon->log, "ready");
    if (path != NULL &&
        file_write(path, pid, strlen(pid), 0644, true, &err) != 0) {
        log_error(&daemon->log, "no ready file", L_ERR(&err));
    }
}

/* errand.dead */

int daemon_dead(struct daemon *daemon, const struct record *record,
                const struct err *reason, struct err *err)
{
    struct life *life = daemon->life;
    _cleanup_free_ char *where = record_place(record);

    if (life->dead == NULL || strcmp(life->dead, where) != 0) {
        if (daemon_dead_send(daemon, record, reason, 0, err) != 0) {
            return -1;
        }
        free(life->dead);
        life->dead = take_ptr(where);
    }
    return kafka_writer_flush(daemon->writer, FLUSH_MS, err) == 0
               ? 0
               : err_wrap(err, "errand.dead");
}

/* main() */

/* What a supervisor goes by. */
static int status_of(const struct err *err)
{
    return err->status == EX_CONFIG || err->status == EX_TEMPFAIL
               ? err->status
               : EXIT_FAILURE;
}

static int give_up(const struct service *service, const struct err *err)
{
    (void)fprintf(stderr, "%s: %s\n", service->name, err->text);
    return status_of(err);
}

/* --make-key, --check-host and --check-config: for a person, and no daemon. */
static int answer(struct daemon *daemon, const struct options *options,
                  struct err *err)
{
    if (options->check_host) {
        return daemon->service->check_host(daemon, err);
    }
    if (options->make_key) {
        _cleanup_free_ char *line = daemon_make_key(daemon, err);
        return line == NULL || puts(line) < 0 || fflush(stdout) != 0 ? -1 : 0;
    }
    if (daemon_identify(daemon, err) != 0 || open_writer(daemon, err) != 0) {
        return -1;
    }
    kafka_writer_free(daemon->writer);
    (void)printf("%s: good\n", options->config);
    return 0;
}

static int serve(struct daemon *daemon, struct err *err)
{
    const char *ready = config_text(&daemon->config, "service", "ready");

    if (daemon_identify(daemon, err) != 0) {
        return -1;
    }
    if (signals_block(daemon->signals, daemon->service, err) != 0) {
        return -1;
    }
    if (ready != NULL) {
        (void)unlink(ready); /* a killed life's */
    }
    log_info(&daemon->log, "starting", L_TEXT("version", ERRAND_VERSION));
    int failed = live(daemon, err);
    if (failed) {
        log_error(&daemon->log, "giving up", L_ERR(err));
    }
    end(daemon);
    log_info(&daemon->log, "ended");
    return failed;
}

int service_main(const struct service *service, int argc, char **argv)
{
    struct life life = {0};
    struct signals signals = {
        .came = -1, .ending = -1, .hurried = -1, .reload = -1};
    struct daemon daemon = {
        .service = service, .life = &life, .signals = &signals};
    struct options options;
    struct err err = {0};

    (void)umask(077);
    if (sodium_init() < 0) {
        abort();
    }
    options_read(service, argc, argv, &options);
    if (daemon_configure(&daemon, options.config, &err) != 0) {
        daemon_unconfigure(&daemon);
        return give_up(service, &err);
    }
    bool person = options.check || options.make_key || options.check_host;
    int failed =
        person ? answer(&daemon, &options, &err) : serve(&daemon, &err);
    int status = !failed                      ? EXIT_SUCCESS
                 : person || signals.came < 0 ? give_up(service, &err)
                                              : status_of(&err);
    daemon_unconfigure(&daemon);
    return status;
}
