/*
 * The parts of plan.c that have proofs of their own, which a driver of plan.c replaces: handed to
 * it with -include, and with the guards of the headers that hold them defined (walk.h, other.h).
 */
#ifndef SEAMS_H
#define SEAMS_H

#include "judge.h"

int elfp_judge_headers(struct elfp_judge *judge);
int elfp_judge_others(struct elfp_judge *judge);
uint64_t elfp_table_vaddr(const struct elfp_judge *judge);

#endif
