package iphlpapi

import (
	"strings"

	"golang.org/x/sys/windows"
)

// systemMessage is the system's own text of a code, in the language of langid or
// else the user's.
func systemMessage(code Errno, langid uint16) (string, bool) {
	const flags = windows.FORMAT_MESSAGE_FROM_SYSTEM | windows.FORMAT_MESSAGE_IGNORE_INSERTS
	buf := make([]uint16, 1024)
	for _, id := range []uint16{langid, LANG_NEUTRAL} {
		if n, err := windows.FormatMessage(flags, 0, uint32(code), uint32(id), buf, nil); err == nil && n > 0 {
			text := strings.Join(strings.Fields(windows.UTF16ToString(buf[:n])), " ")
			return strings.TrimSuffix(text, "."), true
		}
	}
	return "", false
}
