/*
 * calendar.h: dates of the calendar that all clocks follow (proleptic
 * Gregorian), as days since 1970-01-01. Plain arithmetic: no time zone, nothing
 * of the C library's own clockwork.
 */
#pragma once

#include <stdint.h>

#define DAY_MS (INT64_C(86400) * 1000)

struct date {
    int64_t year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* Days since 1970-01-01, before it less than 0; and back. Years within a
 * million of 1970. */
int64_t date_days(struct date date);
struct date date_of(int64_t days);

/* 0 is Sunday, 6 Saturday. */
int weekday_of(int64_t days);

/* How many days a month has. */
int month_days(int64_t year, int month);

/* Division that rounds down, also below 0. */
int64_t floor_div(int64_t n, int64_t by);
