/*
 * calendar.c: see calendar.h.
 *
 * A year is reckoned to begin in March, so that the day that comes every four
 * years is its last; 400 such years are 146,097 days.
 */
#include "base/calendar.h"

#include <stdbool.h>

#define ERA_DAYS 146097         /* of 400 years */
#define DAYS_BEFORE_1970 719468 /* since 0000-03-01 */

int64_t floor_div(int64_t n, int64_t by)
{
    return n / by - (n % by < 0);
}

/* Of the months before this one in a year that begins in March. */
static int days_before(int from_march)
{
    return (153 * from_march + 2) / 5;
}

int64_t date_days(struct date date)
{
    int64_t year = date.year - (date.month < 3);
    int64_t era = floor_div(year, 400);
    int64_t of_era = year - era * 400;
    int from_march = (date.month + 9) % 12;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 +
           days_before(from_march) + date.day - 1 - DAYS_BEFORE_1970;
}

struct date date_of(int64_t days)
{
    int64_t since = days + DAYS_BEFORE_1970;
    int64_t era = floor_div(since, ERA_DAYS);
    int64_t day = since - era * ERA_DAYS;
    int64_t year =
        (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
    int of_year = (int)(day - (365 * year + year / 4 - year / 100));
    int from_march = (5 * of_year + 2) / 153;
    int month = (from_march + 2) % 12 + 1;

    return (struct date){
        .year = era * 400 + year + (month < 3),
        .month = month,
        .day = of_year - days_before(from_march) + 1,
    };
}

int weekday_of(int64_t days)
{
    int64_t day = days + 4; /* 1970-01-01 was a Thursday */

    return (int)(day - floor_div(day, 7) * 7);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int month_days(int64_t year, int month)
{
    if (month == 2) {
        return is_leap(year) ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
