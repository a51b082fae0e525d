/* The least a server can do for a connection: accept it, read a request, write a fixed response, close it with its client.
 *
 * One thread, epoll. A POST is answered with APPENDED, a request for an event stream with EVENTS, any other with READ. A
 * request comes in one piece.
 *
 * connect_server PORT EVENTS READ APPENDED
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
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUEST 8192

static const char *events_response, *read_response, *appended_response;

static void fail(const char *what) {
    fprintf(stderr, "connect_server: %s: %s\n", what, strerror(errno));
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

static void serve(int fd) {
    static char request[MAX_REQUEST];
    ssize_t size = read(fd, request, MAX_REQUEST - 1);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        close(fd);
        return;
    }
    request[size] = 0;
    if (!strstr(request, "\r\n\r\n")) fail("a request comes in pieces");
    const char *response = read_response;
    if (!memcmp(request, "POST ", 5)) response = appended_response;
    else if (strstr(request, "text/event-stream")) response = events_response;
    size_t left = strlen(response);
    if (write(fd, response, left) != (ssize_t)left) close(fd);
}

int main(int count, char **words) {
    if (count != 5) return 2;
    struct epoll_event events[512], event = {.events = EPOLLIN};
    int listener = listen_on(atoi(words[1])), poll = epoll_create1(0);
    events_response = words[2], read_response = words[3], appended_response = words[4];
    signal(SIGPIPE, SIG_IGN);
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
            event.data.fd = fd;
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
