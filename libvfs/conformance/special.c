#include "special.h"
void special_tests(struct tap *tap) { (void)tap; }
