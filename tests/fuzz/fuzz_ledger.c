/*
 * fuzz_ledger.c: any bytes as what an earlier life left on a host's disk.
 *
 * In: a first line `ledger`, `started` or `spool`, then the file. A ledger's
 * line that begins with `~` gets the checksum that belongs there. What is taken
 * is the same when it is opened again; every execution that a whole line of
 * `started` names is refused; and no file makes a child: what the ledger knows
 * was started, and is told.
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "consumer/executor/ledger.h"
#include "consumer/executor/spool.h"
#include "consumer/executor/started.h"

#define NOW INT64_C(1795521600123)
#define SUM 16

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/dev/shm/errand-fuzz-XXXXXX";

static void clean(void)
{
    static const char *const names[] = {"ledger", "ledger.new", "started",
                                        "00000000-0000-0000-0000-000000000000"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = must_printf("%s/%s", directory, names[i]);
        (void)unlink(path);
    }
}

static void end(void)
{
    clean();
    (void)rmdir(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (mkdtemp(directory) == NULL || atexit(end) != 0) {
        perror(directory);
        exit(1);
    }
    return 0;
}

static void put(const char *name, const void *bytes, size_t n)
{
    _cleanup_free_ char *path = must_printf("%s/%s", directory, name);
    struct err err = {0};

    int done = file_write(path, bytes, n, 0600, true, &err);
    assert(done == 0);
    (void)done;
}

/* The ledger */

/* A line's `~` becomes its sum and a space. */
static void sum_up(const char *text, size_t size, struct buf *out)
{
    while (size > 0) {
        const char *end_of = memchr(text, '\n', size);
        size_t n = end_of == NULL ? size : (size_t)(end_of - text);
        if (*text == '~') {
            struct hash hash = hash_of(text + 1, n - 1);
            char sum[SUM + 1];
            hex_encode(hash.b, SUM / 2, sum);
            (void)buf_adds(out, sum);
            (void)buf_adds(out, " ");
            (void)buf_add(out, text + 1, n - 1);
        } else {
            (void)buf_add(out, text, n);
        }
        n += end_of != NULL;
        (void)buf_add(out, "\n", end_of != NULL);
        text += n;
        size -= n;
    }
}

static struct ledger *open_ledger(struct err *err)
{
    struct id incarnation = id_random();
    struct ledger *ledger = ledger_open(directory, &incarnation, err);

    assert(ledger != NULL || (err->kind == ERR_FATAL && err->text[0] != '\0'));
    return ledger;
}

static void check_same(const struct ledger *one, const struct ledger *other)
{
    const struct entry *entry = NULL;

    while ((entry = ledger_next(one, entry)) != NULL) {
        const struct entry *same = ledger_find(other, &entry->execution);
        assert(same != NULL && same->started == entry->started);
        assert(same->exited == entry->exited && same->sent == entry->sent);
        assert(id_equal(&same->incarnation, &entry->incarnation));
        assert(buf_equal(&same->finished.payload, &entry->finished.payload));
    }
}

/* What a life does with what it finds; then it is killed. */
static void live(struct ledger *ledger)
{
    const struct entry *entry = NULL;
    struct id fresh = id_random();
    struct err err = {0};

    int done = ledger_start(ledger, &fresh, 7, &err);
    while (done == 0 && (entry = ledger_next(ledger, entry)) != NULL) {
        if (entry->exited && !entry->sent) {
            assert(entry->finished.type != NULL);
            done = ledger_sent(ledger, &entry->execution, &err);
        }
    }
    assert(done == 0 && ledger_find(ledger, &fresh)->started);
}

static void try_ledger(const char *text, size_t size)
{
    _cleanup_buf_ struct buf file = {0};
    struct err err = {0};

    sum_up(text, size, &file);
    put("ledger", file.data, file.len);
    struct ledger *first = open_ledger(&err);
    if (first == NULL) {
        return;
    }
    struct ledger *second = open_ledger(&err);
    assert(second != NULL);
    check_same(first, second);
    check_same(second, first);
    live(second);
    struct ledger *third = open_ledger(&err);
    assert(third != NULL);
    check_same(second, third);
    ledger_free(first);
    ledger_free(second);
    ledger_free(third);
}

/* What the spawner has started */

/* True for the last 36 characters of a whole line as the spawner writes it. */
static bool names_one(const char *line, size_t n, struct id *ret_execution)
{
    char text[ID_TEXT] = "";
    char *after = NULL;

    if (n < ID_TEXT || n > 60 || line[n - ID_TEXT] != ' ' || line[0] < '1' ||
        line[0] > '9') {
        return false;
    }
    (void)snprintf(text, sizeof(text), "%.36s", line + n - ID_TEXT + 1);
    int64_t at = strtoll(line, &after, 10);
    return after == line + n - ID_TEXT && at > NOW - 1000 && at <= NOW &&
           id_parse(text, ret_execution) == 0;
}

static void check_noted(struct started *started, const char *text, size_t size)
{
    while (size > 0) {
        const char *end_of = memchr(text, '\n', size);
        struct id execution;
        struct err err = {0};
        if (end_of == NULL) {
            return;
        }
        size_t n = (size_t)(end_of - text);
        if (names_one(text, n, &execution)) {
            int again = started_note(started, &execution, NOW, &err);
            assert(again != 0 && err.kind == ERR_REJECT);
            (void)again;
        }
        text += n + 1;
        size -= n + 1;
    }
}

static void try_started(const char *text, size_t size)
{
    _cleanup_free_ char *path = must_printf("%s/started", directory);
    struct id fresh = id_random();
    struct err err = {0};

    put("started", text, size);
    for (int life = 0; life < 2; life++) {
        struct started *started = started_open(path, NOW, &err);
        assert(started != NULL || (err.kind == ERR_FATAL && life == 0));
        if (started == NULL) {
            return;
        }
        check_noted(started, text, size);
        int noted = started_note(started, &fresh, NOW, &err);
        assert((noted == 0) == (life == 0));
        (void)noted;
        started_free(started);
    }
}

/* Results that were not delivered */

static void try_spool(const char *text, size_t size)
{
    const struct id execution = {0};
    int64_t at = 0;
    int64_t next = 0;
    struct err err = {0};

    put("00000000-0000-0000-0000-000000000000", text, size);
    for (int got = 1; got == 1; at = next) {
        _cleanup_envelope_ struct envelope envelope = {0};
        got = spool_read(directory, &execution, at, &envelope, &next, &err);
        assert(got >= 0 && (got == 0 || (next > at && next <= (int64_t)size)));
        assert(got == 0 || envelope.type != NULL);
    }
}

static const struct {
    const char *name;
    void (*try)(const char *text, size_t size);
} files[] = {
    {"ledger", try_ledger}, {"started", try_started}, {"spool", try_spool}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = must_calloc(size + 1, 1);

    memcpy(text, data, size);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        size_t n = strlen(files[i].name);
        if (strncmp(text, files[i].name, n) == 0 && text[n] == '\n') {
            files[i].try(text + n + 1, size - n - 1);
        }
    }
    clean();
    return 0;
}
