/*
 * The messages of Charley's wire, version 1, in C99: ../wire.md sections 4, 6.2 and 7.
 *
 * Writes a block and a status as MessagePack into a buffer of the caller's, and reads an ack. No allocation, no
 * floating point arithmetic, no global state, no alignment or byte order assumed; doubles are IEEE 754. All in this
 * header: include it in one file, or in several.
 *
 *     int16_t emg[1000], acc[3 * 50];                     channel after channel
 *     const struct charley_signal signals[] = {
 *         {"emg", "gastrocnemius_medialis", 1000.0, 0.5, 1, 1000, emg},
 *         {"acc", "shank", 50.0, 1.0 / 4096, 3, 50, acc},
 *     };
 *     const struct charley_block block = {boot, seq, t0, 2, signals};
 *     size_t length = charley_write_block(&block, buffer, sizeof buffer);
 *
 * Keep those bytes in flash until an ack covers (boot, seq); publish them to charley/v1/{device}/blocks with QoS 1.
 */
#ifndef CHARLEY_BLOCK_H
#define CHARLEY_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CHARLEY_MAX_COUNT UINT64_C(0x1fffffffffffff) /* of boot and seq: 2^53 - 1 */
#define CHARLEY_NONE UINT64_MAX                      /* a number that is left out */

struct charley_signal {
    const char *kind;       /* "emg" or "acc" */
    const char *site;       /* 1 to 40 of a-z 0-9 _ */
    double fs_hz;           /* emg 200 to 4000, acc 10 to 200 */
    double scale;           /* uV (emg) or g (acc) per count */
    unsigned channels;      /* emg 1 to 8, acc 3: x, y, z */
    uint32_t n;             /* samples per channel */
    const int16_t *samples; /* channels * n: all of the first channel, then all of the second, ... */
};

struct charley_block {
    uint64_t boot;         /* raised at each start, kept over power loss */
    uint64_t seq;          /* 0, 1, 2, ... within the boot */
    uint64_t t0;           /* of the first sample, ns since 1970; clock not set: ns since the start */
    unsigned signal_count; /* 1 to 9 */
    const struct charley_signal *signals;
};

struct charley_status {
    uint64_t boot;
    int online;                /* 0 in the last will */
    const char *firmware;      /* at most 64 characters, or NULL */
    uint64_t oldest;           /* lowest seq of this boot still held, or CHARLEY_NONE */
    uint64_t backlog_boot;     /* oldest block still held of earlier boots, or CHARLEY_NONE */
    uint64_t backlog_seq;
    uint64_t clock_ns;         /* this device's clock, or CHARLEY_NONE */
};

struct charley_ack {
    uint64_t boot;
    uint64_t seq; /* every block of the boot up to this one may be forgotten */
};

/* --- Writing: what does not fit is counted but not written ----------------------------------------------------- */

struct charley_out {
    uint8_t *bytes;
    size_t room;
    size_t length;
};

static inline void charley_put(struct charley_out *out, uint8_t byte)
{
    if (out->length < out->room)
        out->bytes[out->length] = byte;
    out->length++;
}

/* The lowest bytes of a value, the highest of them first. */
static inline void charley_put_big(struct charley_out *out, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        charley_put(out, (uint8_t)(value >> (8 * bytes)));
}

static inline void charley_put_uint(struct charley_out *out, uint64_t value)
{
    const unsigned bytes = value <= 0x7f ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
    if (bytes == 0) {
        charley_put(out, (uint8_t)value);
        return;
    }
    charley_put(out, bytes == 1 ? 0xcc : bytes == 2 ? 0xcd : bytes == 4 ? 0xce : 0xcf);
    charley_put_big(out, value, bytes);
}

static inline void charley_put_double(struct charley_out *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    charley_put(out, 0xcb);
    charley_put_big(out, bits, 8);
}

/* Text of at most 255 bytes. */
static inline void charley_put_text(struct charley_out *out, const char *text)
{
    const size_t length = strlen(text) & 0xff;
    if (length >= 32)
        charley_put(out, 0xd9);
    charley_put(out, (uint8_t)(length < 32 ? 0xa0 | length : length));
    for (size_t i = 0; i < length; i++)
        charley_put(out, (uint8_t)text[i]);
}

static inline void charley_put_samples(struct charley_out *out, const int16_t *samples, size_t count)
{
    const size_t bytes = 2 * count;
    const unsigned head = bytes <= 0xff ? 1 : bytes <= 0xffff ? 2 : 4;
    charley_put(out, head == 1 ? 0xc4 : head == 2 ? 0xc5 : 0xc6);
    charley_put_big(out, bytes, head);
    for (size_t i = 0; i < count; i++) { /* little-endian, unlike all the rest */
        const uint16_t bits = (uint16_t)samples[i];
        charley_put(out, (uint8_t)(bits & 0xff));
        charley_put(out, (uint8_t)(bits >> 8));
    }
}

static inline void charley_put_signal(struct charley_out *out, const struct charley_signal *signal)
{
    charley_put(out, 0x86);
    charley_put_text(out, "kind");
    charley_put_text(out, signal->kind);
    charley_put_text(out, "site");
    charley_put_text(out, signal->site);
    charley_put_text(out, "fs_hz");
    charley_put_double(out, signal->fs_hz);
    charley_put_text(out, "scale");
    charley_put_double(out, signal->scale);
    charley_put_text(out, "channels");
    charley_put_uint(out, signal->channels);
    charley_put_text(out, "samples");
    charley_put_samples(out, signal->samples, (size_t)signal->channels * signal->n);
}

/* Bytes of the block, or 0 if it does not fit into the room; with no room (NULL, 0) the bytes that it needs. */
static inline size_t charley_write_block(const struct charley_block *block, uint8_t *bytes, size_t room)
{
    struct charley_out out = {bytes, room, 0};
    charley_put(&out, 0x84);
    charley_put_text(&out, "boot");
    charley_put_uint(&out, block->boot);
    charley_put_text(&out, "seq");
    charley_put_uint(&out, block->seq);
    charley_put_text(&out, "t0");
    charley_put_uint(&out, block->t0);
    charley_put_text(&out, "signals");
    charley_put(&out, (uint8_t)(0x90 | (block->signal_count & 0x0f)));
    for (unsigned i = 0; i < block->signal_count; i++)
        charley_put_signal(&out, &block->signals[i]);
    return room == 0 || out.length <= room ? out.length : 0;
}

/* Bytes of the status, as above. The last will is one with online 0 and everything else left out. */
static inline size_t charley_write_status(const struct charley_status *status, uint8_t *bytes, size_t room)
{
    struct charley_out out = {bytes, room, 0};
    const int backlog = status->backlog_boot != CHARLEY_NONE;
    const int members = 2 + (status->firmware != NULL) + (status->oldest != CHARLEY_NONE) + backlog
                        + (status->clock_ns != CHARLEY_NONE);
    charley_put(&out, (uint8_t)(0x80 | members));
    charley_put_text(&out, "boot");
    charley_put_uint(&out, status->boot);
    charley_put_text(&out, "online");
    charley_put(&out, status->online ? 0xc3 : 0xc2);
    if (status->firmware != NULL) {
        charley_put_text(&out, "firmware");
        charley_put_text(&out, status->firmware);
    }
    if (status->oldest != CHARLEY_NONE) {
        charley_put_text(&out, "oldest");
        charley_put_uint(&out, status->oldest);
    }
    if (backlog) {
        charley_put_text(&out, "backlog");
        charley_put(&out, 0x82);
        charley_put_text(&out, "boot");
        charley_put_uint(&out, status->backlog_boot);
        charley_put_text(&out, "seq");
        charley_put_uint(&out, status->backlog_seq);
    }
    if (status->clock_ns != CHARLEY_NONE) {
        charley_put_text(&out, "clock_ns");
        charley_put_uint(&out, status->clock_ns);
    }
    return room == 0 || out.length <= room ? out.length : 0;
}

/* --- Reading: bytes from the network, so nothing is believed ---------------------------------------------------- */

struct charley_in {
    const uint8_t *bytes;
    size_t length;
    size_t at;
};

struct charley_item {
    uint8_t head;
    int is_count;    /* an integer that is not negative */
    uint64_t number; /* and which */
    size_t text_at;
    uint64_t bytes;  /* that follow the head: text and the like */
    uint64_t values; /* that follow: of a map twice its pairs */
};

static inline int charley_take_big(struct charley_in *in, unsigned bytes, uint64_t *value)
{
    *value = 0;
    if (in->length - in->at < bytes)
        return 0;
    while (bytes-- > 0)
        *value = *value << 8 | in->bytes[in->at++];
    return 1;
}

/* The head of the next value, and its bytes; what is inside a map or an array is left to be taken. */
static inline int charley_take(struct charley_in *in, struct charley_item *item)
{
    uint64_t size = 0;
    unsigned width = 0;
    memset(item, 0, sizeof *item);
    if (in->at >= in->length)
        return 0;
    const uint8_t head = item->head = in->bytes[in->at++];
    if (head == 0xc1)
        return 0;
    if (head >= 0xc4 && head <= 0xdf) { /* the size of what follows, or the number itself */
        static const uint8_t widths[] = {1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 2,
                                         4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4};
        width = widths[head - 0xc4];
        if (!charley_take_big(in, width, &size))
            return 0;
    }
    if (head <= 0x7f || (head >= 0xcc && head <= 0xd3)) {
        item->number = head <= 0x7f ? head : size;
        item->is_count = head <= 0xcf || (size >> (8 * width - 1)) == 0; /* signed ones may be positive */
    } else if (head <= 0x8f || head >= 0xde)
        item->values = head >= 0xe0 ? 0 : 2 * (head <= 0x8f ? (uint64_t)(head & 0x0f) : size);
    else if (head <= 0x9f || head == 0xdc || head == 0xdd)
        item->values = head <= 0x9f ? (uint64_t)(head & 0x0f) : size;
    else if (head <= 0xbf)
        item->bytes = head & 0x1f;
    else if (head >= 0xc7 && head <= 0xc9)
        item->bytes = size + 1; /* an extension has a type */
    else if (head >= 0xd4 && head <= 0xd8)
        item->bytes = ((uint64_t)1 << (head - 0xd4)) + 1;
    else if (head <= 0xc6 || (head >= 0xd9 && head <= 0xdb))
        item->bytes = size;
    item->text_at = in->at;
    if (item->bytes > in->length - in->at)
        return 0;
    in->at += (size_t)item->bytes;
    return 1;
}

/* Passes over a value and all that is in it; a value has a byte at least, so this ends. */
static inline int charley_skip(struct charley_in *in)
{
    uint64_t left = 1;
    while (left > 0) {
        struct charley_item item;
        if (!charley_take(in, &item) || item.values > in->length - in->at)
            return 0;
        left = left - 1 + item.values;
    }
    return 1;
}

static inline int charley_is_text(const struct charley_in *in, const struct charley_item *item, const char *text)
{
    const int is_text = (item->head >= 0xa0 && item->head <= 0xbf) || (item->head >= 0xd9 && item->head <= 0xdb);
    return is_text && item->bytes == strlen(text) && memcmp(in->bytes + item->text_at, text, strlen(text)) == 0;
}

/*
 * 1 if these bytes are an ack, which is then in *ack; 0 if not: pass over it. Members that it does not know are passed
 * over too. The JSON form, which the service never sends, is not read.
 */
static inline int charley_read_ack(const uint8_t *bytes, size_t length, struct charley_ack *ack)
{
    struct charley_in in = {bytes, length, 0};
    struct charley_item map, name, value;
    int known = 0;
    if (!charley_take(&in, &map) || !((map.head & 0xf0) == 0x80 || map.head == 0xde || map.head == 0xdf))
        return 0;
    for (uint64_t pairs = map.values / 2; pairs > 0; pairs--) {
        if (!charley_take(&in, &name) || name.values > 0)
            return 0;
        const int is_boot = charley_is_text(&in, &name, "boot"), is_seq = charley_is_text(&in, &name, "seq");
        if (!is_boot && !is_seq) {
            if (!charley_skip(&in))
                return 0;
            continue;
        }
        if (!charley_take(&in, &value) || !value.is_count || value.number > CHARLEY_MAX_COUNT)
            return 0;
        *(is_boot ? &ack->boot : &ack->seq) = value.number;
        known |= is_boot ? 1 : 2;
    }
    return known == 3 && in.at == in.length;
}

#endif
