/* Presses Ctrl-Break for a program in a console of its own, as soon as a file is there.
 *
 * break_key FILE COMMAND...: prints the program's exit code.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

int wmain(int argc, WCHAR **argv)
{
    static WCHAR line[8192];
    STARTUPINFOW startup = { .cb = sizeof startup };
    PROCESS_INFORMATION process;
    DWORD code;
    if (argc < 3)
        return 2;
    for (int i = 2; i < argc; i++) {
        wcscat(line, i > 2 ? L" \"" : L"\"");
        wcscat(line, argv[i]);
        wcscat(line, L"\"");
    }
    FreeConsole();
    if (!AllocConsole() || !CreateProcessW(NULL, line, NULL, NULL, FALSE, CREATE_NEW_PROCESS_GROUP, NULL, NULL, &startup, &process)) {
        printf("error %lu\n", GetLastError());
        return 1;
    }
    while (GetFileAttributesW(argv[1]) == INVALID_FILE_ATTRIBUTES && WaitForSingleObject(process.hProcess, 10) == WAIT_TIMEOUT)
        ;
    if (!GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, process.dwProcessId)) {
        printf("error %lu\n", GetLastError());
        return 1;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    printf("ended with %lu\n", code);
    return 0;
}
