/* pdh.dll of a computer without the counters that are asked for. Wine 8 ends a program that asks for a list of them. */
#include <windows.h>

#define NO_SUCH_COUNTER ((LONG)0xC0000BB8)

__declspec(dllexport) LONG WINAPI PdhOpenQueryW(LPCWSTR source, DWORD_PTR data, HANDLE *query)
{
    *query = (HANDLE)1;
    return 0;
}
__declspec(dllexport) LONG WINAPI PdhCloseQuery(HANDLE query) { return 0; }
__declspec(dllexport) LONG WINAPI PdhAddEnglishCounterW(HANDLE query, LPCWSTR path, DWORD_PTR data, HANDLE *counter)
{
    return NO_SUCH_COUNTER;
}
__declspec(dllexport) LONG WINAPI PdhCollectQueryData(HANDLE query) { return NO_SUCH_COUNTER; }
__declspec(dllexport) LONG WINAPI PdhGetFormattedCounterArrayW(HANDLE counter, DWORD format, DWORD *bytes, DWORD *count, void *items)
{
    return NO_SUCH_COUNTER;
}
__declspec(dllexport) LONG WINAPI PdhEnumObjectsW(LPCWSTR source, LPCWSTR machine, LPWSTR objects, DWORD *chars, DWORD detail, BOOL refresh)
{
    return NO_SUCH_COUNTER;
}
__declspec(dllexport) LONG WINAPI PdhGetFormattedCounterValue(HANDLE counter, DWORD format, DWORD *type, void *value)
{
    return NO_SUCH_COUNTER;
}
__declspec(dllexport) LONG WINAPI PdhRemoveCounter(HANDLE counter) { return 0; }
