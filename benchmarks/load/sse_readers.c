/* Many SSE readers of one stream; see readers.h.
 *
 * sse_readers PORT READERS PATH GRACE_SECONDS [stall] [resume-by-id|resume-by-offset]
 *
 * A reader that is opened again sends Last-Event-ID, or has the offset of the last control event (Durable Streams) in
 * the place of `offset=now` in the path. An event that was not complete does not count, as in browsers.
 */
#define _GNU_SOURCE
#include "body.h"

#define MAX_ID 80

typedef struct {
    Answer answer;
    uint8_t in_data;    /* of a data line that is not complete, some is taken */
    uint8_t is_control; /* this event is one of Durable Streams' */
    char id[MAX_ID];    /* where to resume */
    char coming[MAX_ID]; /* the same, after the event that is being read */
} Sse;

#define WIRE Sse
#include "readers.h"

static int by_id, by_offset;

static size_t request_of(Reader *reader, char *to, size_t room) {
    const char *id = reader->wire.id, *before = by_offset && *id ? strstr(path, "offset=now") : NULL;
    char target[512];
    if (before) snprintf(target, sizeof target, "%.*soffset=%s%s", (int)(before - path), path, id, before + 10);
    else snprintf(target, sizeof target, "%s", path);
    int size = snprintf(to, room, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n%s%s%s\r\n",
                        target, port, by_id && *id ? "Last-Event-ID: " : "", by_id ? id : "", by_id && *id ? "\r\n" : "");
    memset(&reader->wire.answer, 0, sizeof reader->wire.answer);
    reader->wire.in_data = reader->wire.is_control = 0;
    *reader->wire.coming = 0;
    return (size_t)size;
}

static size_t unframe(Reader *reader, char *data, size_t size) {
    return reader->wire.answer.is_body ? unchunk(&reader->wire.answer, data, size) : size;
}

static void keep_id(Reader *reader, const char *text, size_t size) {
    if (size >= MAX_ID) fail_plainly("an id is too long");
    memcpy(reader->wire.coming, text, size);
    reader->wire.coming[size] = 0;
}

static void take_control(Reader *reader, char *line, char *end) {
    static const char name[] = "\"streamNextOffset\":\"";
    char *offset = memmem(line, (size_t)(end - line), name, sizeof name - 1);
    if (!offset) return;
    offset += sizeof name - 1;
    char *quote = memchr(offset, '"', (size_t)(end - offset));
    if (!quote) fail_plainly("a control event");
    keep_id(reader, offset, (size_t)(quote - offset));
}

static void end_event(Reader *reader) {
    Sse *sse = &reader->wire;
    sse->is_control = 0;
    if (!*sse->coming) return;
    memcpy(sse->id, sse->coming, MAX_ID);
    *sse->coming = 0;
    reader->committed = reader->next;
}

static void take_line(Reader *reader, char *line, char *end) {
    if (end > line && end[-1] == '\r') end--;
    size_t size = (size_t)(end - line);
    if (!size) {
        end_event(reader);
    } else if (reader->wire.is_control && size > 5 && !memcmp(line, "data:", 5)) {
        take_control(reader, line, end);
    } else if (by_id && size > 3 && !memcmp(line, "id:", 3)) {
        line += line[3] == ' ' ? 4 : 3;
        keep_id(reader, line, (size_t)(end - line));
    } else if (by_offset && size > 7 && !memcmp(line, "event:", 6)) {
        reader->wire.is_control = memmem(line, size, "control", 7) != NULL;
    }
}

static char *take_body(Reader *reader, char *text, char *end, uint64_t now) {
    Sse *sse = &reader->wire;
    while (text < end) {
        char *newline = memchr(text, '\n', (size_t)(end - text)), *stop = newline ? newline : end;
        if (sse->in_data || (!sse->is_control && stop - text >= 5 && !memcmp(text, "data:", 5))) {
            char *rest = take_records(reader, text, stop, now);
            sse->in_data = !newline;
            if (!newline) return rest;
        } else if (newline) {
            take_line(reader, text, newline);
        } else {
            return text;
        }
        text = newline + 1;
    }
    return text;
}

static char *take(Reader *reader, char *text, char **end, uint64_t now) {
    Answer *answer = &reader->wire.answer;
    if (!answer->is_body) {
        char *body = end_of_head(text, *end);
        if (!body) return text;
        body[-1] = 0;
        if (memcmp(text, "HTTP/1.1 200", 12)) fail_plainly(text);
        begin_body(answer, text);
        become_live(reader);
        *end = body + unchunk(answer, body, (size_t)(*end - body));
        text = body;
    }
    return take_body(reader, text, *end, now);
}

int main(int count, char **words) {
    program = "sse_readers";
    if (count < 5) {
        fprintf(stderr, "sse_readers PORT READERS PATH GRACE_SECONDS [stall] [resume-by-id|resume-by-offset]\n");
        return 2;
    }
    for (int index = 5; index < count; index++) {
        if (!strcmp(words[index], "stall")) stalls = 1;
        if (!strcmp(words[index], "resume-by-id")) by_id = 1;
        if (!strcmp(words[index], "resume-by-offset")) by_offset = 1;
    }
    return run_readers(words);
}
