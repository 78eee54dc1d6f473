/* SHA-256, for programs without a library. Source of truth: FIPS 180-4, sections 4.1.2, 5 and 6.2. */
#ifndef SHA256_H
#define SHA256_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64, SHA256_ROUNDS = 64 };

struct sha256 {
    uint32_t hash[8];
    uint64_t size;
    uint8_t block[SHA256_BLOCK];
};

static inline uint32_t sha256_rotate(uint32_t x, int count) { return x >> count | x << (32 - count); }

static inline void sha256_mix(struct sha256 *sum, const uint8_t *block)
{
    static const uint32_t constants[SHA256_ROUNDS] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
        0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
        0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
        0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };
    uint32_t words[SHA256_ROUNDS], s[8];
    memcpy(words, block, SHA256_BLOCK);
    for (int i = 0; i < 16; i++)
        words[i] = be32toh(words[i]);
    for (int i = 16; i < SHA256_ROUNDS; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + words[i - 7] + (sha256_rotate(a, 7) ^ sha256_rotate(a, 18) ^ a >> 3) + (sha256_rotate(b, 17) ^ sha256_rotate(b, 19) ^ b >> 10);
    }
    memcpy(s, sum->hash, sizeof s);
    for (int i = 0; i < SHA256_ROUNDS; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]), majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t first = s[7] + (sha256_rotate(s[4], 6) ^ sha256_rotate(s[4], 11) ^ sha256_rotate(s[4], 25)) + choice + constants[i] + words[i];
        uint32_t second = (sha256_rotate(s[0], 2) ^ sha256_rotate(s[0], 13) ^ sha256_rotate(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        sum->hash[i] += s[i];
}

static inline void sha256_begin(struct sha256 *sum)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sum->hash, start, sizeof start);
    sum->size = 0;
}

static inline void sha256_add(struct sha256 *sum, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    size_t used = sum->size % SHA256_BLOCK;
    sum->size += size;
    while (size > 0) {
        if (used == 0 && size >= SHA256_BLOCK) {
            sha256_mix(sum, from);
            from += SHA256_BLOCK;
            size -= SHA256_BLOCK;
            continue;
        }
        size_t part = SHA256_BLOCK - used < size ? SHA256_BLOCK - used : size;
        memcpy(sum->block + used, from, part);
        from += part;
        size -= part;
        used = (used + part) % SHA256_BLOCK;
        if (used == 0)
            sha256_mix(sum, sum->block);
    }
}

static inline void sha256_end(struct sha256 *sum, uint8_t digest[SHA256_SIZE])
{
    static const uint8_t padding[SHA256_BLOCK] = {0x80};
    uint64_t bits = htobe64(sum->size * 8);
    size_t used = sum->size % SHA256_BLOCK;
    sha256_add(sum, padding, (used < 56 ? 56 : 120) - used);
    sha256_add(sum, &bits, sizeof bits);
    for (int i = 0; i < 8; i++) {
        uint32_t word = htobe32(sum->hash[i]);
        memcpy(digest + 4 * i, &word, 4);
    }
}

#endif
