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

static inline unsigned int stub_bswap32(unsigned int value)
{
    return value >> 24 | (value >> 8 & 0xff00u) | (value << 8 & 0xff0000u) | value << 24;
}

static inline unsigned long long stub_bswap64(unsigned long long value)
{
    return (unsigned long long)stub_bswap32((unsigned int)value) << 32 |
           stub_bswap32((unsigned int)(value >> 32));
}

#define __builtin_bswap32(value) stub_bswap32(value)
#define __builtin_bswap64(value) stub_bswap64(value)

/*@ requires value != 0;
    assigns \nothing;
    ensures 0 <= \result <= 63;
*/
int __builtin_ctzll(unsigned long long value);

#endif
