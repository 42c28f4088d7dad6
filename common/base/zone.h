/*
 * zone.h: time zones by their IANA names, from the system's tzdata.
 *
 * In comes a TZif file (RFC 8536, version 2 or later), read strictly; out goes
 * how far the zone's clock is ahead of UTC, for any moment: by the file's list,
 * and after its end by its last line (yearly.h), so there is no last year. All
 * of it is a value: no TZ in the environment, no tzset(), no `struct tm`, and
 * two zones at once are no trouble. (glibc's own way knows one zone a process,
 * and takes a name that it does not know for UTC without a word.)
 *
 * Moments, local times and offsets are milliseconds; a local time is what the
 * clock on the wall shows, as if that were UTC.
 */
#pragma once

#include <stddef.h>

#include "base/yearly.h"

#define ZONE_NAME_MAX 63
#define ZONES_FOLDER "/usr/share/zoneinfo"

struct zone;

/* The zone of that name; the caller's to free. NULL: there is none (REJECT), or
 * no tzdata on this machine (FATAL); names it. */
struct zone *zone_open(const char *name, struct err *err);

/* The same of a file's bytes. NULL (REJECT): says what is wrong. */
struct zone *zone_read(const void *bytes, size_t n, struct err *err);

void zone_free(struct zone *zone); /* NULL is fine */

/* The span that a moment lies in. The one before it, if any, is that of
 * `from - 1`, the next one that of `until`; neighbours may have one offset. */
struct span zone_span(const struct zone *zone, int64_t moment);

/* What the clock shows at a moment. */
int64_t zone_local(const struct zone *zone, int64_t moment);

static inline void cleanup_zone_free(struct zone **zone)
{
    zone_free(*zone);
}
#define _cleanup_zone_ _cleanup_(cleanup_zone_free)
