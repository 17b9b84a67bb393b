/* The fields of headers: digits, and of tar binary numbers, texts, the checksum. */
#include "import.h"

#include "memory.h"

#define CHECKSUM_AT  148u
#define CHECKSUM_LEN 8u

bool umvfs_import_parse_digits(const char *text, size_t len, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10u
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10u
                                                : 16u;
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return len > 0;
}

bool umvfs_tar_is_zero(const char *block)
{
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        if (block[i])
            return false;
    }
    return true;
}

/* GNU's binary form: a big-endian number of two's complement, whose first bit says that it is one. */
static bool parse_base256(const char *text, size_t len, int64_t *out)
{
    uint64_t sign = (unsigned char)text[0] & 0x40u ? UINT64_MAX : 0;
    uint64_t value = sign << 6 | ((unsigned char)text[0] & 0x3fu);
    for (size_t i = 1; i < len; i++) {
        if ((value ^ sign) >> 55) /* the next byte would push out more than copies of the sign */
            return false;
        value = value << 8 | (unsigned char)text[i];
    }
    *out = (int64_t)value;
    return true;
}

bool umvfs_tar_number(const char *block, size_t at, size_t len, int64_t *out)
{
    const char *text = block + at;
    size_t begin = 0;
    if ((unsigned char)text[0] & 0x80u)
        return parse_base256(text, len, out);
    while (begin < len && text[begin] == ' ')
        begin++;
    size_t digits = 0;
    while (begin + digits < len && text[begin + digits] && text[begin + digits] != ' ')
        digits++;
    for (size_t i = begin + digits; i < len; i++) {
        if (text[i] && text[i] != ' ')
            return false;
    }
    uint64_t value = 0;
    bool ok = digits == 0 || umvfs_import_parse_digits(text + begin, digits, 8, &value);
    *out = (int64_t)value; /* twelve digits at most */
    return ok;
}

/* The sum of the bytes, which some programs took for signed. */
bool umvfs_tar_checksum_matches(const char *block)
{
    int64_t wanted = 0;
    int64_t sum = 8l * ' ';
    int64_t high = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        unsigned char byte = i - CHECKSUM_AT < 8 ? 0 : (unsigned char)block[i];
        sum += byte;
        high += byte >> 7;
    }
    return umvfs_tar_number(block, CHECKSUM_AT, CHECKSUM_LEN, &wanted) &&
           (sum == wanted || sum - 256 * high == wanted);
}

/* Appends a field that may fill its space without a NUL. */
size_t umvfs_tar_append(char *dst, size_t len, const char *block, size_t at, size_t max)
{
    size_t n = 0;
    while (n < max && block[at + n])
        n++;
    memcpy(dst + len, block + at, n);
    dst[len + n] = '\0';
    return len + n;
}
