/* The body of an HTTP/1.1 answer: chunked, of a known length, or to the end of the connection. */
#include "head.h"

typedef struct {
    uint8_t is_body; /* the head is complete */
    uint8_t is_done;
    uint8_t is_chunked;
    uint8_t at_size; /* in the line of a chunk's size */
    uint8_t at_last; /* in the empty line after the last chunk; no trailers are expected */
    uint64_t left;   /* bytes of this chunk with its line end, or of the body */
} Answer;

static void begin_body(Answer *answer, const char *head) {
    const char *length = header(head, "content-length"), *coding = header(head, "transfer-encoding");
    *answer = (Answer){.is_body = 1, .is_chunked = coding && !strncasecmp(coding, "chunked", 7), .at_size = 1};
    if (!answer->is_chunked) answer->left = length ? strtoull(length, NULL, 10) : UINT64_MAX;
    if (!answer->is_chunked && !answer->left) answer->is_done = 1;
}

static int digit_of(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Takes the chunks' framing out of a body's next bytes, in place, and gives their new size.
 *
 * While a chunk's data is copied, `left` counts it and its line end, which is the two bytes not copied. */
static size_t unchunk(Answer *answer, char *data, size_t size) {
    char *from = data, *end = data + size, *to = data;
    if (!answer->is_chunked) {
        if (size > answer->left) size = (size_t)answer->left;
        answer->left -= size;
        answer->is_done = !answer->left;
        return size;
    }
    while (from < end && !answer->is_done) {
        if (answer->at_size) {
            char c = *from++;
            if (c != '\n') {
                if (digit_of(c) >= 0) answer->left = answer->left * 16 + (uint64_t)digit_of(c);
                continue;
            }
            answer->at_last = !answer->left;
            answer->at_size = 0;
            answer->left += 2;
            continue;
        }
        uint64_t payload = answer->left > 2 ? answer->left - 2 : 0, room = (uint64_t)(end - from);
        uint64_t count = payload < room ? payload : room;
        if (count) memmove(to, from, (size_t)count);
        to += count;
        from += count;
        answer->left -= count;
        while (from < end && answer->left && answer->left <= 2) from++, answer->left--;
        if (answer->left) continue;
        answer->at_size = 1;
        answer->is_done = answer->at_last;
    }
    return (size_t)(to - data);
}
