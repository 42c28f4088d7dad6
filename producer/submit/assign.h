/*
 * assign.h: giving commands to people: all of those who are named, or none.
 */
#pragma once

#include "producer/submit/submit.h"

/* Somebody to assign: as typed, and who that is. */
struct assignee {
    const char *email;
    struct id user;
};

/* Resolves each; -1: one of them is not there, and nothing was assigned. */
int assignees_find(struct submit *submit, struct assignee *assignees, size_t n,
                   struct err *err);

/* Signs an assignment for each, and says so. */
int assignees_add(struct submit *submit, const struct id *command,
                  const char *name, const struct assignee *assignees, size_t n,
                  struct err *err);
