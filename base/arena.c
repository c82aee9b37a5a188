#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Under AddressSanitizer, memory that was given back is as good as freed. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(bytes, size_bytes) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(bytes, size_bytes) ((void)0)
#endif

/* Blocks double from the first to the last size, so that small arenas stay small. */
#define ARENA_BLOCK_BYTES_MIN ((size_t)4 << 10)
#define ARENA_BLOCK_BYTES_MAX ((size_t)1 << 20)

/* used_bytes of the arena counts what was made, never the rest left over at the end of a block.
 * So what is used of the newest block is the arena's used_bytes less its before_bytes, and one
 * number is enough for a mark.                                                                 */
struct arena_block {
    struct arena_block *older;
    size_t before_bytes; /* used_bytes of the arena when this block began */
    size_t capacity_bytes;
    alignas(max_align_t) char bytes[];
};

/* Nothing is made of less than one unit, so that no two results are equal. */
static size_t round_up(size_t size_bytes)
{
    size_t unit = alignof(max_align_t);
    return size_bytes == 0 ? unit : (size_bytes + unit - 1) & ~(unit - 1);
}

static void drop_newest(struct arena *arena)
{
    struct arena_block *block = arena->block;
    arena->block = block->older;
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->capacity_bytes);
    free(block);
}

static void add_block(struct arena *arena, size_t size_bytes)
{
    size_t total = ARENA_BLOCK_BYTES_MIN;
    if (arena->block)
        total = 2 * (arena->block->capacity_bytes + sizeof(struct arena_block));
    if (total > ARENA_BLOCK_BYTES_MAX)
        total = ARENA_BLOCK_BYTES_MAX;
    if (total < size_bytes + sizeof(struct arena_block))
        total = size_bytes + sizeof(struct arena_block);

    struct arena_block *block = malloc(total);
    if (!block)
        err_abort("out of memory");
    block->older = arena->block;
    block->before_bytes = arena->used_bytes;
    block->capacity_bytes = total - sizeof(struct arena_block);
    ASAN_POISON_MEMORY_REGION(block->bytes, block->capacity_bytes);
    arena->block = block;
}

static size_t room(const struct arena *arena)
{
    if (!arena->block)
        return 0;
    return arena->block->capacity_bytes - (arena->used_bytes - arena->block->before_bytes);
}

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_free(struct arena *arena)
{
    while (arena->block)
        drop_newest(arena);
    arena->used_bytes = 0;
}

void arena_cleanse(struct arena *arena)
{
    for (struct arena_block *block = arena->block; block; block = block->older) {
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->capacity_bytes);
        explicit_bzero(block->bytes, block->capacity_bytes);
    }
}

void arena_reset(struct arena *arena)
{
    arena_back(arena, (struct arena_mark){0});
}

bool arena_has(const struct arena *arena, size_t size_bytes)
{
    size_t left = arena->limit_bytes - arena->used_bytes;
    return size_bytes <= left && round_up(size_bytes) <= left;
}

void *arena_make(struct arena *arena, size_t size_bytes)
{
    if (!arena_has(arena, size_bytes)) {
        char line[96];
        snprintf(line, sizeof line, "out of memory: %zu bytes beyond the limit of %zu bytes",
                 size_bytes, arena->limit_bytes);
        err_abort(line);
    }
    size_t rounded = round_up(size_bytes);
    if (arena->block == NULL || rounded > room(arena))
        add_block(arena, rounded);
    char *made = arena->block->bytes + (arena->used_bytes - arena->block->before_bytes);
    ASAN_UNPOISON_MEMORY_REGION(made, size_bytes);
    arena->used_bytes += rounded;
    return memset(made, 0, size_bytes);
}

char *arena_copy(struct arena *arena, const char *text)
{
    size_t size_bytes = strlen(text) + 1;
    return memcpy(arena_make(arena, size_bytes), text, size_bytes);
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){.block = arena->block, .used_bytes = arena->used_bytes};
}

void arena_back(struct arena *arena, struct arena_mark mark)
{
    /* A mark older than the first block keeps that block: it will be wanted again. */
    while (arena->block != mark.block && arena->block->older)
        drop_newest(arena);
    arena->used_bytes = mark.used_bytes;
    if (arena->block)
        ASAN_POISON_MEMORY_REGION(
            arena->block->bytes + (mark.used_bytes - arena->block->before_bytes), room(arena));
}
