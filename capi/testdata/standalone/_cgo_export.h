/* In place of the header that cgo makes, where the C files are built without Go. */
#include <stdint.h>
uint32_t goMessage(uint32_t code, uint16_t langid, char **text);
