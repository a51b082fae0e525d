/* The least an HTTP server can do: read a request to its end, answer 204. No log, no disk.
 *
 * Shows what the load generator could reach; one thread, epoll.
 *
 * null_server PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUEST 8192
#define MAX_FDS 65536

typedef struct {
    char request[MAX_REQUEST];
    size_t size;
} Connection;

static Connection *connections[MAX_FDS];

static const char ANSWER[] =
    "HTTP/1.1 204 No Content\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "stream-next-offset: 0000000000000001_0000000000000000\r\n\r\n";

static void fail(const char *what) {
    fprintf(stderr, "null_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) fail("listen");
    return fd;
}

/* Whether the request is there to its last byte. */
static int is_complete(Connection *connection) {
    connection->request[connection->size] = 0;
    char *end = strstr(connection->request, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(connection->request, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return connection->size >= (size_t)(end - connection->request) + 4 + body;
}

static void serve(int fd) {
    Connection *connection = connections[fd];
    ssize_t size = read(fd, connection->request + connection->size, MAX_REQUEST - 1 - connection->size);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        close(fd);
        return;
    }
    connection->size += (size_t)size;
    if (!is_complete(connection)) return;
    connection->size = 0;
    if (write(fd, ANSWER, sizeof ANSWER - 1) < 0) close(fd);
}

int main(int count, char **words) {
    if (count != 2) return 2;
    struct epoll_event events[512];
    int listener = listen_on(atoi(words[1])), poll = epoll_create1(0), yes = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, 512, -1);
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            if (fd != listener) {
                serve(fd);
                continue;
            }
            if ((fd = accept(listener, NULL, NULL)) < 0) continue;
            if (fd >= MAX_FDS) fail("too many connections");
            if (!connections[fd] && !(connections[fd] = malloc(sizeof(Connection)))) fail("memory");
            connections[fd]->size = 0;
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            event.data.fd = fd;
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
