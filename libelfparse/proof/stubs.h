/* What Frama-C does not know of gcc's built-ins; handed to every proof with -include. */
#ifndef STUBS_H
#define STUBS_H

#define __builtin_expect(expression, value) (expression)
#define __attribute__(list)

/* With a body, since Eva has to know the result. */
static inline int stub_ctz(unsigned int value)
{
    int n = 0;

    while (n < 31 && (value >> n & 1u) == 0)
        n++;
    return n;
}

#define __builtin_ctz(value) stub_ctz(value)

/*@ requires value != 0;
    assigns \nothing;
    ensures 0 <= \result <= 63;
*/
int __builtin_ctzll(unsigned long long value);

#endif
