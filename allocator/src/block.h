/*
 * block.h: how a free block is written, and how an overwritten one is told.
 *
 * A free block holds two words: the link to the next free block, encoded with a secret, and a mark
 * that binds link, address and a second secret. `block_is_free` is true for a block in any free
 * list and, by chance, for one in use once in 2^64; so a second free of a block is seen from the
 * block alone, whatever list it is in. A list is followed only from a block whose mark is right: a
 * write after free, or an overflow into the link or the mark, is found before it is followed.
 *
 * Link and mark each tell what the next block is. While one of the two still tells of an address,
 * the block may be free and written to since; `block_may_be_free` asks that, at the price of a
 * false alarm in 2^15 for words at random, and whoever asked then looks for the block in the lists.
 * The secrets are such that small numbers, addresses and all bits set give none.
 * Blocks are at least 16 bytes. The secrets are made once, before the first block.
 */
#ifndef HAKMEM_BLOCK_H
#define HAKMEM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uintptr_t link, mark;
};

struct block_secrets {
    uintptr_t link, mark;
    uintptr_t both;              /* link ^ mark */
    uint16_t link_tag, both_tag; /* their bits above those of an address */
};
extern struct block_secrets block_secrets;

/* Bits of an address. */
enum { BLOCK_ADDRESS_BITS = 48 };

/* Draws the secrets from the kernel, or from the clock and the address layout without it. */
void block_init(void);

static inline bool block_is_free(const struct block *b)
{
    return (b->link ^ b->mark ^ (uintptr_t)b) == block_secrets.mark;
}

/* The block after the free block b. */
static inline struct block *block_next(const struct block *b)
{
    return (struct block *)(b->link ^ block_secrets.link);
}

/* The same as its mark tells it. */
static inline struct block *block_next_by_mark(const struct block *b)
{
    return (struct block *)(b->mark ^ (uintptr_t)b ^ block_secrets.both);
}

/* Either word tells of an address when the bits above one are those of its secret. */
static inline bool block_may_be_free(const struct block *b)
{
    return b->link >> BLOCK_ADDRESS_BITS == block_secrets.link_tag ||
           b->mark >> BLOCK_ADDRESS_BITS == block_secrets.both_tag;
}

/* Writes b as a free block before `next`, which may be NULL. */
static inline void block_set_free(struct block *b, const struct block *next)
{
    uintptr_t link = (uintptr_t)next ^ block_secrets.link;
    b->link = link;
    b->mark = link ^ (uintptr_t)b ^ block_secrets.mark;
}

/* b leaves its list for the program. */
static inline void block_set_used(struct block *b)
{
    *b = (struct block){0, 0};
}

/* A list of blocks and its length. */
struct chain {
    struct block *head;
    unsigned count;
};

/* Whether the block at ptr is in the chain, as far as that can be followed. */
bool chain_has(struct chain chain, const void *ptr);

#endif
