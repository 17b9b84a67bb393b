/* All of libelfparse's loader side; tools include elfparse/file.h as well. */
#ifndef ELFPARSE_ELFPARSE_H
#define ELFPARSE_ELFPARSE_H

#include <elfparse/base.h>
#include <elfparse/error.h>
#include <elfparse/plan.h>
#include <elfparse/policy.h>
#include <elfparse/reader.h>
#include <elfparse/symbolize.h>

#endif
