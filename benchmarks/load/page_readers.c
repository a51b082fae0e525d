/* Many readers that catch up with GET: each reads a stream's pages, or a file, from the start to the end.
 *
 * page_readers PORT READERS PATH GRACE_SECONDS
 *
 * While an answer has Stream-Next-Offset and no Stream-Up-To-Date, the next is asked for on the same connection, with
 * that offset in the place of `offset=-1` in the path. Records are told from each other as in readers.h.
 */
#define _GNU_SOURCE
#include "body.h"

typedef struct {
    Answer answer;
    char offset[80]; /* of the next page; empty: this is the last */
} Pages;

#define WIRE Pages
#include "readers.h"

static size_t request_of(Reader *reader, char *to, size_t room) {
    const char *offset = reader->wire.offset, *before = *offset ? strstr(path, "offset=-1") : NULL;
    int size = before ? snprintf(to, room, "GET %.*soffset=%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                                 (int)(before - path), path, offset, before + 9, port)
                      : snprintf(to, room, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, port);
    memset(&reader->wire.answer, 0, sizeof reader->wire.answer);
    return (size_t)size;
}

static size_t unframe(Reader *reader, char *data, size_t size) {
    return reader->wire.answer.is_body ? unchunk(&reader->wire.answer, data, size) : size;
}

static void take_head(Reader *reader, const char *head) {
    const char *next = header(head, "stream-next-offset");
    if (memcmp(head, "HTTP/1.1 200", 12)) fail_plainly(head);
    *reader->wire.offset = 0;
    if (next && !header(head, "stream-up-to-date")) sscanf(next, "%79[^\r]", reader->wire.offset);
    begin_body(&reader->wire.answer, head);
    if (!reader->is_live) become_live(reader);
}

static char *take(Reader *reader, char *text, char **end, uint64_t now) {
    Answer *answer = &reader->wire.answer;
    if (!answer->is_body) {
        char *body = end_of_head(text, *end);
        if (!body) return text;
        body[-1] = 0;
        take_head(reader, text);
        *end = body + unchunk(answer, body, (size_t)(*end - body));
        text = body;
    }
    text = take_records(reader, text, *end, now);
    if (!answer->is_done) return text;
    if (*reader->wire.offset) {
        char request[MAX_MESSAGE];
        size_t size = request_of(reader, request, sizeof request);
        if (write(reader->fd, request, size) != (ssize_t)size) fail("write");
    }
    return *end;
}

int main(int count, char **words) {
    program = "page_readers";
    if (count != 5) {
        fprintf(stderr, "page_readers PORT READERS PATH GRACE_SECONDS\n");
        return 2;
    }
    return run_readers(words);
}
