/* Connections that are opened for one request each, and closed when its response is there.
 *
 * One thread, epoll. AT_ONCE connections are open at the same time; each begins where another one was closed. A response
 * is there when it is complete, or with `event` when its first event with data is. Its time is counted from before
 * connect().
 *
 * connect_load PORT CONNECTS AT_ONCE event|response SECONDS REQUEST
 *
 * REQUEST is sent as it is. After SECONDS no connection is opened, and after twice as many all must be answered.
 *
 * Prints one JSON object.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "head.h"
#include "measure.h"

#define MAX_EVENTS 1024
#define MAX_RESPONSE 16384

typedef struct {
    int fd;
    uint64_t opened_at;
    size_t size, body, end; /* of the response: what was read, and, once its head is complete, where the body is */
    char response[MAX_RESPONSE];
} Connection;

static int port, polling, to_event;
static uint32_t wanted, opened, answered;
static const char *request;
static size_t request_size;
static Connection *connections;
static uint64_t longest;

static void fail(const char *what) {
    fprintf(stderr, "connect_load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static void fail_plainly(const char *what) {
    errno = 0;
    fail(what);
}

static double cpu_of_this(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void open_next(uint32_t index) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    Connection *connection = &connections[index];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->size = connection->body = 0;
    connection->opened_at = now_ns();
    int fd = connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    if (write(fd, request, request_size) != (ssize_t)request_size) fail("write");
    if (epoll_ctl(polling, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    opened++;
}

/* Takes a head that is complete: where its body begins and, without events, ends. */
static void take_head(Connection *connection, char *body) {
    char *head = connection->response;
    body[-1] = 0;
    if (memcmp(head, "HTTP/1.1 2", 10)) fail_plainly(head);
    const char *length = header(head, "content-length");
    if (!to_event && !length && memcmp(head, "HTTP/1.1 204", 12)) fail_plainly("a response has no length");
    connection->body = (size_t)(body - head);
    connection->end = connection->body + (length ? strtoul(length, NULL, 10) : 0);
    if (connection->end >= MAX_RESPONSE) fail_plainly("a response is too long");
}

static int is_there(Connection *connection) {
    char *text = connection->response;
    text[connection->size] = 0;
    if (!connection->body) {
        char *body = end_of_head(text, text + connection->size);
        if (!body) return 0;
        take_head(connection, body);
    }
    if (!to_event) return connection->size >= connection->end;
    char *data = strstr(text + connection->body, "data:");
    return data && strstr(data, "\n\n");
}

static void receive(Connection *connection) {
    size_t room = MAX_RESPONSE - 1 - connection->size;
    if (!room) fail_plainly("a response is too long");
    ssize_t size = recv(connection->fd, connection->response + connection->size, room, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) fail("read");
    if (!size) fail_plainly("a connection was closed");
    connection->size += (size_t)size;
    if (!is_there(connection)) return;
    uint64_t micros = (now_ns() - connection->opened_at) / 1000;
    histogram[bucket_of(micros)]++;
    if (micros > longest) longest = micros;
    answered++;
    close(connection->fd);
    connection->fd = -1;
}

static void load(uint32_t at_once, uint64_t limit) {
    struct epoll_event events[MAX_EVENTS];
    uint64_t begun = now_ns(), ended = begun;
    for (uint32_t index = 0; index < at_once && opened < wanted; index++) open_next(index);
    while (answered < opened) {
        int ready = epoll_wait(polling, events, MAX_EVENTS, 100);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        ended = now_ns();
        if (ended > begun + 2 * limit) fail_plainly("responses are missing");
        for (int index = 0; index < ready; index++) {
            uint32_t which = events[index].data.u32;
            receive(&connections[which]);
            if (connections[which].fd < 0 && opened < wanted && ended < begun + limit) open_next(which);
        }
    }
    printf("{\"connects\": %u, \"seconds\": %.6f, \"p50_us\": %lu, \"p99_us\": %lu, \"max_us\": %lu, ", answered,
           (double)(now_ns() - begun) / 1e9, percentile(answered, 0.50), percentile(answered, 0.99), longest);
    printf("\"cpu_seconds\": %.6f}\n", cpu_of_this());
}

int main(int count, char **words) {
    if (count != 7) {
        fprintf(stderr, "connect_load PORT CONNECTS AT_ONCE event|response SECONDS REQUEST\n");
        return 2;
    }
    port = atoi(words[1]);
    wanted = (uint32_t)atoi(words[2]);
    uint32_t at_once = (uint32_t)atoi(words[3]);
    to_event = !strcmp(words[4], "event");
    request = words[6];
    request_size = strlen(request);
    signal(SIGPIPE, SIG_IGN);
    connections = calloc(at_once, sizeof *connections);
    polling = epoll_create1(0);
    if (!connections || polling < 0) fail("start");
    load(at_once, (uint64_t)(atof(words[5]) * 1e9));
    return 0;
}
