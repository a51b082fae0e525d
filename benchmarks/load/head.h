/* The head of an HTTP/1.1 answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Whether a head is complete; its end is where the body begins. */
static char *end_of_head(char *text, char *end) {
    char *blank = memmem(text, (size_t)(end - text), "\r\n\r\n", 4);
    return blank ? blank + 4 : NULL;
}

/* A header's value, in a head that ends with a null; NULL: there is none. */
static const char *header(const char *head, const char *name) {
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        size_t size = strlen(name);
        if (strncasecmp(line + 2, name, size) || line[2 + size] != ':') continue;
        for (line += 3 + size; *line == ' '; line++) {}
        return line;
    }
    return NULL;
}
