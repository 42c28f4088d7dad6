/*
 * zone.c: see zone.h.
 *
 * A TZif file is a header, a block of 32-bit times that is passed over, a
 * second header, the block of 64-bit times, and a line between two newlines.
 * All numbers are big-endian. What is refused beyond what RFC 8536 forbids:
 * leap seconds (the folder right/: its clocks are not POSIX time), a file
 * without its last line, and more than any real zone has.
 */
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/suggest.h"

#define FILE_MAX 65536
#define CHANGES_MAX 2000
#define TYPES_MAX 256
#define TABLE_MAX 1000 /* names in zone.tab */
#define LINE_MAX_BYTES 100
#define HEADER_BYTES 44
#define TYPE_BYTES 6
#define OFFSET_MIN (-89999) /* s; what RFC 8536 recommends: -24:59:59 … */
#define OFFSET_MAX 93599    /* … to 25:59:59 */
#define TIME_MAX (INT64_C(1) << 50) /* s; "the beginning" is further away */
#define ADVICE ": say it by its IANA name, such as Europe/Berlin or UTC"

struct change {
    int64_t at;
    int64_t offset; /* from then on */
};

struct zone {
    int64_t first; /* the offset before all changes */
    struct change *changes;
    size_t n;
    struct yearly yearly; /* from the last change on */
};

/* What is left to read. */
struct bytes {
    const unsigned char *at;
    size_t n;
};

struct header {
    char version;
    uint32_t n_ut, n_standard, n_leap, n_times, n_types, n_chars;
};

static const unsigned char *take(struct bytes *bytes, size_t n)
{
    const unsigned char *at = bytes->at;

    if (bytes->n < n) {
        return NULL;
    }
    bytes->at += n;
    bytes->n -= n;
    return at;
}

static int64_t number(const unsigned char *at, size_t n)
{
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;

    while (n-- > 0) {
        value = value << 8 | *at++;
    }
    return (int64_t)value;
}

static int bad(struct err *err, const char *what)
{
    return err_set(err, ERR_REJECT, "not a time zone's file: %s", what);
}

static int read_header(struct bytes *bytes, struct header *header,
                       struct err *err)
{
    const unsigned char *at = take(bytes, HEADER_BYTES);
    uint32_t counts[6];

    if (at == NULL || memcmp(at, "TZif", 4) != 0) {
        return bad(err, "no TZif");
    }
    for (size_t i = 0; i < 6; i++) {
        counts[i] = (uint32_t)number(at + 20 + 4 * i, 4);
    }
    *header = (struct header){
        .version = (char)at[4],
        .n_ut = counts[0],
        .n_standard = counts[1],
        .n_leap = counts[2],
        .n_times = counts[3],
        .n_types = counts[4],
        .n_chars = counts[5],
    };
    if (header->version < '2' || header->version > '4') {
        return bad(err, "of a version that is not 2, 3 or 4");
    }
    if (header->n_times > CHANGES_MAX || header->n_types > TYPES_MAX ||
        header->n_chars > TYPES_MAX || header->n_leap > CHANGES_MAX ||
        header->n_ut > TYPES_MAX || header->n_standard > TYPES_MAX) {
        return bad(err, "larger than any");
    }
    return 0;
}

/* The block of 32-bit times. */
static int pass_over(struct bytes *bytes, const struct header *header,
                     struct err *err)
{
    size_t n = header->n_times * 5U + header->n_types * TYPE_BYTES +
               header->n_chars + header->n_leap * 8U + header->n_standard +
               header->n_ut;

    return take(bytes, n) == NULL ? bad(err, "cut short") : 0;
}

static int check_counts(const struct header *header, struct err *err)
{
    if (header->n_leap != 0) {
        return bad(err, "it counts leap seconds");
    }
    if (header->n_types == 0 || header->n_chars == 0 ||
        (header->n_ut != 0 && header->n_ut != header->n_types) ||
        (header->n_standard != 0 && header->n_standard != header->n_types)) {
        return bad(err, "its counts don't agree");
    }
    return 0;
}

/* Offset, summer or not (which is nothing to us), place of its name. */
static int read_types(struct bytes *bytes, const struct header *header,
                      int64_t *offsets, struct err *err)
{
    for (size_t i = 0; i < header->n_types; i++) {
        const unsigned char *at = take(bytes, TYPE_BYTES);
        if (at == NULL) {
            return bad(err, "cut short");
        }
        int64_t offset = number(at, 4);
        if (offset < OFFSET_MIN || offset > OFFSET_MAX || at[4] > 1 ||
            at[5] >= header->n_chars) {
            return bad(err, "a type is out of its bounds");
        }
        offsets[i] = offset * 1000;
    }
    return take(bytes, header->n_chars + header->n_standard + header->n_ut) ==
                   NULL
               ? bad(err, "cut short")
               : 0;
}

static int set_changes(struct zone *zone, const unsigned char *times,
                       const unsigned char *types, const struct header *header,
                       const int64_t *offsets)
{
    int64_t before = INT64_MIN;

    for (size_t i = 0; i < header->n_times; i++) {
        int64_t at = number(times + 8 * i, 8);
        if (types[i] >= header->n_types || (i > 0 && at <= before) ||
            at > TIME_MAX) {
            return -1;
        }
        before = at;
        at = at < -TIME_MAX ? SPAN_BEGIN : at * 1000;
        zone->changes[zone->n++] = (struct change){at, offsets[types[i]]};
    }
    return 0;
}

static int read_block(struct bytes *bytes, const struct header *header,
                      struct zone *zone, struct err *err)
{
    int64_t offsets[TYPES_MAX];
    const unsigned char *times = take(bytes, header->n_times * 8UL);
    const unsigned char *types = take(bytes, header->n_times);

    if (times == NULL || types == NULL) {
        return bad(err, "cut short");
    }
    if (read_types(bytes, header, offsets, err) != 0) {
        return -1;
    }
    zone->changes = must_calloc(header->n_times + 1, sizeof(*zone->changes));
    zone->first = offsets[0];
    return set_changes(zone, times, types, header, offsets) == 0
               ? 0
               : bad(err, "its changes are out of order or of no type");
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n", and nothing behind it. */
static int read_line(struct bytes *bytes, struct zone *zone, struct err *err)
{
    char line[LINE_MAX_BYTES + 1] = "";
    size_t n = bytes->n;

    if (n < 3 || n > sizeof(line) || bytes->at[0] != '\n' ||
        bytes->at[n - 1] != '\n' || memchr(bytes->at, '\0', n) != NULL) {
        return bad(err, "no last line that says how it goes on");
    }
    memcpy(line, bytes->at + 1, n - 2);
    return yearly_read(line, &zone->yearly, err) == 0
               ? 0
               : err_wrap(err, "not a time zone's file");
}

struct zone *zone_read(const void *data, size_t n, struct err *err)
{
    _cleanup_zone_ struct zone *zone = must_calloc(1, sizeof(*zone));
    struct bytes bytes = {data, n};
    struct header header;

    if (read_header(&bytes, &header, err) != 0 ||
        pass_over(&bytes, &header, err) != 0 ||
        read_header(&bytes, &header, err) != 0 ||
        check_counts(&header, err) != 0 ||
        read_block(&bytes, &header, zone, err) != 0 ||
        read_line(&bytes, zone, err) != 0) {
        return NULL;
    }
    return take_ptr(zone);
}

void zone_free(struct zone *zone)
{
    if (zone != NULL) {
        free(zone->changes);
        free(zone);
    }
}

/* Letters, digits, + - _ in parts that begin with a capital, as in
 * America/Argentina/Buenos_Aires and Etc/GMT-14: so nothing of the folder that
 * is no zone of that name, such as localtime, right/UTC and zone.tab. */
static bool is_zone_name(const char *name)
{
    const char *at = name;

    if (strlen(name) > ZONE_NAME_MAX) {
        return false;
    }
    for (;; at++) {
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789+-_");
        if (*at < 'A' || *at > 'Z') {
            return false;
        }
        at += len;
        if (*at != '/') {
            return *at == '\0' && strcmp(name, "Factory") != 0;
        }
    }
}

/* The known name that is close to a mistyped one, by tzdata's own table: its
 * third column. NULL: none is; the caller's to free. */
static char *close_to(const char *name)
{
    _cleanup_buf_ struct buf table = {0};
    struct err none = {0};
    const char *known[TABLE_MAX];
    size_t n = 0;

    if (file_read(ZONES_FOLDER "/zone.tab", FILE_MAX, &table, &none) != 0) {
        return NULL;
    }
    char *rest = (char *)table.data;
    for (char *line; n < TABLE_MAX && (line = strsep(&rest, "\n")) != NULL;) {
        char *cells = line;
        for (int column = 0; column < 2 && line[0] != '#'; column++) {
            (void)strsep(&cells, "\t");
        }
        char *cell = cells == NULL ? NULL : strsep(&cells, "\t");
        if (cell != NULL && is_zone_name(cell)) {
            known[n++] = cell;
        }
    }
    const char *found = suggest(name, known, n);
    return found == NULL ? NULL : must_strdup(found);
}

/* Without the name where that could not be shown anywhere. */
static int unknown(struct err *err, const char *name)
{
    size_t len = strlen(name);
    bool plain = len > 0 && len <= ZONE_NAME_MAX;

    for (size_t i = 0; i < len && plain; i++) {
        plain = name[i] > ' ' && name[i] <= '~';
    }
    if (!plain) {
        return err_exit(err, EX_DATAERR, "no time zone has such a name" ADVICE);
    }
    _cleanup_free_ char *close = close_to(name);
    return err_exit(err, EX_DATAERR,
                    "'%s' is no time zone that is known here%s%s%s" ADVICE,
                    name, close == NULL ? "" : " (did you mean ",
                    close == NULL ? "" : close, close == NULL ? "" : "?)");
}

struct zone *zone_open(const char *name, struct err *err)
{
    _cleanup_buf_ struct buf bytes = {0};
    struct err why = {0};

    if (!is_zone_name(name)) {
        (void)unknown(err, name);
        return NULL;
    }
    if (!file_exists(ZONES_FOLDER "/UTC")) {
        (void)err_set(err, ERR_FATAL,
                      "no time zones on this machine: install tzdata");
        return NULL;
    }
    _cleanup_free_ char *path = must_printf("%s/%s", ZONES_FOLDER, name);
    if (file_read(path, FILE_MAX, &bytes, &why) != 0) {
        if (why.kind == ERR_RETRY) {
            *err = why; /* out of memory */
        } else {
            (void)unknown(err, name);
        }
        return NULL;
    }
    struct zone *zone = zone_read(bytes.data, bytes.len, err);
    if (zone == NULL) {
        (void)err_wrap(err, "%s", path);
    }
    return zone;
}

struct span zone_span(const struct zone *zone, int64_t moment)
{
    size_t low = 0;
    size_t high =
        zone->n; /* the first change after the moment is in [low, high] */

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at <= moment) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < zone->n) {
        return (struct span){
            .from = low == 0 ? SPAN_BEGIN : zone->changes[low - 1].at,
            .until = zone->changes[low].at,
            .offset = low == 0 ? zone->first : zone->changes[low - 1].offset,
        };
    }
    struct span span = yearly_span(&zone->yearly, moment);
    if (zone->n > 0 && span.from < zone->changes[zone->n - 1].at) {
        span.from = zone->changes[zone->n - 1].at;
    }
    return span;
}

int64_t zone_local(const struct zone *zone, int64_t moment)
{
    return moment + zone_span(zone, moment).offset;
}
