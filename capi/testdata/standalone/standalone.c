/* Takes the place of Go, so that sanitizers see all that the C files do. The
   texts come from the environment. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int is_forked(void);
uint32_t message(uint32_t code, uint16_t langid, char **text);

int is_forked(void) { return 0; }

static int french_user(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *v = getenv(names[i]);
        if (v != NULL && *v != 0)
            return strncmp(v, "fr", 2) == 0;
    }
    return 0;
}

uint32_t message(uint32_t code, uint16_t langid, char **text)
{
    int primary = langid & 0x3ff;
    if (primary != 0 && primary != 0x09 && primary != 0x0c)
        return 1815;
    if (code != 232)
        return 317;
    *text = strdup(getenv(primary == 0x0c || (primary == 0 && french_user()) ? "CHECK_FRENCH" : "CHECK_ENGLISH"));
    return 0;
}
