/* Asks a program to end, as soon as a file is there, and prints the program's exit code.
 *
 * interrupt ctrl-c FILE COMMAND...: presses Ctrl-C in a console that the program shares.
 * interrupt log-off FILE COMMAND...: tells the program's hidden window that the session ends.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static BOOL WINAPI ignore(DWORD event) { return TRUE; }

static BOOL CALLBACK end_session(HWND window, LPARAM process)
{
    DWORD owner;
    DWORD_PTR may_end;
    WCHAR class[64];
    GetWindowThreadProcessId(window, &owner);
    if (owner != (DWORD)process || !GetClassNameW(window, class, 64) || wcscmp(class, L"ACOLYTE session end"))
        return TRUE;
    if (!SendMessageTimeoutW(window, WM_QUERYENDSESSION, 0, ENDSESSION_LOGOFF, SMTO_NORMAL, 5000, &may_end) || !may_end)
        printf("the session may not end\n");
    SendNotifyMessageW(window, WM_ENDSESSION, TRUE, ENDSESSION_LOGOFF);
    return FALSE;
}

static int failed(const char *what)
{
    printf("%s: error %lu\n", what, GetLastError());
    return 1;
}

int wmain(int argc, WCHAR **argv)
{
    static WCHAR line[8192];
    STARTUPINFOW startup = { .cb = sizeof startup };
    PROCESS_INFORMATION process;
    DWORD code;
    if (argc < 4)
        return 2;
    for (int i = 3; i < argc; i++) {
        wcscat(line, i > 3 ? L" \"" : L"\"");
        wcscat(line, argv[i]);
        wcscat(line, L"\"");
    }
    int is_key = !wcscmp(argv[1], L"ctrl-c");
    FreeConsole();
    if (is_key && !AllocConsole())
        return failed("console");
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        return failed("program");
    while (GetFileAttributesW(argv[2]) == INVALID_FILE_ATTRIBUTES && WaitForSingleObject(process.hProcess, 10) == WAIT_TIMEOUT)
        ;
    SetConsoleCtrlHandler(ignore, TRUE);
    if (is_key && !GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
        return failed("key");
    while (!is_key && EnumWindows(end_session, process.dwProcessId) && WaitForSingleObject(process.hProcess, 10) == WAIT_TIMEOUT)
        ;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    printf("ended with %lu\n", code);
    return 0;
}
