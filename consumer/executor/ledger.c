/* ledger.c: see ledger.h. */
#include "consumer/executor/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/append.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"

#define SUM 16                  /* hex digits of a line's checksum */
#define COMPACT_FROM (16 << 20) /* bytes */
#define EXIT_ROOM (64 << 10)   /* bytes: 16 KiB of output, base64 three times */
#define LINES_ROOM (128 << 10) /* bytes: some hundred START, SENT and LIFE */

struct life {
    struct id incarnation;
    UT_hash_handle hh;
};

struct ledger {
    char *directory;
    char *path;
    int fd;
    off_t size;       /* of whole lines */
    off_t reserved;   /* the disk's room up to there is the file's own */
    off_t compact_at; /* the size from which on it's written anew */
    char boot[ID_TEXT];
    struct id incarnation;
    struct life *lives;
    struct entry *entries;
};

static struct entry *find(const struct ledger *ledger,
                          const struct id *execution)
{
    struct entry *entry = NULL;

    HASH_FIND(hh, ledger->entries, execution->b, sizeof(execution->b), entry);
    return entry;
}

static struct entry *find_or_add(struct ledger *ledger,
                                 const struct id *execution)
{
    struct entry *entry = find(ledger, execution);

    if (entry == NULL) {
        entry = must_calloc(1, sizeof(*entry));
        entry->execution = *execution;
        HASH_ADD(hh, ledger->entries, execution.b, sizeof(execution->b), entry);
    }
    return entry;
}

static void add_life(struct ledger *ledger, const struct id *incarnation)
{
    struct life *life = must_calloc(1, sizeof(*life));

    life->incarnation = *incarnation;
    HASH_ADD(hh, ledger->lives, incarnation.b, sizeof(incarnation->b), life);
}

static void checksum(const char *text, size_t n, char sum[static SUM + 1])
{
    struct hash hash = hash_of(text, n);

    hex_encode(hash.b, SUM / 2, sum);
}

/* Reading: a row for each word. `words` are what follows it. */

#define WORDS_MAX 5

static int read_life(struct ledger *ledger, char **words)
{
    struct id id;

    if (words[2] == NULL || id_parse(words[0], &id) != 0) {
        return -1;
    }
    add_life(ledger, &id);
    return 0;
}

static int read_start(struct ledger *ledger, char **words)
{
    struct id execution;
    struct id incarnation;

    if (words[3] == NULL || id_parse(words[0], &execution) != 0 ||
        id_parse(words[1], &incarnation) != 0) {
        return -1;
    }
    struct entry *entry = find_or_add(ledger, &execution);
    entry->incarnation = incarnation;
    entry->claim = strtoll(words[2], NULL, 10);
    entry->started = true;
    entry->same_boot = strcmp(words[3], ledger->boot) == 0;
    return 0;
}

static int read_exit(struct ledger *ledger, char **words)
{
    _cleanup_buf_ struct buf json = {0};
    struct id execution;
    struct id incarnation;
    struct err ignored = {0};

    if (words[2] == NULL || id_parse(words[0], &execution) != 0 ||
        id_parse(words[1], &incarnation) != 0 ||
        base64_decode(words[2], strlen(words[2]), &json) != 0) {
        return -1;
    }
    struct entry *entry = find_or_add(ledger, &execution);
    entry->incarnation = incarnation;
    entry->exited = true;
    envelope_done(&entry->finished);
    return envelope_decode(json.data, json.len, &entry->finished, &ignored);
}

static int read_sent(struct ledger *ledger, char **words)
{
    struct id execution;

    if (words[0] == NULL || id_parse(words[0], &execution) != 0) {
        return -1;
    }
    struct entry *entry = find_or_add(ledger, &execution);
    entry->sent = true;
    envelope_done(&entry->finished);
    return 0;
}

static const struct {
    const char *word;
    int (*read)(struct ledger *, char **);
} rows[] = {{"LIFE", read_life},
            {"START", read_start},
            {"EXIT", read_exit},
            {"SENT", read_sent}};

static int read_line(struct ledger *ledger, char *line)
{
    char sum[SUM + 1];
    char *words[WORDS_MAX + 1] = {NULL};
    char *rest = NULL;

    if (strlen(line) < SUM + 2 || line[SUM] != ' ') {
        return -1;
    }
    checksum(line + SUM + 1, strlen(line + SUM + 1), sum);
    if (memcmp(sum, line, SUM) != 0) {
        return -1;
    }
    char *word = strtok_r(line + SUM + 1, " ", &rest);
    for (int i = 0; i < WORDS_MAX; i++) {
        words[i] = strtok_r(NULL, " ", &rest);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (word != NULL && strcmp(word, rows[i].word) == 0) {
            return rows[i].read(ledger, words);
        }
    }
    return -1;
}

/* The next whole line, without its end; -1: no more (or torn by a crash: it was
 * never acted upon). */
static ssize_t next_line(FILE *file, char **line, size_t *size)
{
    ssize_t len = getline(line, size, file);

    if (len < 1 || (*line)[len - 1] != '\n') {
        return -1;
    }
    (*line)[len - 1] = '\0';
    return len - 1;
}

static int read_lines(struct ledger *ledger, struct err *err)
{
    _cleanup_file_ FILE *file = fopen(ledger->path, "re");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (file == NULL) {
        return err_set(err, ERR_FATAL, "%s: %s", ledger->path, strerror(errno));
    }
    ledger->size = 0;
    for (int number = 1; (len = next_line(file, &line, &size)) >= 0; number++) {
        if (read_line(ledger, line) != 0) {
            return err_set(err, ERR_FATAL,
                           "%s:%d: damaged; what this host has started is no "
                           "longer known: see ops/README.md, \"A damaged "
                           "ledger\"",
                           ledger->path, number);
        }
        ledger->size += len + 1;
    }
    return ferror(file) == 0 ? 0
                             : err_set(err, ERR_FATAL, "%s: %s", ledger->path,
                                       strerror(errno));
}

/* What was sent is never told again: its result need not be kept. */
static bool is_kept(const struct ledger *ledger, const char *line)
{
    const char *word = line + SUM + 1;
    struct id execution;

    if (strncmp(word, "EXIT ", 5) != 0) {
        return true;
    }
    char text[ID_TEXT];
    (void)snprintf(text, sizeof(text), "%.36s", word + 5);
    const struct entry *entry =
        id_parse(text, &execution) == 0 ? find(ledger, &execution) : NULL;
    return entry == NULL || !entry->sent;
}

static int copy_kept(const struct ledger *ledger, FILE *to, off_t *ret_size)
{
    _cleanup_file_ FILE *from = fopen(ledger->path, "re");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    ssize_t len = 0;

    while (from != NULL && (len = next_line(from, &line, &size)) >= 0) {
        if (is_kept(ledger, line)) {
            *ret_size += len + 1;
            (void)fprintf(to, "%s\n", line);
        }
    }
    return from == NULL || ferror(from) != 0 || fflush(to) != 0 ||
                   ferror(to) != 0 || fsync(fileno(to)) != 0
               ? -1
               : 0;
}

/* Writes the file anew, without what is needed no more, and goes on in that.
 * Where the disk does not take it, or has not as much room behind it, the old
 * one stays. */
static void compact(struct ledger *ledger)
{
    off_t room = ledger->reserved - ledger->size;
    _cleanup_free_ char *path = must_printf("%s.new", ledger->path);
    _cleanup_close_ int fd =
        open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    _cleanup_file_ FILE *file =
        fd < 0 ? NULL : fdopen(fcntl(fd, F_DUPFD_CLOEXEC, 0), "w");
    off_t size = 0;

    if (file != NULL && copy_kept(ledger, file, &size) == 0 &&
        (room <= 0 || append_reserve(fd, size, room) == 0) &&
        rename(path, ledger->path) == 0) {
        cleanup_close(&ledger->fd);
        ledger->fd = take_fd(fd);
        ledger->size = size;
        ledger->reserved = size + (room > 0 ? room : 0);
        (void)directory_sync(ledger->directory);
    } else {
        (void)unlink(path);
    }
    ledger->compact_at = 2 * ledger->size + COMPACT_FROM;
}

static int read_boot(struct ledger *ledger, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (file_read("/proc/sys/kernel/random/boot_id", 100, &text, err) != 0) {
        return -1;
    }
    (void)snprintf(ledger->boot, sizeof(ledger->boot), "%.36s",
                   buf_text(&text));
    return 0;
}

static int read_file(struct ledger *ledger, struct err *err)
{
    ledger->fd = open(ledger->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ledger->fd < 0) {
        return err_set(err, ERR_FATAL, "%s: %s", ledger->path, strerror(errno));
    }
    (void)directory_sync(ledger->directory);
    if (read_lines(ledger, err) != 0) {
        return -1;
    }
    /* A torn last line goes; else the file keeps the room behind its end. */
    if (lseek(ledger->fd, 0, SEEK_END) != ledger->size &&
        ftruncate(ledger->fd, ledger->size) != 0) {
        return err_set(err, ERR_FATAL, "%s: %s", ledger->path, strerror(errno));
    }
    if (ledger->size >= COMPACT_FROM) {
        compact(ledger);
    }
    ledger->compact_at = 2 * ledger->size + COMPACT_FROM;
    return 0;
}

/* Appends one line. */
static int append(struct ledger *ledger, bool sync, struct err *err,
                  const char *fmt, ...) _printf_(4, 5);

static int append(struct ledger *ledger, bool sync, struct err *err,
                  const char *fmt, ...)
{
    _cleanup_free_ char *text = NULL;
    char sum[SUM + 1];
    va_list args;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) {
        abort();
    }
    checksum(text, (size_t)n, sum);
    _cleanup_free_ char *line = must_printf("%s %s\n", sum, text);
    size_t len = strlen(line);
    if (append_line(ledger->fd, ledger->size, line, len, sync) != 0) {
        ledger->reserved = 0; /* it was cut */
        return err_set(err, ERR_RETRY, "%s: %s", ledger->path, strerror(errno));
    }
    ledger->size += (off_t)len;
    return 0;
}

static int write_life(struct ledger *ledger, struct err *err)
{
    char id[ID_TEXT];
    char now[TIME_TEXT];

    id_format(&ledger->incarnation, id);
    time_format(clock_now(), now);
    return append(ledger, true, err, "LIFE %s %s %s", id, ledger->boot, now);
}

struct ledger *ledger_open(const char *directory, const struct id *incarnation,
                           struct err *err)
{
    struct ledger *ledger = must_calloc(1, sizeof(*ledger));

    ledger->directory = must_strdup(directory);
    ledger->path = must_printf("%s/ledger", directory);
    ledger->incarnation = *incarnation;
    ledger->fd = -1;
    if (directory_make(directory, err) != 0 || read_boot(ledger, err) != 0 ||
        read_file(ledger, err) != 0 || write_life(ledger, err) != 0) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    struct entry *entry;
    struct entry *next;
    struct life *life;
    struct life *after;

    if (ledger == NULL) {
        return;
    }
    HASH_ITER (hh, ledger->entries, entry, next) {
        HASH_DEL(ledger->entries, entry);
        envelope_done(&entry->finished);
        free(entry);
    }
    HASH_ITER (hh, ledger->lives, life, after) {
        HASH_DEL(ledger->lives, life);
        free(life);
    }
    cleanup_close(&ledger->fd);
    free(ledger->path);
    free(ledger->directory);
    free(ledger);
}

const struct entry *ledger_find(const struct ledger *ledger,
                                const struct id *execution)
{
    return find(ledger, execution);
}

const struct entry *ledger_next(const struct ledger *ledger,
                                const struct entry *entry)
{
    return entry == NULL ? ledger->entries : entry->hh.next;
}

bool ledger_lived(const struct ledger *ledger, const struct id *incarnation)
{
    struct life *life = NULL;

    HASH_FIND(hh, ledger->lives, incarnation->b, sizeof(incarnation->b), life);
    return life != NULL;
}

/* Twice as much for short lines, so that not each of them asks the disk. */
int ledger_reserve(struct ledger *ledger, size_t exits, struct err *err)
{
    off_t room = LINES_ROOM + (off_t)exits * EXIT_ROOM;

    if (ledger->size + room <= ledger->reserved) {
        return 0;
    }
    if (append_reserve(ledger->fd, ledger->size, room + LINES_ROOM) != 0) {
        return err_set(err, ERR_RETRY, "%s: %s", ledger->path, strerror(errno));
    }
    ledger->reserved = ledger->size + room + LINES_ROOM;
    return 0;
}

int ledger_start(struct ledger *ledger, const struct id *execution,
                 int64_t claim, struct err *err)
{
    char id[ID_TEXT];
    char incarnation[ID_TEXT];

    id_format(execution, id);
    id_format(&ledger->incarnation, incarnation);
    if (append(ledger, true, err, "START %s %s %lld %s", id, incarnation,
               (long long)claim, ledger->boot) != 0) {
        return -1;
    }
    struct entry *entry = find_or_add(ledger, execution);
    entry->incarnation = ledger->incarnation;
    entry->claim = claim;
    entry->started = true;
    entry->same_boot = true;
    return 0;
}

int ledger_exit(struct ledger *ledger, const struct id *execution,
                const struct id *incarnation, const struct envelope *finished,
                struct err *err)
{
    _cleanup_buf_ struct buf json = {0};
    char id[ID_TEXT];
    char won[ID_TEXT];

    if (envelope_encode(finished, &json, err) != 0) {
        return -1;
    }
    _cleanup_free_ char *text = base64_encode(json.data, json.len);
    id_format(execution, id);
    id_format(incarnation, won);
    if (text == NULL ||
        append(ledger, true, err, "EXIT %s %s %s", id, won, text) != 0) {
        return -1;
    }
    struct entry *entry = find_or_add(ledger, execution);
    entry->incarnation = *incarnation;
    entry->exited = true;
    entry->finished = envelope_dup(finished);
    return 0;
}

int ledger_sent(struct ledger *ledger, const struct id *execution,
                struct err *err)
{
    struct entry *entry = find_or_add(ledger, execution);
    char id[ID_TEXT];

    id_format(execution, id);
    if (append(ledger, false, err, "SENT %s", id) != 0) {
        return -1;
    }
    entry->sent = true;
    envelope_done(&entry->finished);
    if (ledger->size >= ledger->compact_at) {
        compact(ledger);
    }
    return 0;
}

const char *ledger_directory(const struct ledger *ledger)
{
    return ledger->directory;
}
