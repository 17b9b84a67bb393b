/* What the elfparse command prints about one file. */
#ifndef REPORT_H
#define REPORT_H

#include <elfparse/elfparse.h>

/* More violations than that are not worth reading. */
#define MAX_ERRORS 1000u

struct options {
    int all_errors;
    int explain;
    int json;
    int quiet;
    int colour;
};

struct report {
    const char *path;
    const struct elfparse_policy *policy;
    unsigned count; /* files judged before this one */
    int code;       /* 0: accepted */
    struct elfparse_plan plan;
    uint32_t error_count;
    struct elfparse_error errors[MAX_ERRORS];
};

/* The plan as a table and the verdict; with options->explain, every rule with pass or fail. */
void report_text(const struct report *report, const struct elfparse_reader *reader,
                 const struct options *options);

/* One line: the verdict and the first reason. */
void report_quiet(const struct report *report);

/* One JSON object, after a comma unless it is the first. */
void report_json(const struct report *report, const struct elfparse_reader *reader, int first);

/* The traits that the bits name, in lower case, separated by spaces, into buf. */
void traits_text(uint32_t traits, char *buf, size_t size);

/* The build-id in hexadecimal, or "" where there is none. */
void build_id_text(const struct report *report, const struct elfparse_reader *reader, char *buf,
                   size_t size);

/* "R", "W" and "X" or dashes in their places. */
void prot_text(uint32_t prot, char text[4]);

#endif
