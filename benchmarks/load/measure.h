/* The clock, and a histogram of times in microseconds: 128 buckets for each power of two, so that one is at most 1 %
 * wide. */
#include <stdint.h>
#include <time.h>

#define SUB_BITS 7
#define BUCKETS ((40 - SUB_BITS + 1) << SUB_BITS)

static uint64_t histogram[BUCKETS];

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static unsigned bucket_of(uint64_t value) {
    if (value < (1u << SUB_BITS)) return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - SUB_BITS;
    unsigned bucket = ((shift + 1) << SUB_BITS) + (unsigned)((value >> shift) - (1u << SUB_BITS));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t bucket_value(unsigned bucket) {
    if (bucket < (1u << SUB_BITS)) return bucket;
    unsigned shift = (bucket >> SUB_BITS) - 1;
    return ((uint64_t)(bucket & ((1u << SUB_BITS) - 1)) + (1u << SUB_BITS)) << shift;
}

static uint64_t percentile(uint64_t count, double share) {
    uint64_t rank = (uint64_t)((double)count * share), seen = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram[bucket];
        if (seen > rank) return bucket_value(bucket);
    }
    return 0;
}
