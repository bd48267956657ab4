/* Runs docs/device/charley_block.h: `block`, `status` or `will` writes bytes to standard output; `acks` reads messages
 * from standard input, each behind its length in two bytes (big-endian), and prints a line for each. */
#include "charley_block.h"

#include <stdio.h>

static uint8_t buffer[1 << 20];

static int write_out(size_t needed, size_t written)
{
    if (written == 0 || written != needed)
        return 1;
    return fwrite(buffer, 1, written, stdout) != written;
}

static int write_block(uint32_t n)
{
    static const int16_t golden[] = {0, 1, -1, 100, -100, 300, -300, 32767, -32768, 0,
                                     250, -250, 120, -120, 60, -60, 30, -30, 10, -10};
    static const int16_t axes[] = {0, -256, 4096};
    static int16_t ramp[60000];
    const struct charley_signal small[] = {{"emg", "soleus", 200.0, 0.5, 1, 20, golden},
                                           {"acc", "shank", 10.0, 1.0 / 4096, 3, 1, axes}};
    const struct charley_signal large[] = {
        {"emg", "site_of_forty_characters_site_of_forty_c", 1000.0, 0.25, 2, n, ramp}};
    const struct charley_block first = {3, 41, UINT64_C(1767225600000000000), 2, small};
    const struct charley_block other = {CHARLEY_MAX_COUNT, 65536, 7, 1, large};
    const struct charley_block *block = n == 0 ? &first : &other;
    for (uint32_t i = 0; i < 60000; i++)
        ramp[i] = (int16_t)(i % 65536 - 32768);
    const size_t needed = charley_write_block(block, NULL, 0);
    if (charley_write_block(block, buffer, needed - 1) != 0)
        return 1;
    return write_out(needed, charley_write_block(block, buffer, needed));
}

static int write_status(int will)
{
    const struct charley_status birth = {3, 1, "1.4.0", 200, 2, 90, UINT64_C(1767225600000000000)};
    const struct charley_status last = {3, 0, NULL, CHARLEY_NONE, CHARLEY_NONE, 0, CHARLEY_NONE};
    const struct charley_status *status = will ? &last : &birth;
    return write_out(charley_write_status(status, NULL, 0), charley_write_status(status, buffer, sizeof buffer));
}

static int read_acks(void)
{
    int high, low;
    while ((high = getchar()) != EOF && (low = getchar()) != EOF) {
        struct charley_ack ack = {0, 0};
        const size_t length = (size_t)high << 8 | (size_t)low;
        if (fread(buffer, 1, length, stdin) != length)
            return 1;
        if (charley_read_ack(buffer, length, &ack))
            printf("%llu %llu\n", (unsigned long long)ack.boot, (unsigned long long)ack.seq);
        else
            puts("none");
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "block") == 0)
        return write_block(0);
    if (strcmp(what, "long") == 0)
        return write_block(30000);
    if (strcmp(what, "status") == 0 || strcmp(what, "will") == 0)
        return write_status(strcmp(what, "will") == 0);
    return strcmp(what, "acks") == 0 ? read_acks() : 2;
}
