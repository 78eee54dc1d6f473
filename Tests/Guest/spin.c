// Says that it runs, then never ends by itself: something to interrupt (Tests/Guest/Catalogue/PanicTests.cs).
#include <unistd.h>

static volatile unsigned long turns;

__attribute__((noinline)) static void spin_for_ever(void)
{
    for (;;)
        turns++;
}

int main(void)
{
    (void)!write(1, "spinning\n", 9);
    spin_for_ever();
}
