/* size.h: amounts of bytes as people write and read them.  GB is 10^9, GiB is 2^30. */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdint.h>

#include "base/err.h"

#define SIZE_TEXT_MAX 24

/* "5TiB", "1.5GB", "100B"; a unit is required; what is less than a byte is cut off.
 * ERR_INPUT otherwise, or from 2^63 on. */
MUST_USE bool size_read(const char *text, uint64_t *size_bytes, struct err *err);
/* The factor of a bare unit ("GB"); 0 if it is none. */
uint64_t size_unit(const char *unit);
/* "38.2 GB", "512 B": decimal units, three significant digits. */
void size_text(uint64_t size_bytes, char text[SIZE_TEXT_MAX]);
/* "23,820". */
void size_count_text(uint64_t count, char text[SIZE_TEXT_MAX + 8]);
#endif
