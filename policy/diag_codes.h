/* diag_codes.h: every code that a policy can be told, and what `explain` says about it. */
#ifndef POLICY_DIAG_CODES_H
#define POLICY_DIAG_CODES_H

#include <stddef.h>

#include "policy/diag.h"

/* A number never changes its meaning and is never used again. */
enum {
    /* 01xx: the file and its keys */
    DIAG_SYNTAX = 101,
    DIAG_UNKNOWN_KEY = 102,
    DIAG_DUPLICATE_KEY = 103,
    DIAG_TAB = 104,
    DIAG_ALIAS = 105,
    DIAG_TAG = 106,
    DIAG_DOCUMENT = 107,
    DIAG_CHARACTER = 108,
    DIAG_NOT_UTF8 = 109,
    DIAG_LIMIT = 110,
    DIAG_SHAPE = 111,
    DIAG_MISSING_KEY = 112,
    DIAG_KEY_SHAPE = 113,
    DIAG_EMPTY_FILE = 114,
    DIAG_INCLUDE = 115,
    DIAG_INCLUDE_TWICE = 116,
    DIAG_INCLUDE_NESTED = 117,
    /* 02xx: values */
    DIAG_BOOLEAN = 201,
    DIAG_NUMBER = 202,
    DIAG_DURATION = 203,
    DIAG_SIZE = 204,
    DIAG_PERCENT = 205,
    DIAG_DATE = 206,
    DIAG_CHOICE = 207,
    DIAG_NAME = 208,
    DIAG_EMPTY = 209,
    DIAG_UNKNOWN_VAR = 210,
    DIAG_VAR = 211,
    DIAG_ENV_MISSING = 212,
    DIAG_ENV_FORM = 213,
    DIAG_ENV_PLACE = 214,
    DIAG_ZONE = 215,
    DIAG_VERSION = 216,
    DIAG_NULL = 217,
    DIAG_ENV_FILE = 218,
    DIAG_CREDENTIAL = 219,
    DIAG_INSTANT = 220,
    DIAG_DAYS = 221,
    DIAG_CLOCK = 222,
    /* 03xx: catalog and stores */
    DIAG_UNKNOWN_STORE = 301,
    DIAG_SAME_PLACE = 302,
    DIAG_ARCHIVE = 303,
    DIAG_MIXED_KINDS = 304,
    DIAG_CONNECTION_STRING = 305,
    DIAG_LITERAL_SECRET = 306,
    DIAG_CONTAINER = 307,
    DIAG_PATH = 308,
    DIAG_URL = 309,
    DIAG_COLUMN = 310,
    DIAG_FIELD_NAME = 311,
    DIAG_NO_TIME = 312,
    DIAG_COLUMN_TYPE = 313,
    DIAG_NAIVE_TIME = 314,
    DIAG_CONNECTION = 315,
    DIAG_TOO_MANY = 316,
    DIAG_NO_SIZE = 317,
    DIAG_CATALOG = 318,
    DIAG_TABLE = 319,
    DIAG_COLUMN_MISSING = 320,
    DIAG_NO_KEY = 321,
    DIAG_STORE = 322,
    DIAG_NO_INDEX = 323,
    DIAG_SET = 324,
    /* 04xx: locations and rows of the catalog; none is found in a file */
    /* 05xx: policies and holds */
    DIAG_EMPTY_SELECTION = 501,
    DIAG_UNGUARDED = 502,
    DIAG_EVERYTHING = 503,
    DIAG_NESTING = 504,
    DIAG_IDS_FILE = 505,
    DIAG_IDS_LINE = 506,
    DIAG_DATES = 507,
    DIAG_LITERAL = 508,
    DIAG_TEST = 509,
    DIAG_SAME_NAME = 510,
    DIAG_SIZES = 511,
    DIAG_PATTERN = 512,
    DIAG_PATH_SLASH = 513,
    DIAG_WINDOW = 514,
    /* 06xx: warnings, of what is no error and yet unlikely to be meant */
    DIAG_CONFLICT = 601,
    DIAG_NEVER_WINS = 602,
    DIAG_OWN_SOURCE = 603,
    DIAG_NO_GRACE = 604,
    DIAG_TAKES_NOTHING = 605,
    DIAG_UNDOES = 606,
    DIAG_EXPIRED = 607,
    DIAG_UNUSED_VAR = 608,
    DIAG_CIRCLE = 609,
    /* 07xx: tests */
    DIAG_TEST_ID = 701,
    DIAG_UNKNOWN_POLICY = 702,
    DIAG_TEST_STORES = 703
};

struct diag_code {
    int number;
    enum diag_severity severity;
    const char *title; /* a few words, no full stop                         */
    const char *text;  /* why, then YAML that is wrong and YAML that is right */
};

/* NULL if there is no such code. */
const struct diag_code *diag_codes_find(int number);
/* In the order of their numbers; NULL behind the last one. */
const struct diag_code *diag_codes_at(size_t index);
#endif
