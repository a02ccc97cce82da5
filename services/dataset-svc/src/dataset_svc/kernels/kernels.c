/* Loops over bytes and digests which the checks of JSON lines spend their time in, for `kernels/__init__.py`.
 *
 * They keep nothing and take no memory. A place that lies outside of the data is the caller's error: it is looked at, and
 * nothing is read there; one byte behind the data may be, which is the 0 that ends the interpreter's `bytes`.
 */
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef uint8_t u8;
typedef uint64_t u64;
typedef int64_t i64;

enum { WORD = 8, KINDS = 7, LANES = 32, SOME = LANES * 255, AHEAD = 16, TOGETHER = 500, FEW = 128 };

/* Loops that the compiler turns into vector code; on x86 for the widest vectors that the processor has. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define VECTORS
#endif
#define EXPORT __attribute__((visibility("default")))

#define OUTSIDE(begin, end, size) ((begin) < 0 || (end) < (begin) || (end) > (size))

static u64 word_at(const u8 *data) {
    u64 word;
    memcpy(&word, data, WORD);
    return word;
}

/* Fewer than eight bytes as a number. */
static u64 word_of(const u8 *data, i64 size) {
    u64 word = 0;
    for (i64 place = 0; place < size; place++) word = word << 8 | data[place];
    return word;
}

/* How many bytes of a few are this one: a byte for each of several places beside each other, so that none runs over. */
static VECTORS i64 count_in(const u8 *data, i64 size, u8 byte) {
    u8 lanes[LANES] = {0};
    i64 place = 0, count = 0;
    for (; place + LANES <= size; place += LANES)
        for (int lane = 0; lane < LANES; lane++) lanes[lane] += data[place + lane] == byte;
    for (int lane = 0; lane < LANES; lane++) count += lanes[lane];
    for (; place < size; place++) count += data[place] == byte;
    return count;
}

EXPORT i64 kargah_count(const u8 *data, i64 size, u8 byte) {
    i64 count = 0;
    for (i64 begin = 0; begin < size; begin += SOME)
        count += count_in(data + begin, begin + SOME < size ? SOME : size - begin, byte);
    return count;
}

/* Whether there are control characters of ASCII that end no line. */
static VECTORS int control_in(const u8 *data, i64 size) {
    u8 found = 0;
    for (i64 place = 0; place < size; place++) found |= (u8)((data[place] < ' ') & (data[place] != '\n'));
    return found;
}

EXPORT i64 kargah_has_control(const u8 *data, i64 size) {
    for (i64 begin = 0; begin < size; begin += SOME)
        if (control_in(data + begin, begin + SOME < size ? SOME : size - begin)) return 1;
    return 0;
}

/* Where this byte stands; there is room for so many. How many there are, or those that there was room for. */
EXPORT i64 kargah_find(const u8 *data, i64 size, u8 byte, i64 *places, i64 room) {
    i64 count = 0, place = 0;
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8((char)byte);
    for (; place + 16 <= size && count + 16 <= room; place += 16) {
        __m128i some = _mm_loadu_si128((const __m128i *)(data + place));
        for (unsigned bits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(some, wanted)); bits; bits &= bits - 1)
            places[count++] = place + __builtin_ctz(bits);
    }
#endif
    for (; place < size && count < room; place++)
        if (data[place] == byte) places[count++] = place;
    return count;
}

/* Whether all of it is UTF-8: what each byte must be hangs on the three before it alone. */
static VECTORS int wrong_in(const u8 *data, i64 count) {
    u8 wrong = 0;
    for (i64 place = 0; place < count; place++) {
        u8 here = data[place], one = data[place - 1], two = data[place - 2], three = data[place - 3];
        u8 due = (u8)((one >= 0xC0) | (two >= 0xE0) | (three >= 0xF0));
        u8 goes_on = (here & 0xC0) == 0x80;
        wrong |= (u8)(due ^ goes_on);
        wrong |= (u8)((here == 0xC0) | (here == 0xC1) | (here >= 0xF5));
        wrong |= (u8)(((one == 0xE0) & (here < 0xA0)) | ((one == 0xED) & (here > 0x9F)));
        wrong |= (u8)(((one == 0xF0) & (here < 0x90)) | ((one == 0xF4) & (here > 0x8F)));
    }
    return wrong;
}

EXPORT i64 kargah_is_utf8(const u8 *data, i64 size) {
    enum { NEAR = 3 };
    /* Zeros stand before it and behind it: a character that breaks off is wrong. */
    u8 first[2 * NEAR] = {0}, last[3 * NEAR] = {0};
    memcpy(first + NEAR, data, (size_t)(size < NEAR ? size : NEAR));
    if (wrong_in(first + NEAR, NEAR)) return 0;
    for (i64 begin = NEAR; begin < size; begin += SOME)
        if (wrong_in(data + begin, begin + SOME < size ? SOME : size - begin)) return 0;
    i64 known = size < 2 * NEAR ? size : 2 * NEAR;
    memcpy(last + 2 * NEAR - known, data + size - known, (size_t)known);
    return !wrong_in(last + 2 * NEAR, NEAR);
}

/* How many characters begin in so many bytes. */
static VECTORS i64 characters_of(const u8 *data, i64 size) {
    u8 lanes[LANES] = {0};
    i64 place = 0, count = 0;
    for (; place + LANES <= size; place += LANES)
        for (int lane = 0; lane < LANES; lane++) lanes[lane] += (data[place + lane] & 0xC0) != 0x80;
    for (int lane = 0; lane < LANES; lane++) count += lanes[lane];
    for (; place < size; place++) count += (data[place] & 0xC0) != 0x80;
    return count;
}

/* The same of a few: a byte goes on with a character where its highest bit is set and the next one is not. */
static i64 characters_of_few(const u8 *data, i64 size) {
    const u64 each = 0x0101010101010101;
    i64 place = 0, others = 0;
    for (; place + WORD <= size; place += WORD) {
        u64 word = word_at(data + place);
        others += (i64)(((word >> 7 & ~(word >> 6) & each) * each) >> 56);
    }
    for (; place < size; place++) others += (data[place] & 0xC0) == 0x80;
    return size - others;
}

static i64 characters_in(const u8 *data, i64 size) {
    i64 count = 0;
    if (size < FEW) return characters_of_few(data, size);
    for (i64 begin = 0; begin < size; begin += SOME)
        count += characters_of(data + begin, begin + SOME < size ? SOME : size - begin);
    return count;
}

EXPORT i64 kargah_characters(const u8 *data, i64 size, const i64 *begins, const i64 *ends, i64 pieces, i64 *found) {
    for (i64 piece = 0; piece < pieces; piece++) {
        if (OUTSIDE(begins[piece], ends[piece], size)) return -1;
        found[piece] = characters_in(data + begins[piece], ends[piece] - begins[piece]);
    }
    return 0;
}

/* At which places the text stands. */
EXPORT i64 kargah_stands_at(
    const u8 *data, i64 size, const i64 *places, i64 count, const u8 *text, i64 length, u8 *found
) {
    for (i64 number = 0; number < count; number++) {
        i64 place = places[number];
        if (OUTSIDE(place, place + length, size)) return -1;
        found[number] = !memcmp(data + place, text, (size_t)length);
    }
    return 0;
}

/* 64 bits of a piece, never 0, by multiplying two words at a time with 128 bits for what comes out. Who does not know the
 * three keys cannot make two pieces of one digest. */
static u64 folded(u64 one, u64 two) {
    unsigned __int128 product = (unsigned __int128)one * two;
    return (u64)product ^ (u64)(product >> 64);
}

static u64 digest(const u8 *data, i64 size, const u64 *keys) {
    u64 state = keys[0] ^ (u64)size * keys[2];
    i64 left = size;
    for (; left >= 2 * WORD; left -= 2 * WORD, data += 2 * WORD)
        state = folded(word_at(data) ^ state, word_at(data + WORD) ^ keys[1]);
    u64 first = 0, last = 0;
    if (size >= 2 * WORD) { /* what is left, and of what stands before it as much as makes two words */
        first = word_at(data + left - 2 * WORD);
        last = word_at(data + left - WORD);
    } else if (left >= WORD) {
        first = word_at(data);
        last = word_at(data + left - WORD);
    } else {
        first = word_of(data, left);
    }
    state = folded(first ^ state, last ^ keys[1]);
    state = folded(state ^ keys[2], (u64)size ^ keys[0]);
    return state ? state : 1;
}

EXPORT i64 kargah_digests(
    const u8 *data, i64 size, const i64 *begins, const i64 *ends, i64 pieces, const u64 *keys, u64 *found
) {
    for (i64 piece = 0; piece < pieces; piece++) {
        if (OUTSIDE(begins[piece], ends[piece], size)) return -1;
        found[piece] = digest(data + begins[piece], ends[piece] - begins[piece], keys);
    }
    return 0;
}

/* The tables of `digests.py`: puts the keys in, one by one, as long as fewer than `limit` are there; at least half of
 * the places must stay free. What each key had before is `earlier`, 0 where it is new; without `values` that is 1.
 * How many keys there are now. */
EXPORT i64 kargah_put(
    u64 *table, u64 *kept, u64 mask, i64 count, i64 limit, const u64 *keys, const u64 *values, i64 number, u64 *earlier
) {
    for (i64 one = 0; one < number; one++) {
        if (one + AHEAD < number) __builtin_prefetch(table + (keys[one + AHEAD] & mask));
        u64 key = keys[one], place = key & mask;
        while (table[place] && table[place] != key) place = (place + 1) & mask;
        if (table[place]) {
            earlier[one] = kept ? kept[place] : 1;
            continue;
        }
        earlier[one] = 0;
        if (count >= limit) continue;
        table[place] = key;
        if (kept) kept[place] = values[one];
        count++;
    }
    return count;
}

/* The counts of `scripts.py` in each row of pieces, those from `firsts` to `lasts`: what each byte counts for stands
 * in `table`, by itself and the one behind it, packed at `shifts`. Of a row the first `most` characters are looked at. */
static u64 packed_kinds(const u8 *data, i64 size, const u64 *table) {
    u64 packed = 0;
    for (i64 place = 0; place < size; place++) packed += table[data[place] << 8 | data[place + 1]];
    return packed;
}

/* How many bytes the first characters take, at most so many bytes. */
static i64 bytes_of(const u8 *data, i64 size, i64 most) {
    i64 place = 0;
    for (; place < size; place++)
        if ((data[place] & 0xC0) != 0x80 && --most < 0) break;
    return place;
}

static i64 row_kinds(
    const u8 *data, i64 size, const i64 *begins, const i64 *ends, i64 first, i64 last, i64 most, const u64 *table,
    const u64 *shifts, i64 *found
) {
    for (i64 piece = first; piece < last && most > 0; piece++) {
        if (OUTSIDE(begins[piece], ends[piece], size)) return -1;
        for (i64 place = begins[piece]; place < ends[piece] && most > 0;) {
            i64 bytes = ends[piece] - place < TOGETHER ? ends[piece] - place : TOGETHER;
            if (bytes > most) bytes = bytes_of(data + place, bytes, most);
            u64 packed = packed_kinds(data + place, bytes, table);
            for (int kind = 0; kind < KINDS; kind++)
                found[kind] += packed >> shifts[kind] & (((u64)1 << (shifts[kind + 1] - shifts[kind])) - 1);
            most -= characters_in(data + place, bytes);
            place += bytes;
        }
    }
    return 0;
}

EXPORT i64 kargah_kinds(
    const u8 *data, i64 size, const i64 *begins, const i64 *ends, i64 pieces, const i64 *firsts, const i64 *lasts,
    i64 rows, i64 most, const u64 *table, const u64 *shifts, i64 *found
) {
    for (i64 row = 0; row < rows; row++) {
        if (OUTSIDE(firsts[row], lasts[row], pieces)) return -1;
        if (row_kinds(data, size, begins, ends, firsts[row], lasts[row], most, table, shifts, found + row * KINDS)) return -1;
    }
    return 0;
}

/* Whether each piece begins with two bytes that are true in `table`, by the first and the second; none that is shorter
 * does. */
EXPORT i64 kargah_begin_with(
    const u8 *data, i64 size, const i64 *begins, const i64 *ends, i64 pieces, const u8 *table, u8 *found
) {
    for (i64 piece = 0; piece < pieces; piece++) {
        if (OUTSIDE(begins[piece], ends[piece], size)) return -1;
        const u8 *at = data + begins[piece];
        i64 bytes = ends[piece] - begins[piece];
        found[piece] = bytes > 1 ? table[at[0] << 8 | at[1]] : bytes == 1 && table[at[0] << 8];
    }
    return 0;
}
