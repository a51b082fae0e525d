/* Many WebSocket readers (RFC 6455) of one stream; see readers.h.
 *
 * ws_readers PORT READERS PATH GRACE_SECONDS [stall] [socketio]
 *
 * A plain reader is live when its handshake is answered; one of Socket.IO when its namespace is connected. Records are
 * in text messages of one frame each. Pings are answered.
 */
#define _GNU_SOURCE
#include "head.h"

typedef struct {
    uint8_t is_open; /* the handshake is done */
} WebSocket;

#define WIRE WebSocket
#include "readers.h"

/* The example of RFC 6455, section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define TEXT 1
#define CLOSE 8
#define PING 9
#define PONG 10

static int is_socketio;

static size_t request_of(Reader *reader, char *to, size_t room) {
    reader->wire.is_open = 0;
    return (size_t)snprintf(to, room,
                            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n\r\n",
                            path, port);
}

static size_t unframe(Reader *reader, char *data, size_t size) {
    (void)reader, (void)data;
    return size;
}

/* A client's frame is masked; with a mask of nulls. */
static void send_frame(Reader *reader, int opcode, const char *payload, size_t size) {
    char frame[6 + 125] = {(char)(0x80 | opcode), (char)(0x80 | size)};
    if (size > 125) fail_plainly("a control frame is too long");
    memcpy(frame + 6, payload, size);
    if (write(reader->fd, frame, 6 + size) != (ssize_t)(6 + size)) fail("write");
}

static void take_packet(Reader *reader, char *text, char *end, uint64_t now) {
    if (*text == '4' && end - text > 1 && text[1] == '2') take_records(reader, text, end, now);
    else if (*text == '2') send_frame(reader, TEXT, "3", 1);
    else if (*text == '0') send_frame(reader, TEXT, "40", 2);
    else if (*text == '4' && end - text > 1 && text[1] == '0') become_live(reader);
    else fail_plainly("a Socket.IO packet");
}

static void take_frame(Reader *reader, int opcode, char *payload, char *end, uint64_t now) {
    if (opcode == PING) send_frame(reader, PONG, payload, (size_t)(end - payload));
    else if (opcode == TEXT && is_socketio && end > payload) take_packet(reader, payload, end, now);
    else if (opcode == TEXT) take_records(reader, payload, end, now);
    else if (opcode != CLOSE && opcode != PONG) fail_plainly("a frame of another kind");
}

/* Where a frame's payload begins, with its size; NULL: that is not there yet. */
static char *payload_of(char *text, char *end, uint64_t *size) {
    const unsigned char *head = (const unsigned char *)text;
    if (end - text < 2) return NULL;
    if (head[1] & 0x80) fail_plainly("a server's frame is masked");
    int extra = head[1] == 126 ? 2 : head[1] == 127 ? 8 : 0;
    if (end - text < 2 + extra) return NULL;
    *size = extra ? 0 : head[1];
    for (int index = 0; index < extra; index++) *size = *size << 8 | head[2 + index];
    return text + 2 + extra;
}

static char *take(Reader *reader, char *text, char **end, uint64_t now) {
    if (!reader->wire.is_open) {
        char *rest = end_of_head(text, *end);
        if (!rest) return text;
        rest[-1] = 0;
        const char *accept = header(text, "sec-websocket-accept");
        if (memcmp(text, "HTTP/1.1 101", 12)) fail_plainly(text);
        if (!accept || memcmp(accept, ACCEPT, sizeof ACCEPT - 1)) fail_plainly("Sec-WebSocket-Accept");
        reader->wire.is_open = 1;
        if (!is_socketio) become_live(reader);
        text = rest;
    }
    uint64_t size;
    for (char *payload; (payload = payload_of(text, *end, &size)) && size <= (uint64_t)(*end - payload);) {
        if (~*text & 0x80) fail_plainly("a fragment");
        take_frame(reader, *text & 15, payload, payload + size, now);
        text = payload + size;
    }
    return text;
}

int main(int count, char **words) {
    program = "ws_readers";
    if (count < 5) {
        fprintf(stderr, "ws_readers PORT READERS PATH GRACE_SECONDS [stall] [socketio]\n");
        return 2;
    }
    for (int index = 5; index < count; index++) {
        if (!strcmp(words[index], "stall")) stalls = 1;
        if (!strcmp(words[index], "socketio")) is_socketio = 1;
    }
    return run_readers(words);
}
