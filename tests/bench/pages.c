/*
 * pages.c: what a page of history costs, and a list, in a database that
 * pages.py filled: by the authorizer's own code, without its daemon.
 *
 * Prints "NAME<tab>MICROSECONDS", a line each: what one look in ten is faster
 * than. Other work on the machine makes looks longer, never shorter.
 *
 * usage: pages CONNINFO
 */
#include <stdio.h>
#include <time.h>

#include "consumer/authorizer/history.h"
#include "model/run.h"

#define TIMES 201
#define WARM 20

/* What pages.py made: see there. */
struct world {
    struct postgres *postgres;
    struct seer administrator, runner;
    struct id middle;       /* a run in the middle, which both see */
    int64_t since, until;   /* around it */
    struct list rare, none; /* arguments: of the newest alone; of no run */
};

struct look {
    const char *name;
    bool runner;
    struct run_history asked;
};

static int64_t micros(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a;
    int64_t other = *(const int64_t *)b;

    return (one > other) - (one < other);
}

static int look_once(const struct world *world, const struct look *look,
                     struct err *err)
{
    const struct seer *seer =
        look->runner ? &world->runner : &world->administrator;
    struct history_answer answer = {0};

    if (look->asked.limit == 0) {
        _cleanup_rows_ struct rows *rows = NULL;
        return commands_visible(world->postgres, seer,
                                &(struct command_named){0}, &rows, err);
    }
    if (history_read(world->postgres, seer, &look->asked, &answer, err) != 0) {
        return -1;
    }
    table_done(&history_answer_table, &answer);
    return 0;
}

static int measure(const struct world *world, const struct look *look,
                   struct err *err)
{
    int64_t took[TIMES];

    for (int i = -WARM; i < TIMES; i++) {
        int64_t began = micros();
        if (look_once(world, look, err) != 0) {
            return err_wrap(err, "%s", look->name);
        }
        if (i >= 0) {
            took[i] = micros() - began;
        }
    }
    qsort(took, TIMES, sizeof(took[0]), compare);
    printf("%s\t%lld\n", look->name, (long long)took[TIMES / 10]);
    return 0;
}

#define PAGED(...)               \
    {                            \
        .limit = 20, __VA_ARGS__ \
    }

static int measure_all(const struct world *world, struct err *err)
{
    char *command = (char *)"c1";
    char *email = (char *)"u1@example.org";
    const struct look looks[] = {
        {"newest", false, PAGED()},
        {"from the middle on", false, PAGED(.before = world->middle)},
        {"of a time", false,
         PAGED(.since = world->since, .until = world->until)},
        {"of a command", false, PAGED(.command = command)},
        {"of a command, from the middle on", false,
         PAGED(.command = command, .before = world->middle)},
        {"of a person", false, PAGED(.email = email)},
        {"that failed", false, PAGED(.outcome = OUTCOME_FAILED)},
        {"that succeeded, of a command", false,
         PAGED(.outcome = OUTCOME_SUCCEEDED, .command = command)},
        {"that run", false, PAGED(.state = RUN_RUNNING)},
        {"with a value", false, PAGED(.arguments = world->rare)},
        {"with a value that none has (a step)", false,
         PAGED(.arguments = world->none)},
        {"a runner's", true, PAGED()},
        {"a runner's, from the middle on", true,
         PAGED(.before = world->middle)},
        {"a runner's that failed", true, PAGED(.outcome = OUTCOME_FAILED)},
        {"a runner's that wait", true, PAGED(.state = RUN_WAITING)},
        {"list", false, {.limit = 0}},
        {"a runner's list", true, {.limit = 0}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
        if (measure(world, &looks[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int find_world(struct world *world, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(world->postgres,
           "SELECT (SELECT id FROM users WHERE email = 'u1@example.org') AS u, "
           "r.id, r.asked_at, r.asked_at + interval '1 hour' AS until, "
           "(SELECT max(asked_at) + interval '1 minute' FROM runs) AS now "
           "FROM runs r JOIN commands c ON c.id = r.command_id "
           "AND c.name = 'c1' ORDER BY asked_at, r.id "
           "OFFSET (SELECT count(*) / 100 FROM runs) LIMIT 1",
           &rows, err) != 0) {
        return -1;
    }
    world->administrator.all = true;
    world->administrator.now = row_time(rows, 0, "now");
    world->administrator.user = row_id(rows, 0, "u");
    world->runner = world->administrator;
    world->runner.all = false;
    world->middle = row_id(rows, 0, "id");
    world->since = row_time(rows, 0, "asked_at");
    world->until = row_time(rows, 0, "until");
    pairs_add(&world->rare, "n", "1");
    pairs_add(&world->none, "n", "none");
    return 0;
}

int main(int argc, char **argv)
{
    struct world world = {0};
    struct err err = {0};

    if (argc != 2) {
        (void)fputs("usage: pages CONNINFO\n", stderr);
        return 64;
    }
    world.postgres = postgres_new(argv[1], "pages");
    int done = postgres_open(world.postgres, SCHEMA_NUMBER, &err) != 0 ||
               postgres_begin(world.postgres, &err) != 0 ||
               find_world(&world, &err) != 0 || measure_all(&world, &err) != 0;
    if (done != 0) {
        (void)fprintf(stderr, "pages: %s\n", err.text);
    }
    postgres_rollback(world.postgres);
    postgres_free(world.postgres);
    pairs_done(&world.rare);
    pairs_done(&world.none);
    return done;
}
