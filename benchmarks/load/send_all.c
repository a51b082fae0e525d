/* Sends the same bytes to many sockets, and takes out what has come on many. For benchmarks/delivery.py. */

#include <sys/socket.h>

long send_all(const int *sockets, long count, const void *data, unsigned long size) {
    long whole = 0;
    for (long each = 0; each < count; each++)
        whole += send(sockets[each], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (long)size;
    return whole;
}

long take_all(const int *sockets, long count) {
    static char room[65536];
    long taken = 0, got;
    for (long each = 0; each < count; each++)
        while ((got = recv(sockets[each], room, sizeof room, MSG_DONTWAIT)) > 0) taken += got;
    return taken;
}
