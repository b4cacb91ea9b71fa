/* bcryptprimitives.dll, whose one function the standard library of Rust calls for random numbers. Wine 8 has none. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG bytes); /* RtlGenRandom of advapi32 */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T bytes)
{
    while (bytes) {
        ULONG part = bytes > 0x10000000 ? 0x10000000 : (ULONG)bytes;
        if (!SystemFunction036(buffer, part))
            return FALSE;
        buffer += part;
        bytes -= part;
    }
    return TRUE;
}
