/* Many SSE readers of one stream.
 *
 * One thread, epoll. Every record is a line `data:{"n":"<10 digits>","t":"<19 digits>",...`: its number, from 0, and the
 * CLOCK_MONOTONIC nanoseconds at which it was published. Each reader must get 0, 1, 2, ... once and in this order. Chunk
 * sizes are lines of their own and are passed over, which is right as long as a server ends its chunks with a line.
 *
 * sse_readers PORT READERS PATH GRACE_SECONDS
 *
 * Prints "ready" when every reader has its answer's head. Then reads from standard input how many records were
 * published, and prints one JSON object when all have come everywhere, or GRACE_SECONDS later.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define MAX_LINE 1024
#define READ_BYTES (256 * 1024)
#define MAX_EVENTS 1024
#define MAX_OPENING 256 /* connections that wait for their answer, fewer than any server's backlog */
#define STDIN UINT32_MAX

typedef struct {
    int fd;
    int is_live;
    uint32_t next; /* number of the record that is to come */
    uint32_t partial_size;
    char partial[MAX_LINE];
} Reader;

static Reader *readers;
static char buffer[MAX_LINE + READ_BYTES];
static uint64_t delivered, missing, repeated, longest, last_at;
static uint32_t live, closed;

static void fail(const char *what) {
    fprintf(stderr, "sse_readers: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static uint64_t digits(const char *text, int count) {
    uint64_t value = 0;
    while (count--) value = value * 10 + (uint64_t)(*text++ - '0');
    return value;
}

static void take_record(Reader *reader, const char *data, size_t size, uint64_t now) {
    if (size && *data == ' ') data++, size--;
    if (size < 46 || memcmp(data, "{\"n\":\"", 6) || memcmp(data + 16, "\",\"t\":\"", 7)) fail("not a record");
    uint32_t number = (uint32_t)digits(data + 6, 10);
    uint64_t micros = (now - digits(data + 23, 19)) / 1000;
    if (number < reader->next) {
        repeated++;
        return;
    }
    missing += number - reader->next;
    reader->next = number + 1;
    histogram[bucket_of(micros)]++;
    if (micros > longest) longest = micros;
    delivered++;
    last_at = now;
}

static void take_line(Reader *reader, const char *line, size_t size, uint64_t now) {
    if (reader->is_live) {
        if (size > 5 && !memcmp(line, "data:", 5)) take_record(reader, line + 5, size - 5, now);
    } else if (!memcmp(line, "HTTP/1.", 7)) {
        if (memcmp(line + 8, " 200", 4)) errno = 0, fail("the answer is not 200");
    } else if (size == 1 && *line == '\r') {
        reader->is_live = 1;
        live++;
    }
}

static void receive(Reader *reader) {
    char *start = buffer + MAX_LINE - reader->partial_size, *line = start;
    ssize_t size = read(reader->fd, buffer + MAX_LINE, READ_BYTES);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        if (!reader->is_live) fail("a connection was not answered");
        close(reader->fd);
        reader->fd = -1;
        closed++;
        return;
    }
    uint64_t now = now_ns();
    char *end = buffer + MAX_LINE + size, *newline;
    memcpy(start, reader->partial, reader->partial_size);
    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line)))) {
        take_line(reader, line, (size_t)(newline - line), now);
        line = newline + 1;
    }
    if (end - line > MAX_LINE) errno = 0, fail("a line is too long");
    reader->partial_size = (uint32_t)(end - line);
    memcpy(reader->partial, line, reader->partial_size);
}

static void open_reader(int poll, uint32_t index, int port, const char *request) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = readers[index].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    if (write(fd, request, strlen(request)) != (ssize_t)strlen(request)) fail("write");
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static double cpu_of_this(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t read_number(void) {
    char line[32] = "";
    if (read(0, line, sizeof line - 1) <= 0) fail("standard input");
    return strtoul(line, NULL, 10);
}

int main(int count, char **words) {
    if (count != 5) {
        fprintf(stderr, "sse_readers PORT READERS PATH GRACE_SECONDS\n");
        return 2;
    }
    int port = atoi(words[1]), poll = epoll_create1(0);
    uint32_t wanted = (uint32_t)atoi(words[2]), opened = 0;
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n\r\n",
             words[3], port);
    readers = calloc(wanted, sizeof *readers);
    struct epoll_event events[MAX_EVENTS], input = {.events = EPOLLIN, .data.u32 = STDIN};
    if (!readers || poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, 0, &input)) fail("start");

    uint64_t published = UINT64_MAX, deadline = UINT64_MAX;
    double cpu = 0;
    int told = 0;
    while (closed < wanted && now_ns() < deadline) {
        while (opened < wanted && opened - live < MAX_OPENING) open_reader(poll, opened++, port, request);
        int ready = epoll_wait(poll, events, MAX_EVENTS, 100);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < ready; index++) {
            if (events[index].data.u32 != STDIN) {
                receive(&readers[events[index].data.u32]);
                continue;
            }
            published = read_number();
            deadline = now_ns() + (uint64_t)(atof(words[4]) * 1e9);
            epoll_ctl(poll, EPOLL_CTL_DEL, 0, NULL);
        }
        if (!told && live == wanted) {
            printf("ready\n");
            fflush(stdout);
            told = 1;
            cpu = cpu_of_this();
        }
        if (delivered + missing >= published * wanted) break;
    }
    uint64_t late = published == UINT64_MAX ? 0 : published * wanted - delivered - missing;
    printf("{\"delivered\": %lu, \"missing\": %lu, \"repeated\": %lu, \"late\": %lu, \"closed\": %u, \"p50_us\": %lu, ",
           delivered, missing, repeated, late, closed, percentile(delivered, 0.50));
    printf("\"p99_us\": %lu, \"max_us\": %lu, \"last_ns\": %lu, ", percentile(delivered, 0.99), longest, last_at);
    printf("\"cpu_seconds\": %.6f}\n", cpu_of_this() - cpu);
    return 0;
}
