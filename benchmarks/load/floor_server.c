/* The least a server can do to fan out: for every record one send() of an encoded chunk to every reader.
 *
 * One thread, epoll. A GET is answered with the head of an event stream and makes a reader; a POST is a record for each
 * line of its body, and is answered 204 when all have been sent. No log, no offsets, no slow readers: whose socket is
 * full is waited for.
 *
 * floor_server PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUEST 65536
#define MAX_FDS 65536

static const char HEAD[] =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    "transfer-encoding: chunked\r\n\r\n";
static const char ANSWER[] = "HTTP/1.1 204 No Content\r\n\r\n";

static int readers[MAX_FDS], reader_count, place[MAX_FDS];
static unsigned long offset;
static char request[MAX_REQUEST];
static size_t request_size;

static void fail(const char *what) {
    fprintf(stderr, "floor_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, 1000);
        } else if (sent < 0) {
            return; /* its EPOLLHUP comes */
        } else {
            data += sent;
            size -= (size_t)sent;
        }
    }
}

static void broadcast(const char *record, size_t size) {
    char event[MAX_REQUEST], chunk[MAX_REQUEST + 32];
    offset += size;
    int event_size = snprintf(event, sizeof event, "id:%016d_%016lu\ndata:%.*s\n\n", 1, offset, (int)size, record);
    int chunk_size = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n", (unsigned)event_size, event);
    for (int index = 0; index < reader_count; index++) send_all(readers[index], chunk, (size_t)chunk_size);
}

static void forget(int fd) {
    if (place[fd] >= 0) {
        int last = readers[--reader_count];
        readers[place[fd]] = last;
        place[last] = place[fd];
        place[fd] = -1;
    }
    close(fd);
}

static void publish(int fd, char *body, size_t size) {
    for (char *line = body, *end = body + size; line < end;) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) newline = end;
        if (newline > line) broadcast(line, (size_t)(newline - line));
        line = newline + 1;
    }
    send_all(fd, ANSWER, sizeof ANSWER - 1);
}

/* A GET comes in one piece; the publisher is the only one whose requests may not. */
static void serve(int fd) {
    ssize_t size = read(fd, request + request_size, MAX_REQUEST - 1 - request_size);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        forget(fd);
        return;
    }
    request_size += (size_t)size;
    request[request_size] = 0;
    char *end = strstr(request, "\r\n\r\n");
    if (!end) return;
    if (!memcmp(request, "GET ", 4)) {
        place[fd] = reader_count;
        readers[reader_count++] = fd;
        send_all(fd, HEAD, sizeof HEAD - 1);
    } else {
        char *length = strcasestr(request, "\r\ncontent-length:");
        size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
        if (request_size < (size_t)(end - request) + 4 + body) return;
        publish(fd, end + 4, body);
    }
    request_size = 0;
}

int main(int count, char **words) {
    if (count != 2) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1]))};
    struct epoll_event events[512], event = {.events = EPOLLIN};
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) fail("listen");
    event.data.fd = listener;
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, 512, -1);
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            if (fd != listener) {
                serve(fd);
                continue;
            }
            if ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) continue;
            if (fd >= MAX_FDS) fail("too many connections");
            place[fd] = -1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            event.data.fd = fd;
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
