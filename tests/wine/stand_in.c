// Stands in for acolyte.exe in .ci/setup-walk: prints its arguments, and ends with the code in ACOLYTE_STAND_IN_CODE.
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) printf("%s%c", arguments[i], i + 1 < count ? ' ' : '\n');
    const char *code = getenv("ACOLYTE_STAND_IN_CODE");
    return code ? atoi(code) : 0;
}
