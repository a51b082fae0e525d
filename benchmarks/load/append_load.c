/* Appends over HTTP as fast as a server acknowledges them.
 *
 * One thread, epoll. Each connection is kept alive and has one request in flight. Every record names its connection
 * and its number there, so that a reader of the stream can tell lost and repeated records. After the window no new
 * request is sent and the answers under way are awaited: what is acknowledged and what is stored can be compared.
 *
 * append_load PORT CONNECTIONS STREAM own|shared json|text WARMUP_SECONDS WINDOW_SECONDS SERVER_PID
 *
 * Prints one JSON object.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define NUMBER_DIGITS 10
#define MAX_REQUEST 1024
#define MAX_RESPONSE 8192
#define MAX_STATUS 600
#define DRAIN_SECONDS 20

typedef struct {
    int fd;
    char request[MAX_REQUEST];
    size_t request_size;
    char *number; /* in `request` */
    uint64_t sent_at;
    uint64_t acknowledged;
    int in_flight;
    char response[MAX_RESPONSE];
    size_t response_size;
} Connection;

static uint64_t statuses[MAX_STATUS];

static void fail(const char *what) {
    fprintf(stderr, "append_load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

/* CPU seconds of a process and its threads: user and system time, fields 14 and 15 of /proc/PID/stat. */
static double cpu_of_process(int pid) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    char *rest = strrchr(line, ')');
    if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        fail("/proc/PID/stat");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_of_this(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void build_request(Connection *connection, int index, int port, const char *stream, int own, int json) {
    char path[256], body[256];
    snprintf(path, sizeof path, own ? "%s-%d" : "%s", stream, index);
    const char *filling = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod";
    const char *form = json ? "{\"connection\": %d, \"number\": \"%0*d\", \"text\": \"%s\"}" : "%d %0*d %s\n";
    int size = snprintf(body, sizeof body, form, index, NUMBER_DIGITS, 0, filling);
    int head = snprintf(connection->request, MAX_REQUEST,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path,
                        port, json ? "application/json" : "text/plain", size);
    if (head + size >= MAX_REQUEST) fail("the request is too long");
    memcpy(connection->request + head, body, (size_t)size);
    connection->request_size = (size_t)(head + size);
    char *digits = json ? strstr(body, "\"number\": \"") + 11 : strchr(body, ' ') + 1;
    connection->number = connection->request + head + (digits - body);
}

static void open_connection(Connection *connection, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0) fail("socket");
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
}

static void send_request(Connection *connection) {
    uint64_t number = connection->acknowledged;
    for (int digit = NUMBER_DIGITS - 1; digit >= 0; digit--, number /= 10)
        connection->number[digit] = (char)('0' + number % 10);
    connection->response_size = 0;
    connection->in_flight = 1;
    connection->sent_at = now_ns();
    ssize_t sent = write(connection->fd, connection->request, connection->request_size);
    if (sent != (ssize_t)connection->request_size) fail("write");
}

/* The status, once the response is complete; 0 before. */
static int complete_response(Connection *connection) {
    char *response = connection->response;
    response[connection->response_size] = 0;
    char *end = strstr(response, "\r\n\r\n");
    if (!end) return 0;
    size_t head = (size_t)(end - response) + 4, body = 0;
    int status = atoi(response + 9);
    if (status < 100 || status >= MAX_STATUS) fail(response);
    char *length = strcasestr(response, "\r\ncontent-length:");
    if (length && length < end) body = strtoul(length + 17, NULL, 10);
    if (!length && status != 204) fail(response); /* chunked: no answer to a good append is */
    return connection->response_size >= head + body ? status : 0;
}

static int receive_response(Connection *connection) {
    size_t room = MAX_RESPONSE - 1 - connection->response_size;
    ssize_t size = read(connection->fd, connection->response + connection->response_size, room);
    if (size < 0 && errno == EAGAIN) return 0;
    if (size <= 0) fail("the server closed a connection");
    connection->response_size += (size_t)size;
    return complete_response(connection);
}

int main(int count, char **words) {
    if (count != 9) {
        fprintf(stderr, "append_load PORT CONNECTIONS STREAM own|shared json|text WARMUP WINDOW SERVER_PID\n");
        return 2;
    }
    int port = atoi(words[1]), connections = atoi(words[2]), server = atoi(words[8]);
    int own = !strcmp(words[4], "own"), json = !strcmp(words[5], "json");
    double warmup = atof(words[6]), window = atof(words[7]);
    Connection *all = calloc((size_t)connections, sizeof *all);
    struct epoll_event *events = calloc((size_t)connections, sizeof *events);
    int poll = epoll_create1(0);
    if (!all || !events || poll < 0) fail("start");
    for (int index = 0; index < connections; index++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
        build_request(&all[index], index, port, words[3], own, json);
        open_connection(&all[index], port);
        if (epoll_ctl(poll, EPOLL_CTL_ADD, all[index].fd, &event)) fail("epoll_ctl");
    }

    uint64_t begin = now_ns() + (uint64_t)(warmup * 1e9), end = begin + (uint64_t)(window * 1e9);
    uint64_t begun_at = 0, ended_at = 0, in_window = 0, longest = 0, refused = 0;
    double server_cpu = 0, load_cpu = 0;
    int open = connections;
    errno = 0;
    for (int index = 0; index < connections; index++) send_request(&all[index]);
    while (open) {
        int ready = epoll_wait(poll, events, connections, 100);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        errno = 0;
        for (int index = 0; index < ready || index == 0; index++) {
            uint64_t now = now_ns();
            if (!begun_at && now >= begin) {
                begun_at = now;
                server_cpu = cpu_of_process(server);
                load_cpu = cpu_of_this();
            }
            if (!ended_at && now >= end) {
                ended_at = now;
                server_cpu = cpu_of_process(server) - server_cpu;
                load_cpu = cpu_of_this() - load_cpu;
            }
            if (now > end + DRAIN_SECONDS * 1000000000ull) fail("answers are missing");
            if (ready <= 0) break;
            Connection *connection = &all[events[index].data.u32];
            int status = receive_response(connection);
            if (!status) continue;
            now = now_ns();
            statuses[status]++;
            connection->in_flight = 0;
            if (status / 100 == 2) connection->acknowledged++;
            else refused++;
            if (begun_at && !ended_at) {
                uint64_t micros = (now - connection->sent_at) / 1000;
                histogram[bucket_of(micros)]++;
                if (micros > longest) longest = micros;
                in_window++;
            }
            if (refused > 100) fail(connection->response);
            if (ended_at) open--;
            else send_request(connection);
        }
    }

    printf("{\"seconds\": %.6f, \"answers\": %lu, \"p50_us\": %lu, \"p99_us\": %lu, \"max_us\": %lu, ",
           (double)(ended_at - begun_at) / 1e9, in_window, percentile(in_window, 0.50), percentile(in_window, 0.99),
           longest);
    printf("\"server_cpu_seconds\": %.6f, \"load_cpu_seconds\": %.6f, \"record_bytes\": %ld, \"statuses\": {", server_cpu,
           load_cpu, (long)(all[0].request + all[0].request_size - (strstr(all[0].request, "\r\n\r\n") + 4)));
    const char *comma = "";
    for (int status = 0; status < MAX_STATUS; status++)
        if (statuses[status]) printf("%s\"%d\": %lu", comma, status, statuses[status]), comma = ", ";
    printf("}, \"acknowledged\": [");
    for (int index = 0; index < connections; index++) printf("%s%lu", index ? ", " : "", all[index].acknowledged);
    printf("]}\n");
    return 0;
}
