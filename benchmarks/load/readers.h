/* Many readers of one stream: the part that no wire format changes.
 *
 * One thread, epoll. Every record is `{"n":"<10 digits>","t":"<19 digits>",...`: its number, from 0, and the
 * CLOCK_MONOTONIC nanoseconds at which it was published. Each reader must get 0, 1, 2, ... once and in this order.
 *
 * A program defines WIRE, what it keeps for each connection, before it includes this file, and `request_of`, `unframe`
 * and `take` after it. Its arguments are PORT READERS PATH GRACE_SECONDS and words of its own.
 *
 * Prints {"connect_seconds": ..., "connect_cpu_seconds": ...} when every reader is live. Then reads lines from standard
 * input:
 *   settle N              the first N records are a warm-up: says {} when all have come, and counts from there
 *   published N           so many records there are; ends when all have come everywhere, or GRACE_SECONDS later
 *   storm AFTER SPREAD    milliseconds: from AFTER on, all connections are cut at random times within half of SPREAD, and
 *                         each is opened again at a random time within the other half
 * and prints one JSON object at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define MAX_PARTIAL (1024 * 1024)
#define READ_BYTES (256 * 1024)
#define MAX_EVENTS 1024
#define MAX_OPENING 256 /* connections that wait for their answer, fewer than any server's backlog */
#define MAX_MESSAGE 1024
#define STDIN UINT32_MAX
#define SETTLE_SECONDS 60
#define RECORD_HEAD 42 /* bytes of a record up to the end of its time */

typedef struct {
    int fd; /* -1: not connected */
    uint8_t is_live;
    uint8_t is_waiting; /* to be opened */
    uint32_t next;      /* number of the record that is to come */
    uint32_t committed; /* the same where the connection would be resumed */
    uint32_t partial_size;
    char *partial;
    WIRE wire;
} Reader;

typedef struct {
    uint64_t at;
    uint32_t index;
    int is_cut; /* or else to be opened */
} Step;

/* Writes the request of a new connection, and gives its size. */
static size_t request_of(Reader *reader, char *to, size_t room);
/* Takes the transport's framing out of bytes that were just read, in place, and gives their new size. */
static size_t unframe(Reader *reader, char *data, size_t size);
/* Takes what is complete, and gives where the rest begins; may move the end. */
static char *take(Reader *reader, char *text, char **end, uint64_t now);

static const char *program, *path;
static int port, polling, stalls; /* stalls: nothing is read after the answer's head */
static Reader *readers;
static uint32_t wanted, live, reached, opening, closed; /* reached: how often one became live */
static uint32_t *waiting, waiting_first, waiting_count; /* a ring of readers to be opened */
static Step *steps;
static uint32_t step_count, next_step;
static uint64_t delivered, missing, repeated, longest, last_at, bytes, published = UINT64_MAX, deadline = UINT64_MAX;
static uint64_t opened_at, storm_at, back_at, grace;
static uint64_t settling, settle_deadline, warm, passed_over; /* warm: records of the warm-up; passed_over: of those */
static char buffer[MAX_PARTIAL + READ_BYTES];

static void fail(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program, what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static void fail_plainly(const char *what) {
    errno = 0;
    fail(what);
}

static uint64_t digits(const char *text, int count) {
    uint64_t value = 0;
    while (count--) value = value * 10 + (uint64_t)(*text++ - '0');
    return value;
}

static void take_record(Reader *reader, const char *record, uint64_t now) {
    if (memcmp(record + 16, "\",\"t\":\"", 7)) fail_plainly("not a record");
    uint32_t number = (uint32_t)digits(record + 6, 10);
    if (number < reader->next) {
        repeated++;
        return;
    }
    uint64_t micros = (now - digits(record + 23, 19)) / 1000;
    missing += number - reader->next;
    reader->next = number + 1;
    histogram[bucket_of(micros)]++;
    if (micros > longest) longest = micros;
    delivered++;
    last_at = now;
}

/* Takes the records that begin in a text, and gives where one that is not complete may begin. */
static char *take_records(Reader *reader, char *text, char *stop, uint64_t now) {
    for (char *found; (found = memchr(text, '{', (size_t)(stop - text)));) {
        if (stop - found < RECORD_HEAD) return found;
        text = found + 1;
        if (memcmp(found, "{\"n\":\"", 6)) continue;
        take_record(reader, found, now);
        text = found + RECORD_HEAD;
    }
    return stop;
}

static void become_live(Reader *reader) {
    reader->is_live = 1;
    live++;
    reached++;
    opening--;
    if (storm_at && live == wanted && next_step == step_count) back_at = now_ns();
    if (stalls) epoll_ctl(polling, EPOLL_CTL_DEL, reader->fd, NULL);
}

static void disconnect(Reader *reader) {
    close(reader->fd);
    if (reader->is_live) live--;
    else opening--;
    reader->fd = -1;
    reader->is_live = 0;
    reader->partial_size = 0;
}

/* What came of an event that was not complete is forgotten, as a client that resumes does. */
static void roll_back(Reader *reader) {
    delivered -= reader->next - reader->committed;
    reader->next = reader->committed;
}

static void queue_opening(uint32_t index) {
    if (readers[index].is_waiting || readers[index].fd >= 0) return;
    readers[index].is_waiting = 1;
    waiting[(waiting_first + waiting_count++) % wanted] = index;
}

static void open_next(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char request[MAX_MESSAGE];
    uint32_t index = waiting[waiting_first];
    waiting_first = (waiting_first + 1) % wanted;
    waiting_count--;
    Reader *reader = &readers[index];
    reader->is_waiting = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = reader->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    size_t size = request_of(reader, request, sizeof request);
    if (write(fd, request, size) != (ssize_t)size) fail("write");
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(polling, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    opening++;
}

static void receive(Reader *reader) {
    if (reader->fd < 0) return; /* it was cut after it was polled */
    char *fresh = buffer + MAX_PARTIAL, *start = fresh - reader->partial_size;
    ssize_t size = read(reader->fd, fresh, READ_BYTES);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        if (!reader->is_live) fail("a connection was not answered");
        disconnect(reader);
        closed++;
        if (!storm_at) return;
        roll_back(reader);
        queue_opening((uint32_t)(reader - readers));
        return;
    }
    uint64_t now = now_ns();
    bytes += (uint64_t)size;
    char *end = fresh + unframe(reader, fresh, (size_t)size);
    if (reader->partial_size) memcpy(start, reader->partial, reader->partial_size);
    char *rest = take(reader, start, &end, now);
    if (reader->fd < 0) return;
    if (end - rest > MAX_PARTIAL) fail_plainly("a line or frame is too long");
    reader->partial_size = (uint32_t)(end - rest);
    if (!reader->partial_size) return;
    reader->partial = realloc(reader->partial, reader->partial_size);
    if (!reader->partial) fail("memory");
    memcpy(reader->partial, rest, reader->partial_size);
}

static int compare_steps(const void *left, const void *right) {
    uint64_t a = ((const Step *)left)->at, b = ((const Step *)right)->at;
    return (a > b) - (a < b);
}

static uint64_t random_below(uint64_t limit) {
    return (uint64_t)((double)random() / ((double)RAND_MAX + 1) * (double)limit);
}

static void plan_storm(uint64_t after, uint64_t spread) {
    storm_at = now_ns() + after * 1000000;
    steps = calloc(2 * (size_t)wanted, sizeof *steps);
    if (!steps) fail("memory");
    for (uint32_t index = 0; index < wanted; index++) {
        uint64_t cut = storm_at + random_below(spread * 500000), again = cut + random_below(spread * 500000);
        steps[step_count++] = (Step){cut, index, 1};
        steps[step_count++] = (Step){again + 1, index, 0};
    }
    qsort(steps, step_count, sizeof *steps, compare_steps);
}

static void take_steps(uint64_t now) {
    for (; next_step < step_count && steps[next_step].at <= now; next_step++) {
        Step *step = &steps[next_step];
        Reader *reader = &readers[step->index];
        if (!step->is_cut) queue_opening(step->index);
        else if (reader->fd >= 0) disconnect(reader), roll_back(reader);
    }
}

static void take_command(const char *line) {
    unsigned long first, second;
    if (sscanf(line, "published %lu", &first) == 1) {
        published = first;
        deadline = now_ns() + grace;
    } else if (sscanf(line, "settle %lu", &first) == 1) {
        settling = first;
        settle_deadline = now_ns() + SETTLE_SECONDS * 1000000000ull;
    } else if (sscanf(line, "storm %lu %lu", &first, &second) == 2) {
        plan_storm(first, second);
    } else {
        fail_plainly(line);
    }
}

static void take_commands(void) {
    static char lines[256];
    static size_t size;
    ssize_t count = read(0, lines + size, sizeof lines - 1 - size);
    if (count <= 0) exit(0); /* nobody waits for the result */
    size += (size_t)count;
    lines[size] = 0;
    for (char *newline; (newline = strchr(lines, '\n'));) {
        *newline = 0;
        take_command(lines);
        size -= (size_t)(newline + 1 - lines);
        memmove(lines, newline + 1, size + 1);
    }
}

static double cpu_of_this(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* How many records of those that are counted are still to come, over all readers. */
static uint64_t outstanding(uint64_t count) {
    return (count - warm) * wanted - delivered - (missing - passed_over);
}

static void settle(double *cpu) {
    if (outstanding(settling)) {
        if (now_ns() > settle_deadline) fail_plainly("records of the warm-up have not come");
        return;
    }
    warm = settling;
    settling = delivered = longest = 0;
    passed_over = missing;
    memset(histogram, 0, sizeof histogram);
    *cpu = cpu_of_this();
    printf("{}\n");
    fflush(stdout);
}

static void print_result(double cpu) {
    uint64_t late = published == UINT64_MAX ? 0 : outstanding(published);
    printf("{\"delivered\": %lu, \"missing\": %lu, \"repeated\": %lu, \"late\": %lu, \"closed\": %u, \"p50_us\": %lu, ",
           delivered, missing, repeated, late, closed, percentile(delivered, 0.50));
    printf("\"p99_us\": %lu, \"p999_us\": %lu, \"max_us\": %lu, \"last_ns\": %lu, ", percentile(delivered, 0.99),
           percentile(delivered, 0.999), longest, last_at);
    printf("\"opened_ns\": %lu, \"bytes\": %lu, \"back_seconds\": %.6f, \"cpu_seconds\": %.6f}\n", opened_at, bytes,
           back_at ? (double)(back_at - storm_at) / 1e9 : 0.0, cpu);
}

static void start(char **words) {
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = STDIN};
    port = atoi(words[1]);
    wanted = (uint32_t)atoi(words[2]);
    path = words[3];
    grace = (uint64_t)(atof(words[4]) * 1e9);
    polling = epoll_create1(0);
    signal(SIGPIPE, SIG_IGN);
    readers = calloc(wanted, sizeof *readers);
    waiting = calloc(wanted, sizeof *waiting);
    if (!readers || !waiting || polling < 0 || epoll_ctl(polling, EPOLL_CTL_ADD, 0, &input)) fail("start");
    for (uint32_t index = 0; index < wanted; index++) {
        readers[index].fd = -1;
        queue_opening(index);
    }
}

static int run_readers(char **words) {
    struct epoll_event events[MAX_EVENTS];
    double cpu = cpu_of_this();
    int told = 0;
    start(words);
    opened_at = now_ns();
    while ((closed < wanted || storm_at) && now_ns() < deadline) {
        take_steps(now_ns());
        while (waiting_count && opening < MAX_OPENING) open_next();
        int ready = epoll_wait(polling, events, MAX_EVENTS, next_step < step_count ? 1 : 100);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < ready; index++) {
            if (events[index].data.u32 == STDIN) take_commands();
            else receive(&readers[events[index].data.u32]);
        }
        if (!told && reached >= wanted) {
            double now = cpu_of_this();
            printf("{\"connect_seconds\": %.6f, \"connect_cpu_seconds\": %.6f}\n", (double)(now_ns() - opened_at) / 1e9,
                   now - cpu);
            fflush(stdout);
            told = 1;
            cpu = now;
        }
        if (settling) settle(&cpu);
        if (published != UINT64_MAX && !outstanding(published) && (!storm_at || back_at)) break;
    }
    print_result(cpu_of_this() - cpu);
    return 0;
}
