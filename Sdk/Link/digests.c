/*
 * The layer of .NET above OpenSSL for programs that hash and do nothing else with cryptography: the same functions as in the full layer, over the
 * bare hash functions of libcrypto, so that ciphers, keys and certificates stay out of the image. Linked in place of the full layer when a program
 * calls only what is here (Sdk/Tool/Build/OpenSslLibrary.cs). Source of truth: pal_evp.h, pal_hmac.h, pal_err.h and openssl.h of the layer, for
 * what each function takes and returns; OpenSSL's <openssl/sha.h>, <openssl/md5.h> and internal/sha3.h; RFC 2104 for HMAC.
 */
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "internal/sha3.h"

enum { LONGEST_DIGEST = 64, LONGEST_BLOCK = 168, LARGEST_REQUEST = 256 };
enum { SHA3_PADDING = 0x06, SHAKE_PADDING = 0x1f };

union state {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
	SHA512_CTX sha512;
	KECCAK1600_CTX keccak;
};

/* A hash function: what .NET holds as EVP_MD. */
struct digest {
	uint32_t size, block;
	int is_extendable;
	int (*start)(union state *);
	int (*update)(union state *, const void *, size_t);
	int (*final)(uint8_t *, union state *);
};

/* A hash in the making: what .NET holds as EVP_MD_CTX. */
struct context {
	const struct digest *digest;
	union state state;
};

/* What .NET holds as HMAC_CTX: the hash so far, and the two states that follow from the key. */
struct hmac {
	struct context now, inner, outer;
};

#define CLASSIC(name, field, prefix, length, block_length)                                                             \
	static int name##_start(union state *s) { return prefix##_Init(&s->field); }                                   \
	static int name##_update(union state *s, const void *data, size_t size) { return prefix##_Update(&s->field, data, size); } \
	static int name##_final(uint8_t *out, union state *s) { return prefix##_Final(out, &s->field); }               \
	static const struct digest name = {length, block_length, 0, name##_start, name##_update, name##_final};

CLASSIC(md5, md5, MD5, 16, 64)
CLASSIC(sha1, sha1, SHA1, 20, 64)
CLASSIC(sha256, sha256, SHA256, 32, 64)
CLASSIC(sha384, sha512, SHA384, 48, 128)
CLASSIC(sha512, sha512, SHA512, 64, 128)

static int keccak_update(union state *s, const void *data, size_t size) { return ossl_sha3_update(&s->keccak, data, size); }
static int keccak_final(uint8_t *out, union state *s) { return ossl_sha3_final(out, &s->keccak); }

#define KECCAK(name, padding, bits, extendable)                                                                        \
	static int name##_start(union state *s) { return ossl_sha3_init(&s->keccak, padding, bits); }                  \
	static const struct digest name = {bits / 8, SHA3_BLOCKSIZE(bits), extendable, name##_start, keccak_update, keccak_final};

KECCAK(sha3_256, SHA3_PADDING, 256, 0)
KECCAK(sha3_384, SHA3_PADDING, 384, 0)
KECCAK(sha3_512, SHA3_PADDING, 512, 0)
KECCAK(shake128, SHAKE_PADDING, 128, 1)
KECCAK(shake256, SHAKE_PADDING, 256, 1)

const struct digest *CryptoNative_EvpMd5(void) { return &md5; }
const struct digest *CryptoNative_EvpSha1(void) { return &sha1; }
const struct digest *CryptoNative_EvpSha256(void) { return &sha256; }
const struct digest *CryptoNative_EvpSha384(void) { return &sha384; }
const struct digest *CryptoNative_EvpSha512(void) { return &sha512; }
const struct digest *CryptoNative_EvpSha3_256(void) { return &sha3_256; }
const struct digest *CryptoNative_EvpSha3_384(void) { return &sha3_384; }
const struct digest *CryptoNative_EvpSha3_512(void) { return &sha3_512; }
const struct digest *CryptoNative_EvpShake128(void) { return &shake128; }
const struct digest *CryptoNative_EvpShake256(void) { return &shake256; }

int32_t CryptoNative_EvpMdSize(const struct digest *digest) { return (int32_t)digest->size; }
int32_t CryptoNative_GetMaxMdSize(void) { return LONGEST_DIGEST; }

/* Hashing in memory cannot fail, so there is never an error to tell about. */
int32_t CryptoNative_EnsureOpenSslInitialized(void) { return 0; }
int32_t CryptoNative_OpenSslAvailable(void) { return 1; }
void CryptoNative_ErrClearError(void) { }
uint64_t CryptoNative_ErrPeekError(void) { return 0; }
uint64_t CryptoNative_ErrPeekLastError(void) { return 0; }
const char *CryptoNative_ErrReasonErrorString(uint64_t error) { (void)error; return NULL; }

uint64_t CryptoNative_ErrGetExceptionError(int32_t *is_out_of_memory)
{
	if (is_out_of_memory)
		*is_out_of_memory = 1; /* The only reason there is. */
	return 0;
}

void CryptoNative_ErrErrorStringN(uint64_t error, char *text, int32_t size)
{
	(void)error;
	if (text && size > 0)
		text[0] = 0;
}

int32_t CryptoNative_GetRandomBytes(uint8_t *bytes, int32_t count)
{
	/* Requests of up to 256 bytes are answered whole, see getrandom(2). */
	for (int32_t size; count > 0; bytes += size, count -= size) {
		size = count < LARGEST_REQUEST ? count : LARGEST_REQUEST;
		if (getrandom(bytes, (size_t)size, 0) != size)
			return 0;
	}
	return 1;
}

int32_t CryptoNative_EvpDigestReset(struct context *context, const struct digest *digest)
{
	context->digest = digest;
	return digest->start(&context->state);
}

struct context *CryptoNative_EvpMdCtxCreate(const struct digest *digest)
{
	struct context *context = malloc(sizeof *context);
	if (context)
		CryptoNative_EvpDigestReset(context, digest);
	return context;
}

static void *copy(const void *original, size_t size)
{
	void *twin = original ? malloc(size) : NULL;
	return twin ? memcpy(twin, original, size) : NULL;
}

static void destroy(void *secret, size_t size)
{
	if (secret)
		OPENSSL_cleanse(secret, size);
	free(secret);
}

struct context *CryptoNative_EvpMdCtxCopyEx(const struct context *context) { return copy(context, sizeof *context); }
void CryptoNative_EvpMdCtxDestroy(struct context *context) { destroy(context, sizeof *context); }

int32_t CryptoNative_EvpDigestUpdate(struct context *context, const void *data, int32_t size)
{
	return context->digest->update(&context->state, data, (size_t)size);
}

int32_t CryptoNative_EvpDigestFinalEx(struct context *context, uint8_t *out, uint32_t *size)
{
	*size = context->digest->size;
	return context->digest->final(out, &context->state);
}

int32_t CryptoNative_EvpDigestCurrent(const struct context *context, uint8_t *out, uint32_t *size)
{
	struct context twin = *context;
	int32_t result = CryptoNative_EvpDigestFinalEx(&twin, out, size);
	OPENSSL_cleanse(&twin, sizeof twin);
	return result;
}

int32_t CryptoNative_EvpDigestOneShot(const struct digest *digest, const void *data, int32_t count, uint8_t *out, uint32_t *size)
{
	struct context context;
	if (!digest || count < 0 || !out || !size)
		return 0;
	CryptoNative_EvpDigestReset(&context, digest);
	CryptoNative_EvpDigestUpdate(&context, data, count);
	int32_t result = CryptoNative_EvpDigestFinalEx(&context, out, size);
	OPENSSL_cleanse(&context, sizeof context);
	return result;
}

/* The functions whose output is as long as one wishes (SHAKE). */
int32_t CryptoNative_EvpDigestFinalXOF(struct context *context, uint8_t *out, uint32_t size)
{
	if (!context->digest->is_extendable)
		return 0;
	context->state.keccak.md_size = size;
	return size == 0 ? 1 : out ? context->digest->final(out, &context->state) : -1;
}

int32_t CryptoNative_EvpDigestCurrentXOF(const struct context *context, uint8_t *out, uint32_t size)
{
	struct context twin = *context;
	int32_t result = CryptoNative_EvpDigestFinalXOF(&twin, out, size);
	OPENSSL_cleanse(&twin, sizeof twin);
	return result;
}

int32_t CryptoNative_EvpDigestXOFOneShot(const struct digest *digest, const void *data, int32_t count, uint8_t *out, uint32_t size)
{
	struct context context;
	if (!digest || count < 0)
		return 0;
	CryptoNative_EvpDigestReset(&context, digest);
	CryptoNative_EvpDigestUpdate(&context, data, count);
	int32_t result = CryptoNative_EvpDigestFinalXOF(&context, out, size);
	OPENSSL_cleanse(&context, sizeof context);
	return result;
}

/* Output in several parts is what this version of OpenSSL does not have either; the caller is told so. */
int32_t CryptoNative_EvpDigestSqueeze(struct context *context, uint8_t *out, uint32_t size, int32_t *is_there)
{
	(void)context, (void)out, (void)size;
	*is_there = 0;
	return 0;
}

static void start_hmac(struct hmac *hmac, const struct digest *digest, const uint8_t *key, int32_t size)
{
	uint8_t block[LONGEST_BLOCK] = {0};
	uint32_t short_size = 0;
	if ((uint32_t)size > digest->block)
		CryptoNative_EvpDigestOneShot(digest, key, size, block, &short_size);
	else if (size > 0)
		memcpy(block, key, (size_t)size);
	for (uint32_t i = 0; i < digest->block; i++)
		block[i] ^= 0x36;
	CryptoNative_EvpDigestReset(&hmac->inner, digest);
	CryptoNative_EvpDigestUpdate(&hmac->inner, block, (int32_t)digest->block);
	for (uint32_t i = 0; i < digest->block; i++)
		block[i] ^= 0x36 ^ 0x5c;
	CryptoNative_EvpDigestReset(&hmac->outer, digest);
	CryptoNative_EvpDigestUpdate(&hmac->outer, block, (int32_t)digest->block);
	OPENSSL_cleanse(block, sizeof block);
	hmac->now = hmac->inner;
}

struct hmac *CryptoNative_HmacCreate(const uint8_t *key, int32_t size, const struct digest *digest)
{
	struct hmac *hmac = malloc(sizeof *hmac);
	if (hmac)
		start_hmac(hmac, digest, key, size);
	return hmac;
}

struct hmac *CryptoNative_HmacCopy(const struct hmac *hmac) { return copy(hmac, sizeof *hmac); }
void CryptoNative_HmacDestroy(struct hmac *hmac) { destroy(hmac, sizeof *hmac); }

int32_t CryptoNative_HmacReset(struct hmac *hmac)
{
	hmac->now = hmac->inner;
	return 1;
}

int32_t CryptoNative_HmacUpdate(struct hmac *hmac, const uint8_t *data, int32_t size)
{
	return CryptoNative_EvpDigestUpdate(&hmac->now, data, size);
}

int32_t CryptoNative_HmacCurrent(const struct hmac *hmac, uint8_t *out, int32_t *size)
{
	struct context now = hmac->now, outer = hmac->outer;
	uint8_t digest[LONGEST_DIGEST];
	uint32_t length;
	CryptoNative_EvpDigestFinalEx(&now, digest, &length);
	CryptoNative_EvpDigestUpdate(&outer, digest, (int32_t)length);
	CryptoNative_EvpDigestFinalEx(&outer, out, &length);
	*size = (int32_t)length;
	OPENSSL_cleanse(&now, sizeof now);
	OPENSSL_cleanse(&outer, sizeof outer);
	OPENSSL_cleanse(digest, sizeof digest);
	return 1;
}

int32_t CryptoNative_HmacFinal(struct hmac *hmac, uint8_t *out, int32_t *size) { return CryptoNative_HmacCurrent(hmac, out, size); }

int32_t CryptoNative_HmacOneShot(
	const struct digest *digest, const uint8_t *key, int32_t key_size, const uint8_t *data, int32_t count, uint8_t *out, int32_t *size)
{
	struct hmac hmac;
	if (!digest || key_size < 0 || count < 0 || !out || !size)
		return -1;
	start_hmac(&hmac, digest, key, key_size);
	CryptoNative_HmacUpdate(&hmac, data, count);
	int32_t result = CryptoNative_HmacCurrent(&hmac, out, size);
	OPENSSL_cleanse(&hmac, sizeof hmac);
	return result;
}
