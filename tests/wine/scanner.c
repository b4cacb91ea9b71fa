/* A virus scanner: opens each new file below a folder, without letting others rename or delete it, and holds it.
 *
 * scanner FOLDER MILLISECONDS: until the file FOLDER.stop exists; then it prints how many files it held.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define MOST 8192

static struct { HANDLE handle; ULONGLONG until; WCHAR path[600]; } seen[MOST];
static int count, held;

static int is_known(const WCHAR *path)
{
    for (int i = 0; i < count; i++)
        if (!wcscmp(seen[i].path, path))
            return 1;
    return 0;
}

static void scan(const WCHAR *folder, DWORD milliseconds)
{
    WCHAR pattern[600], path[600];
    WIN32_FIND_DATAW found;
    swprintf(pattern, 600, L"%ls\\*", folder);
    HANDLE search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        if (!wcscmp(found.cFileName, L".") || !wcscmp(found.cFileName, L".."))
            continue;
        swprintf(path, 600, L"%ls\\%ls", folder, found.cFileName);
        if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
            scan(path, milliseconds);
        } else if (count < MOST && !is_known(path)) {
            HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
            if (file == INVALID_HANDLE_VALUE)
                continue;
            wcscpy(seen[count].path, path);
            seen[count].handle = file;
            seen[count++].until = GetTickCount64() + milliseconds;
            held++;
        }
    } while (FindNextFileW(search, &found));
    FindClose(search);
}

int wmain(int argc, WCHAR **argv)
{
    WCHAR stop[600];
    if (argc < 3)
        return 2;
    swprintf(stop, 600, L"%ls.stop", argv[1]);
    puts("scanning");
    fflush(stdout);
    while (GetFileAttributesW(stop) == INVALID_FILE_ATTRIBUTES) {
        scan(argv[1], wcstoul(argv[2], NULL, 10));
        for (int i = 0; i < count; i++)
            if (seen[i].handle && GetTickCount64() > seen[i].until) {
                CloseHandle(seen[i].handle);
                seen[i].handle = NULL;
            }
        Sleep(2);
    }
    printf("%d\n", held);
    return 0;
}
