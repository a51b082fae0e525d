/* Viewers of many runs of a scripted model, one thread, epoll.
 *
 * run_readers PORT RUNS VIEWERS START WATCH RATE GRACE_SECONDS
 * run_readers PORT first COUNT START
 *
 * A run is begun by POST to START with {"id": "chat-N", ...}; its first viewer reads the answer to that, the others GET
 * WATCH, in which {chat} is the id, as soon as the first one has a token. A token is `<N>`, its number from 0, and the
 * first one `<@T>`, the CLOCK_MONOTONIC nanoseconds at which it was due; token N is due N / RATE seconds later. Around a
 * token may be anything without `<`. Each viewer must get all tokens from the first one on, once and in order.
 *
 * Prints {"connect_seconds": ...} when every viewer has a token. Then `measure SECONDS` on standard input begins a window:
 * prints {} at its end, and the result when all tokens that were due in it have come everywhere, or after GRACE_SECONDS.
 *
 * With `first`: runs of one token, one after the other, each on a connection that is open before. Prints the median, the
 * 90th percentile and the largest time from the request to the token.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "body.h"
#include "measure.h"

#define MAX_OPENING 32
#define MAX_EVENTS 1024
#define MAX_HEAD 8192
#define MAX_TOKEN 32
#define READ_BYTES (256 * 1024)
#define STDIN UINT32_MAX
#define OPEN_SECONDS 60
#define GAP_MICROS 15000 /* between two runs of `first`: what an end leaves to be done */

typedef struct {
    int fd;
    uint8_t is_live; /* has a token */
    uint32_t next;   /* number of the token that is to come */
    uint32_t held;   /* bytes of a head or token that is not complete */
    uint64_t begun;  /* when token 0 was due */
    Answer answer;
    char *rest;
} Viewer;

static const char *start_path, *watch_path;
static int port, polling;
static Viewer *viewers;
static uint32_t runs, each, live, opened, *waiting, waiting_first, waiting_count;
static uint64_t period, grace, window_from = UINT64_MAX, window_to = UINT64_MAX, deadline = UINT64_MAX;
static uint64_t delivered, missing, repeated, longest, bytes, reads, tokens;
static char buffer[MAX_HEAD + READ_BYTES + 1];

static void fail(const char *what) {
    fprintf(stderr, "run_readers: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static void fail_plainly(const char *what) {
    errno = 0;
    fail(what);
}

static int open_connection(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void send_request(int fd, const char *request, size_t size) {
    if (write(fd, request, size) != (ssize_t)size) fail("write");
}

static void begin_run(int fd, uint32_t number, uint32_t count, double phase) {
    char body[256], request[1024];
    int size = snprintf(body, sizeof body,
                        "{\"id\":\"chat-%u\",\"tokens\":%u,\"phase\":%.4f,\"messages\":[{\"id\":\"m-%u\",\"role\":\"user\","
                        "\"parts\":[{\"type\":\"text\",\"text\":\"Say something.\"}]}]}",
                        number, count, phase, number);
    size = snprintf(request, sizeof request,
                    "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                    start_path, port, size, body);
    send_request(fd, request, (size_t)size);
}

static void watch_run(int fd, uint32_t number) {
    char request[1024];
    const char *name = strstr(watch_path, "{chat}");
    if (!name) fail_plainly("the path to watch has no {chat}");
    int size = snprintf(request, sizeof request, "GET %.*schat-%u%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                        (int)(name - watch_path), watch_path, number, name + 6, port);
    send_request(fd, request, (size_t)size);
}

static void open_next(void) {
    uint32_t index = waiting[waiting_first++];
    waiting_count--;
    Viewer *viewer = &viewers[index];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    viewer->fd = open_connection();
    opened++;
    if (index % each) watch_run(viewer->fd, index / each);
    else begin_run(viewer->fd, index / each, 0, (double)random() / RAND_MAX / 30);
    fcntl(viewer->fd, F_SETFL, fcntl(viewer->fd, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(polling, EPOLL_CTL_ADD, viewer->fd, &event)) fail("epoll_ctl");
}

static void queue(uint32_t index) { waiting[waiting_first + waiting_count++] = index; }

static void become_live(Viewer *viewer) {
    uint32_t index = (uint32_t)(viewer - viewers);
    viewer->is_live = 1;
    live++;
    if (index % each) return;
    for (uint32_t other = 1; other < each; other++) queue(index + other);
}

static void take_token(Viewer *viewer, const char *text, uint64_t now) {
    uint32_t number = 0;
    if (*text == '@') viewer->begun = strtoull(text + 1, NULL, 10);
    else number = (uint32_t)strtoul(text, NULL, 10);
    if (number < viewer->next) {
        repeated++;
        return;
    }
    missing += number - viewer->next;
    viewer->next = number + 1;
    if (!viewer->is_live) become_live(viewer);
    uint64_t due = viewer->begun + number * period;
    tokens++;
    if (due < window_from || due >= window_to) return;
    uint64_t micros = now > due ? (now - due) / 1000 : 0;
    histogram[bucket_of(micros)]++;
    if (micros > longest) longest = micros;
    delivered++;
}

/* Takes the tokens of a text, and gives where one that is not complete begins. */
static char *take_tokens(Viewer *viewer, char *text, char *end, uint64_t now) {
    for (char *found; (found = memchr(text, '<', (size_t)(end - text)));) {
        char *close = memchr(found, '>', (size_t)(end - found));
        if (!close) {
            if (end - found > MAX_TOKEN) fail_plainly("not a token");
            return found;
        }
        *close = 0;
        take_token(viewer, found + 1, now);
        text = close + 1;
    }
    return end;
}

static void receive(Viewer *viewer) {
    char *fresh = buffer + MAX_HEAD, *text = fresh - viewer->held;
    ssize_t size = read(viewer->fd, fresh, READ_BYTES);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) fail("a connection was closed");
    uint64_t now = now_ns();
    bytes += (uint64_t)size;
    reads++;
    char *end = fresh + size;
    if (viewer->held) memcpy(text, viewer->rest, viewer->held);
    if (viewer->answer.is_body) {
        end = fresh + unchunk(&viewer->answer, fresh, (size_t)size);
    } else {
        char *body = end_of_head(text, end);
        if (body) {
            body[-1] = 0;
            if (memcmp(text, "HTTP/1.1 200", 12)) fail_plainly(text);
            begin_body(&viewer->answer, text);
            end = body + unchunk(&viewer->answer, body, (size_t)(end - body));
            text = body;
        }
    }
    char *rest = viewer->answer.is_body ? take_tokens(viewer, text, end, now) : text;
    viewer->held = (uint32_t)(end - rest);
    if (viewer->held > MAX_HEAD) fail_plainly("a head is too long");
    if (!viewer->held) return;
    if (!viewer->rest && !(viewer->rest = malloc(MAX_HEAD))) fail("memory");
    memcpy(viewer->rest, rest, viewer->held);
}

static double cpu_of_this(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Tokens that were due before the window's end and have not come, over all viewers. */
static uint64_t outstanding(void) {
    uint64_t count = 0;
    for (uint32_t index = 0; index < runs * each; index++) {
        uint64_t due = (window_to - 1 - viewers[index].begun) / period + 1; /* that many by then */
        if (due > viewers[index].next) count += due - viewers[index].next;
    }
    return count;
}

static void begin_window(double *cpu) {
    static char line[64];
    double seconds;
    if (read(0, line, sizeof line - 1) <= 0) exit(0); /* nobody waits for the result */
    if (sscanf(line, "measure %lf", &seconds) != 1) fail_plainly(line);
    window_from = now_ns();
    window_to = window_from + (uint64_t)(seconds * 1e9);
    bytes = reads = tokens = 0;
    *cpu = cpu_of_this();
}

static void load(void) {
    struct epoll_event events[MAX_EVENTS], input = {.events = EPOLLIN, .data.u32 = STDIN};
    uint64_t begun = now_ns(), in_bytes = 0, in_reads = 0, in_tokens = 0, late;
    double cpu = 0;
    int told = 0, ended = 0;
    polling = epoll_create1(0);
    viewers = calloc(runs * each, sizeof *viewers);
    waiting = calloc(runs * each, sizeof *waiting);
    if (!viewers || !waiting || polling < 0 || epoll_ctl(polling, EPOLL_CTL_ADD, 0, &input)) fail("start");
    for (uint32_t run = 0; run < runs; run++) queue(run * each);
    for (;;) {
        while (waiting_count && opened - live < MAX_OPENING) open_next();
        int ready = epoll_wait(polling, events, MAX_EVENTS, 5);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < ready; index++) {
            if (events[index].data.u32 == STDIN) begin_window(&cpu);
            else receive(&viewers[events[index].data.u32]);
        }
        uint64_t now = now_ns();
        if (!told && live == runs * each) {
            printf("{\"connect_seconds\": %.6f}\n", (double)(now - begun) / 1e9);
            fflush(stdout);
            told = 1;
        }
        if (!told && now - begun > OPEN_SECONDS * 1000000000ull) {
            errno = 0;
            fprintf(stderr, "run_readers: %u of %u viewers have a token after %d s\n", live, runs * each, OPEN_SECONDS);
            exit(1);
        }
        if (!ended && now >= window_to) {
            ended = 1;
            cpu = cpu_of_this() - cpu, in_bytes = bytes, in_reads = reads, in_tokens = tokens, deadline = now + grace;
            printf("{}\n");
            fflush(stdout);
        }
        if (ended && (!(late = outstanding()) || now > deadline)) break;
    }
    printf("{\"delivered\": %lu, \"missing\": %lu, \"repeated\": %lu, \"late\": %lu, ", delivered, missing, repeated, late);
    printf("\"p50_us\": %lu, \"p99_us\": %lu, \"max_us\": %lu, ", percentile(delivered, 0.50), percentile(delivered, 0.99),
           longest);
    printf("\"tokens\": %lu, \"bytes\": %lu, \"reads\": %lu, \"cpu_seconds\": %.6f}\n", in_tokens, in_bytes, in_reads, cpu);
}

/* The time from a request for one token to that token, in microseconds. */
static uint64_t first_token(uint32_t number) {
    size_t size = 0;
    int fd = open_connection();
    usleep(GAP_MICROS);
    uint64_t begun = now_ns();
    begin_run(fd, number, 1, 0);
    for (;;) {
        ssize_t count = read(fd, buffer + size, MAX_HEAD - size);
        uint64_t now = now_ns();
        if (count <= 0) fail("a connection was closed");
        buffer[size += (size_t)count] = 0;
        if (memcmp(buffer, "HTTP/1.1 200", 12)) fail_plainly(buffer);
        char *token = strstr(buffer, "<@");
        if (!token || !strchr(token, '>')) continue;
        close(fd);
        return (now - begun) / 1000;
    }
}

static void measure_first(uint32_t count) {
    for (uint32_t number = 0; number < count / 10 + 5; number++) first_token(1000000 + number); /* a warm-up */
    for (uint32_t number = 0; number < count; number++) {
        uint64_t micros = first_token(number);
        histogram[bucket_of(micros)]++;
        if (micros > longest) longest = micros;
    }
    printf("{\"p50_us\": %lu, \"p90_us\": %lu, \"max_us\": %lu}\n", percentile(count, 0.50), percentile(count, 0.90),
           longest);
}

int main(int count, char **words) {
    if (count == 5 && !strcmp(words[2], "first")) {
        port = atoi(words[1]);
        start_path = words[4];
        measure_first((uint32_t)atoi(words[3]));
        return 0;
    }
    if (count != 8) {
        fprintf(stderr, "run_readers PORT RUNS VIEWERS START WATCH RATE GRACE_SECONDS | run_readers PORT first COUNT START\n");
        return 2;
    }
    port = atoi(words[1]);
    runs = (uint32_t)atoi(words[2]);
    each = (uint32_t)atoi(words[3]);
    start_path = words[4];
    watch_path = words[5];
    period = 1000000000ull / (uint64_t)atoi(words[6]);
    grace = (uint64_t)(atof(words[7]) * 1e9);
    load();
    return 0;
}
