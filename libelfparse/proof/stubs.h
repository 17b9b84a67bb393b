/* What Frama-C does not know of gcc's built-ins; handed to every proof with -include. */
#ifndef STUBS_H
#define STUBS_H

#define __builtin_expect(expression, value) (expression)
#define __attribute__(list)

/*@ requires value != 0;
    assigns \nothing;
    ensures 0 <= \result <= 31;
*/
int __builtin_ctz(unsigned int value);

/*@ requires value != 0;
    assigns \nothing;
    ensures 0 <= \result <= 63;
*/
int __builtin_ctzll(unsigned long long value);

#endif
