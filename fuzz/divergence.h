/* The table of allowed differences, divergences.tsv, for the tests written in C; DIVERGENCES is its path. */
#ifndef DIVERGENCE_H
#define DIVERGENCE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the table has a row with that judge and what. Reads the file: ask once. */
static inline bool divergence_allowed(const char *judge, const char *what)
{
    char line[1024], start[128];
    bool found = false;
    FILE *table = fopen(DIVERGENCES, "r");
    if (!table) {
        perror(DIVERGENCES);
        exit(1);
    }
    snprintf(start, sizeof(start), "%s\t%s\t", judge, what);
    while (!found && fgets(line, sizeof(line), table))
        found = strncmp(line, start, strlen(start)) == 0;
    fclose(table);
    return found;
}

#endif
