/* The memory functions. */
#include "check.h"

int main(void)
{
    HANDLE heap = GetProcessHeap();
    unsigned char *p;
    int i;

    CHECK(heap != NULL);
    p = (unsigned char *)HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
    for (i = 0; i < 100; i++)
        CHECK(p[i] == 0);
    memset(p, 7, 100);
    CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 1 << 20) == NULL);
    p = (unsigned char *)HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 3000);
    for (i = 0; i < 3000; i++)
        CHECK(p[i] == (i < 100 ? 7 : 0));
    p = (unsigned char *)HeapReAlloc(heap, 0, p, 10);
    for (i = 0; i < 10; i++)
        CHECK(p[i] == 7);
    p = (unsigned char *)HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 20);
    for (i = 0; i < 20; i++)
        CHECK(p[i] == (i < 10 ? 7 : 0));
    CHECK(HeapFree(heap, 0, p));
    CHECK(HeapFree(heap, 0, NULL));
    p = (unsigned char *)HeapAlloc(heap, 0, 0);
    CHECK(p != NULL);
    CHECK(HeapFree(heap, 0, p));
    p = (unsigned char *)LocalAlloc(LPTR, 10);
    CHECK(p != NULL && p[9] == 0);
    CHECK(LocalFree(p) == NULL);
    CHECK(LocalFree(NULL) == NULL);
    return check_end();
}
