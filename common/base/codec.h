/*
 * codec.h: bytes as text: hex, base64, base32.
 *
 * Hex is lower case; base64 is RFC 4648 section 4 (standard, padded); base32 is
 * RFC 4648 section 6 without padding, in lower case, in groups of five with
 * dashes, for codes that a person copies. Decoders accept one form only: what
 * encodes again to the same text (base32: after dropping dashes and spaces and
 * folding case).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Writes 2 n digits and a NUL. */
void hex_encode(const void *bytes, size_t n, char *text);

/* Reads exactly n bytes from exactly 2 n lower-case digits. */
int hex_decode(const char *text, void *ret_bytes, size_t n);

/* The base64 text of n bytes, the caller's to free; NULL: out of memory. */
char *base64_encode(const void *bytes, size_t n);

/* Appends the decoded bytes. -1: not canonical, or out of memory. */
int base64_decode(const char *text, size_t len, struct buf *out);

/* Reads exactly n bytes. -1: not canonical, or another length. */
int base64_decode_fixed(const char *text, void *ret_bytes, size_t n);

/*
 * A code for a person: n bytes and 4 bytes of checksum (the first of their
 * SHA-256), as base32; the caller's to free.
 */
char *code_encode(const void *bytes, size_t n);

/* Reads a code of exactly n bytes; -1 (REJECT) says whether it is mistyped. */
int code_decode(const char *text, void *ret_bytes, size_t n, struct err *err);
