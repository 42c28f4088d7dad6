/*
 * banned.h: what nobody here may call, as compile errors. Included before
 * everything else (see the Makefile); the headers that declare these come
 * first.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With _FORTIFY_SOURCE and clang these are macros of glibc's. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok system popen
