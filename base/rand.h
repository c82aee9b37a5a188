/* rand.h: pseudo-random numbers from a 64-bit seed (xoshiro256**, seeded by splitmix64; Blackman
 * and Vigna, public domain).  For jitter and for tests, never for secrets. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stdint.h>

struct rand {
    uint64_t state[4];
};
void rand_init(struct rand *rand, uint64_t seed);
uint64_t rand_next(struct rand *rand);
/* 0 <= result < bound, without bias; bound > 0. */
uint64_t rand_below(struct rand *rand, uint64_t bound);
/* From the system: for seeds, ids and names that must not collide. */
uint64_t rand_system(void);
#endif
