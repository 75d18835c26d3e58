/* SPDX-License-Identifier: MPL-2.0 */
#include "block.h"

#include "codemap_state.h"
#include "ops.h"

#include <stdlib.h>

#define PAGE_SHIFT 12
#define PAGE_MASK 0xfffu
#define PAGE_SIZE 4096u
#define BLOCK_MAX 64          /* instructions */
#define CHUNK_SIZE (1u << 20) /* bytes of decoded instructions */
#define CHUNK_MAX 32
#define HASH_BITS 15
#define HASH_SIZE (1u << HASH_BITS)

/* A decoded block; its instructions follow. Live while its pages' epochs are still the same. */
typedef struct block {
    struct block *chain;
    uint32_t pc;
    uint32_t offset; /* of its first byte in RAM */
    uint32_t epoch;
    uint32_t page2;  /* straddling blocks: RAM page of the last two bytes */
    uint32_t epoch2;
    bool straddles;  /* one instruction, in two pages */
    bool dead;       /* a straddling block whose second page is another now */
    insn_t insn[];
} block_t;

/* What this hart has decoded of a page of RAM. */
typedef struct page_record {
    uint32_t epoch;   /* moves when the blocks of the page are dropped */
    uint32_t version; /* of the codemap when decoded */
    bool live;        /* listed in live[]: there may be blocks */
    bool unsettled;   /* drop at the next FENCE.I whatever the version says */
} page_record_t;

struct block_cache {
    insn_index_t index;
    block_t *hash[HASH_SIZE];
    uint8_t *chunk[CHUNK_MAX];
    unsigned chunks, current; /* allocated; in use */
    size_t used;              /* bytes of the current chunk */
    uint32_t drops;           /* times that everything was dropped */
    uint32_t *live;           /* pages with live set */
    size_t live_count, live_room;
    unsigned block_max;
    page_record_t *page;
    size_t pages;
};

block_cache_t *block_cache_create(const bus_t *bus)
{
    block_cache_t *cache = calloc(1, sizeof(*cache));
    if (!cache) {
        return NULL;
    }
    cache->pages = bus->ram_size >> PAGE_SHIFT;
    cache->page = calloc(cache->pages ? cache->pages : 1, sizeof(*cache->page));
    cache->chunk[0] = malloc(CHUNK_SIZE);
    cache->chunks = 1;
    cache->block_max = BLOCK_MAX;
    insn_index_build(&cache->index);
    if (!cache->page || !cache->chunk[0]) {
        block_cache_free(cache);
        return NULL;
    }
    return cache;
}

void block_cache_free(block_cache_t *cache)
{
    if (!cache) {
        return;
    }
    for (unsigned n = 0; n < cache->chunks; n++) {
        free(cache->chunk[n]);
    }
    free(cache->live);
    free(cache->page);
    free(cache);
}

/* ---- Dropping ---- */

static void forget_jumps(hart_t *hart)
{
    mmu_forget_jumps(hart);
    mmu_update_context(hart);
}

void block_drop_all(hart_t *hart)
{
    block_cache_t *cache = hart->blocks;
    memset(cache->hash, 0, sizeof(cache->hash));
    for (size_t n = 0; n < cache->live_count; n++) {
        page_record_t *page = &cache->page[cache->live[n]];
        page->epoch++;
        page->live = false;
    }
    cache->live_count = 0;
    cache->current = 0;
    cache->used = 0;
    cache->drops++;
    forget_jumps(hart);
}

void block_set_single(hart_t *hart, bool single)
{
    hart->blocks->block_max = single ? 1 : BLOCK_MAX;
    block_drop_all(hart);
}

void block_fence_i(hart_t *hart)
{
    block_cache_t *cache = hart->blocks;
    size_t kept = 0, before = cache->live_count;
    for (size_t n = 0; n < before; n++) {
        uint32_t number = cache->live[n];
        page_record_t *page = &cache->page[number];
        if (page->unsettled || page->version != codemap_version(hart->bus->codemap, number)) {
            page->epoch++;
            page->live = false;
        } else {
            cache->live[kept++] = number;
        }
    }
    cache->live_count = kept;
    if (kept != before) {
        forget_jumps(hart);
    }
}

bool block_wrote_code(hart_t *hart, size_t ram_offset, uint32_t size)
{
    page_record_t *page = &hart->blocks->page[ram_offset >> PAGE_SHIFT];
    util_fence(); /* the store, then the look at the map */
    if (!codemap_is_code(hart->bus->codemap, ram_offset >> PAGE_SHIFT) ||
        !codemap_stored(hart->bus->codemap, ram_offset, size)) {
        return false;
    }
    if (page->live) {
        page->epoch++; /* still listed: decoding again brings the version up to date */
        forget_jumps(hart);
    }
    return true;
}

/* ---- Memory ---- */

/* NULL when all chunks are full: the caller drops everything and asks again. */
static block_t *arena_alloc(block_cache_t *cache, size_t size)
{
    if (cache->used + size > CHUNK_SIZE) {
        if (cache->current + 1 == cache->chunks) {
            uint8_t *more = cache->chunks < CHUNK_MAX ? malloc(CHUNK_SIZE) : NULL;
            if (!more) {
                return NULL;
            }
            cache->chunk[cache->chunks++] = more;
        }
        cache->current++;
        cache->used = 0;
    }
    return (block_t *)(void *)(cache->chunk[cache->current] + cache->used);
}

static size_t block_size(unsigned insns)
{
    return (sizeof(block_t) + (insns + 2) * sizeof(insn_t) + 15) & ~(size_t)15;
}

/* ---- Decoding ---- */

static unsigned hash_of(uint32_t offset, uint32_t pc)
{
    return (uint32_t)((offset >> 1) * 0x9e3779b1u ^ (pc >> PAGE_SHIFT) * 0x85ebca6bu) >>
           (32 - HASH_BITS);
}

/* Before instructions are decoded from [offset, offset + size) of RAM. */
static bool note_page(hart_t *hart, uint32_t offset, uint32_t size)
{
    block_cache_t *cache = hart->blocks;
    uint32_t number = offset >> PAGE_SHIFT;
    page_record_t *page = &cache->page[number];
    bool was_code = codemap_is_code(hart->bus->codemap, number), settled;
    if (!page->live && cache->live_count == cache->live_room) {
        size_t room = cache->live_room ? cache->live_room * 2 : 256;
        uint32_t *more = realloc(cache->live, room * sizeof(*more));
        if (!more) {
            return false;
        }
        cache->live = more;
        cache->live_room = room;
    }
    uint32_t version = codemap_mark(hart->bus->codemap, hart, offset, size, &settled);
    if (!was_code) {
        mmu_flush_stores(hart);
    }
    if (!page->live) {
        cache->live[cache->live_count++] = number;
        page->live = true;
        page->unsettled = false;
        page->version = version;
    } else if (page->version != version) {
        page->epoch++; /* older blocks of the page may be stale: they go with it */
        page->unsettled = false;
        page->version = version;
        forget_jumps(hart);
    }
    page->unsettled |= !settled;
    return true;
}

static bool ends_block(unsigned cls)
{
    return cls == CLS_BRANCH || cls == CLS_JAL || cls == CLS_JALR || cls == CLS_SYS;
}

static bool same_page(uint32_t a, uint32_t b)
{
    return ((a ^ b) & ~PAGE_MASK) == 0;
}

/*
 * Decodes one fetched word (compressed in its low half) into out; true when it ends its block. *kind tells
 * what it is, INSN_illegal also for branches out of the page, which are not to be fused.
 */
static bool decode_one(block_cache_t *cache, insn_t *out, uint32_t word, uint32_t pc, unsigned index,
                       insn_id_t *kind)
{
    bool compressed = (word & 3) != 3;
    uint32_t full = compressed ? rvc_expand((uint16_t)word) : word;
    insn_id_t id = full ? insn_index_find(&cache->index, full) : INSN_illegal;
    insn_decode(out, id, full, pc);
    *kind = id;
    out->len = compressed ? 2 : 4;
    out->index = (uint16_t)index;
    if (id == INSN_illegal) {
        out->imm = compressed ? (uint16_t)word : word;
        out->fn = ops_select(id, false);
        return true;
    }
    unsigned cls = insn_info[id].cls;
    bool far = (cls == CLS_BRANCH || cls == CLS_JAL) && !same_page(pc, out->imm);
    out->fn = ops_select(id, far);
    *kind = far ? INSN_illegal : id;
    return ends_block(cls);
}

/* Appends the op that goes on at pc. */
static void append_goto(insn_t *out, uint32_t pc, uint32_t from, unsigned index)
{
    memset(out, 0, sizeof(*out));
    out->fn = ops_goto(!same_page(pc, from));
    out->imm = pc;
    out->pc = from;
    out->index = (uint16_t)index;
}


/* Lets pairs of neighbours run as one. */
static void fuse(insn_t *insn, const insn_id_t *kind, unsigned count)
{
    for (unsigned n = 0; n + 1 < count; n++) {
        insn_fn *both = kind[n] == INSN_illegal || kind[n + 1] == INSN_illegal
                            ? NULL
                            : ops_fuse(kind[n], kind[n + 1]);
        if (both) {
            insn[n++].fn = both;
        }
    }
}

/* Decodes from RAM into block until something ends it; returns how many insn_t it takes, 0: no memory. */
static unsigned decode_run(hart_t *hart, block_t *block)
{
    block_cache_t *cache = hart->blocks;
    const uint8_t *ram = hart->bus->ram;
    uint32_t pc = block->pc, offset = block->offset;
    uint32_t end = (offset & ~PAGE_MASK) + PAGE_SIZE, marked = offset; /* noted below this */
    unsigned n = 0;
    bool ended = false;
    insn_id_t kind[BLOCK_MAX];
    while (!ended && n < cache->block_max && offset + 2 <= end) {
        if (offset + 4 > marked) {
            uint32_t upto = util_align_up(offset + 4, CODEMAP_LINE) < end
                                ? (uint32_t)util_align_up(offset + 4, CODEMAP_LINE)
                                : end;
            if (upto > marked && !note_page(hart, offset, upto - offset)) {
                return 0;
            }
            marked = upto;
        }
        uint32_t word = ram_load_u16(ram + offset);
        if ((word & 3) == 3) {
            if (offset + 4 > end) {
                break;
            }
            word |= (uint32_t)ram_load_u16(ram + offset + 2) << 16;
        }
        ended = decode_one(cache, &block->insn[n], word, pc, n, &kind[n]);
        unsigned len = block->insn[n++].len;
        pc += len;
        offset += len;
    }
    fuse(block->insn, kind, n);
    if (!ended) {
        append_goto(&block->insn[n], pc, block->pc, n);
        n++;
    }
    return n;
}

/* An instruction in two pages: a block of its own, which is never linked to directly. */
static unsigned decode_straddling(hart_t *hart, block_t *block, uint32_t offset2)
{
    const uint8_t *ram = hart->bus->ram;
    if (!note_page(hart, block->offset, 2) || !note_page(hart, offset2, 2)) {
        return 0;
    }
    uint32_t word = ram_load_u16(ram + block->offset) | (uint32_t)ram_load_u16(ram + offset2) << 16;
    block->straddles = true;
    block->page2 = offset2 >> PAGE_SHIFT;
    block->epoch2 = hart->blocks->page[block->page2].epoch;
    insn_id_t kind;
    if (decode_one(hart->blocks, &block->insn[0], word, block->pc, 0, &kind)) {
        return 1;
    }
    append_goto(&block->insn[1], block->pc + 4, block->pc, 1);
    return 2;
}

/* Room for a block of any length; NULL never lasts, since dropping everything makes room. */
static block_t *block_new(hart_t *hart, uint32_t offset)
{
    block_cache_t *cache = hart->blocks;
    block_t *block = arena_alloc(cache, block_size(BLOCK_MAX));
    if (!block) {
        block_drop_all(hart);
        block = arena_alloc(cache, block_size(BLOCK_MAX));
    }
    memset(block, 0, sizeof(*block));
    block->pc = hart->pc;
    block->offset = offset;
    return block;
}

static void block_add(block_cache_t *cache, block_t *block, unsigned insns)
{
    block_t **slot = &cache->hash[hash_of(block->offset, block->pc)];
    memset(&block->insn[insns], 0, sizeof(insn_t)); /* its insn_link_t */
    cache->used += block_size(insns);
    block->epoch = cache->page[block->offset >> PAGE_SHIFT].epoch;
    block->chain = *slot;
    *slot = block;
}

/* ---- Entering ---- */

/* RAM offset of the instruction bytes at va for an instruction at hart->pc. False: trapped. */
static bool fetch_offset(hart_t *hart, uint32_t va, uint32_t *offset)
{
    uint32_t cause = mmu_exec_offset(hart, va, offset);
    if (LIKELY(!cause)) {
        return true;
    }
    hart->budget--; /* a handler that cannot be fetched must not stop the world */
    hart->slice--;
    trap_take_exception(hart, cause, va, hart->pc);
    return false;
}

static block_t *block_find(block_cache_t *cache, uint32_t pc, uint32_t offset)
{
    block_t **link = &cache->hash[hash_of(offset, pc)];
    for (block_t *b = *link; b; b = *link) {
        if (b->epoch != cache->page[b->offset >> PAGE_SHIFT].epoch || b->dead) {
            *link = b->chain;
            continue;
        }
        if (b->offset == offset && b->pc == pc) {
            return b;
        }
        link = &b->chain;
    }
    return NULL;
}

static block_t *build(hart_t *hart, uint32_t offset)
{
    uint32_t offset2;
    bool straddles =
        (offset & PAGE_MASK) == PAGE_SIZE - 2 && (ram_load_u16(hart->bus->ram + offset) & 3) == 3;
    if (straddles && !fetch_offset(hart, hart->pc + 2, &offset2)) {
        return NULL;
    }
    block_t *block = block_new(hart, offset);
    unsigned insns = straddles ? decode_straddling(hart, block, offset2) : decode_run(hart, block);
    if (!insns) {
        return NULL; /* out of host memory: the run loop tries again */
    }
    block_add(hart->blocks, block, insns);
    return block;
}

/* A straddling block is good only while its second page is still what it was. */
static bool second_page_holds(hart_t *hart, const block_t *block, bool *trapped)
{
    uint32_t offset2;
    *trapped = !fetch_offset(hart, block->pc + 2, &offset2);
    return !*trapped && offset2 >> PAGE_SHIFT == block->page2 &&
           hart->blocks->page[block->page2].epoch == block->epoch2;
}

static block_t *find_or_build(hart_t *hart)
{
    uint32_t offset;
    bool trapped = false;
    if (!fetch_offset(hart, hart->pc, &offset)) {
        return NULL;
    }
    block_t *block = block_find(hart->blocks, hart->pc, offset);
    if (block && block->straddles && !second_page_holds(hart, block, &trapped)) {
        block->dead = !trapped;
        block = NULL;
    }
    if (trapped) {
        return NULL;
    }
    return block ? block : build(hart, offset);
}

const insn_t *block_enter(hart_t *hart)
{
    block_t *block = find_or_build(hart);
    if (!block) {
        return NULL;
    }
    jump_entry_t *jump = &hart->jump[hart->pc >> 1 & (JUMP_SIZE - 1)];
    jump->pc = hart->pc;
    jump->context = hart->context;
    jump->target = block->insn;
    hart_note_jump_page(hart, hart->pc);
    if (block->straddles) {
        hart_note_jump_page(hart, hart->pc + 2);
    }
    return block->insn;
}

const insn_t *block_link(hart_t *hart, uint32_t from_pc, bool *linkable)
{
    uint32_t drops = hart->blocks->drops;
    block_t *block = find_or_build(hart);
    *linkable = block && !block->straddles && drops == hart->blocks->drops &&
                same_page(from_pc, block->pc);
    return block ? block->insn : NULL;
}
