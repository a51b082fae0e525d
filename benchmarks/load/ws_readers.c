/* Many WebSocket readers (RFC 6455) of one stream, or of several on one connection; see readers.h.
 *
 * ws_readers PORT READERS PATH GRACE_SECONDS [stall] [socketio | centrifugo | door=STREAMS [starve]]
 *
 * A plain reader is live when its handshake is answered; one of Socket.IO when its namespace is connected; one of
 * Centrifugo when it is subscribed; one of Headwater's door when each of its streams has told `live`. Records are in text
 * messages of one frame each. Pings are answered.
 *
 * At the door the streams are `load`, or `load-0`, `load-1` and so on if there are several. What came is acknowledged as
 * Headwater's clients do: of each stream a second after the first record that is not. With `starve` there is one stream
 * more, `load-starved`, with a window of one byte, that is never acknowledged; its records are not counted.
 */
#define _GNU_SOURCE
#include "head.h"

typedef struct {
    uint8_t is_open; /* the handshake is done */
    uint16_t lives;  /* streams that have told `live` */
    struct {
        uint64_t since; /* since when something is not acknowledged; 0: all is */
        uint32_t next;  /* number of the record that is to come; each stream counts its own */
    } *streams;
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

#define ACK_NS 1000000000ull
#define MAX_STREAMS 1000

static enum { PLAIN, SOCKETIO, CENTRIFUGO, DOOR } dialect;
static int streams, starves;
static char greeting[MAX_STREAMS * 100]; /* what is sent behind the handshake */
static size_t greeting_size;

static size_t request_of(Reader *reader, char *to, size_t room) {
    reader->wire.is_open = 0;
    reader->wire.lives = 0;
    if (dialect == DOOR) {
        free(reader->wire.streams);
        reader->wire.streams = calloc((size_t)streams, sizeof *reader->wire.streams);
        if (!reader->wire.streams) fail("memory");
    }
    return (size_t)snprintf(to, room,
                            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n%s\r\n",
                            path, port, dialect == DOOR ? "Sec-WebSocket-Protocol: headwater.v1+json\r\n" : "");
}

static size_t unframe(Reader *reader, char *data, size_t size) {
    (void)reader, (void)data;
    return size;
}

/* Adds a message to what is sent behind the handshake. */
static void greet_with(const char *text) {
    size_t size = strlen(text);
    char *to = greeting + greeting_size;
    if (size > 125 || greeting_size + 6 + size > sizeof greeting) fail_plainly("a greeting is too long");
    memcpy(to, (char[6]){(char)(0x80 | TEXT), (char)(0x80 | size)}, 6);
    memcpy(to + 6, text, size);
    greeting_size += 6 + size;
}

static void prepare_door(void) {
    char text[126];
    greet_with("{\"t\":\"hello\"}");
    for (int index = 0; index < streams; index++) {
        char name[16] = "load";
        if (streams > 1) snprintf(name, sizeof name, "load-%d", index);
        snprintf(text, sizeof text, "{\"t\":\"sub\",\"id\":%d,\"path\":\"%s\",\"from\":\"now\"}", index + 1, name);
        greet_with(text);
    }
    if (starves) greet_with("{\"t\":\"sub\",\"id\":0,\"path\":\"load-starved\",\"from\":\"now\",\"window\":1}");
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

static void take_reply(Reader *reader, char *text, char *end, uint64_t now) {
    size_t size = (size_t)(end - text);
    if (size == 2 && !memcmp(text, "{}", 2)) send_frame(reader, TEXT, "{}", 2);
    else if (!reader->is_live && memmem(text, size, "\"error\"", 7)) fail_plainly("Centrifugo refuses");
    else if (!reader->is_live && memmem(text, size, "\"subscribe\"", 11)) become_live(reader);
    else take_records(reader, text, end, now);
}

/* Whether a message of the door is of this kind. */
static int says(const char *text, const char *end, const char *kind) {
    size_t size = strlen(kind);
    return (size_t)(end - text) > size && !memcmp(text, kind, size);
}

static void take_data(Reader *reader, char *text, char *end, uint64_t now) {
    char message[126], *offset = memmem(text, (size_t)(end - text), "\"o\":\"", 5), *last;
    int number = atoi(text + sizeof "{\"t\":\"data\",\"s\":" - 1);
    if (!offset || !(last = memchr(offset + 5, '"', (size_t)(end - offset - 5)))) fail_plainly("data without an offset");
    if (starves && memmem(text, (size_t)(end - text), "starved", 7)) return;
    reader->next = reader->wire.streams[number % streams].next;
    take_records(reader, text, end, now);
    reader->wire.streams[number % streams].next = reader->next;
    uint64_t *since = &reader->wire.streams[number % streams].since;
    if (!*since) *since = now;
    if (now - *since < ACK_NS) return;
    *since = 0;
    int size = snprintf(message, sizeof message, "{\"t\":\"ack\",\"s\":%d,\"o\":\"%.*s\"}", number,
                        (int)(last - offset - 5), offset + 5);
    send_frame(reader, TEXT, message, (size_t)size);
}

static void take_message(Reader *reader, char *text, char *end, uint64_t now) {
    if (says(text, end, "{\"t\":\"data\",\"s\":")) take_data(reader, text, end, now);
    else if (says(text, end, "{\"t\":\"ping\"")) send_frame(reader, TEXT, "{\"t\":\"pong\"}", 12);
    else if (says(text, end, "{\"t\":\"live\"")) {
        if (++reader->wire.lives == streams + starves && !reader->is_live) become_live(reader);
    } else if (!says(text, end, "{\"t\":\"sub\"") && !says(text, end, "{\"t\":\"welcome\"")) {
        *end = 0;
        fail_plainly(text);
    }
}

static void take_frame(Reader *reader, int opcode, char *payload, char *end, uint64_t now) {
    if (opcode == PING) send_frame(reader, PONG, payload, (size_t)(end - payload));
    else if (opcode == TEXT && dialect == SOCKETIO && end > payload) take_packet(reader, payload, end, now);
    else if (opcode == TEXT && dialect == CENTRIFUGO) take_reply(reader, payload, end, now);
    else if (opcode == TEXT && dialect == DOOR) take_message(reader, payload, end, now);
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
        if (dialect == PLAIN) become_live(reader);
        if (greeting_size && write(reader->fd, greeting, greeting_size) != (ssize_t)greeting_size) fail("write");
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
        fprintf(stderr, "ws_readers PORT READERS PATH GRACE_SECONDS [stall] [socketio | centrifugo | door=STREAMS [starve]]\n");
        return 2;
    }
    for (int index = 5; index < count; index++) {
        if (!strcmp(words[index], "stall")) stalls = 1;
        if (!strcmp(words[index], "starve")) starves = 1;
        if (!strcmp(words[index], "socketio")) dialect = SOCKETIO;
        if (!strcmp(words[index], "centrifugo")) dialect = CENTRIFUGO;
        if (sscanf(words[index], "door=%d", &streams) == 1) dialect = DOOR;
    }
    if (dialect == DOOR && (streams < 1 || streams > MAX_STREAMS)) fail_plainly("so many streams");
    if (dialect == DOOR) prepare_door();
    if (dialect == CENTRIFUGO) greet_with("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"load\"}}");
    return run_readers(words);
}
