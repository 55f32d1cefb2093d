/* Ends badly, in the way that FAILURE names. */
#include <stdint.h>

#define STATUS 1
#define TRAP 2
#define UNALIGNED 3
#define OVERFLOW 4

extern uint8_t bytes[8];
uint8_t bytes[8];
extern volatile uint32_t depth;
volatile uint32_t depth = 100000;

int deeper(uint32_t left);
__attribute__((noinline)) int deeper(uint32_t left) {
    volatile uint32_t words[16] = {left};
    return left == 0 ? 0 : deeper(left - 1) + (int)words[left % 16];
}

int main(void) {
#if FAILURE == STATUS
    return 3;
#elif FAILURE == TRAP
    __builtin_trap();
#elif FAILURE == UNALIGNED
    uint8_t *volatile odd = bytes + 1;
    return (int)*(volatile uint32_t *)(void *)odd;
#else
    return deeper(depth) & 0;
#endif
}
