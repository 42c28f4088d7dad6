/*
 * invitation.h: what a verification code is made of (design: "Authority"):
 * base32(seed, first half of the root's hash, checksum).
 */
#pragma once

#define INVITATION_SEED 16
#define INVITATION_CODE 32 /* bytes, without the checksum */
