/* corpus.h: what fuzzers begin with and have found, read by ordinary tests.                      */
#ifndef TESTS_SUPPORT_CORPUS_H
#define TESTS_SUPPORT_CORPUS_H

#include <stddef.h>
#include <stdint.h>

/* Feeds every file of a folder (from the root of the repository), whole and cut off after every
 * seventh byte.  Returns how many files there were; fails the test if one can't be read.         */
size_t corpus_feed(const char *folder, int (*feed)(const uint8_t *bytes, size_t size_bytes));
#endif
