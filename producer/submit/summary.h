/*
 * summary.h: how a run ended on each of its targets, in a table on stderr:
 * stdout is for what the scripts wrote.
 */
#pragma once

#include "producer/submit/track.h"

int summary_print(const struct tracks *tracks, struct err *err);
