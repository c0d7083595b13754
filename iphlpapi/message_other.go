//go:build !windows

package iphlpapi

// systemMessage has no text: only Windows has some of its own.
func systemMessage(Errno, uint16) (string, bool) { return "", false }
