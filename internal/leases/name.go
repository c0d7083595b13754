package leases

import (
	"errors"
	"fmt"
	"strings"
)

const (
	suffix = ".json"
	// maxName keeps the names of files, those set aside and temporary ones
	// included, within the 255 bytes that Linux file systems allow.
	maxName = 200
)

var (
	errNoName   = errors.New("the adapter has no name")
	errLongName = errors.New("the adapter's name is too long for a file name")
)

// fileName returns the name of the adapter's file.
func fileName(adapter string) (string, error) {
	if adapter == "" {
		return "", errNoName
	}
	var b strings.Builder
	for i := range len(adapter) {
		if c := adapter[i]; plain(c) || c == '.' && i > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() > maxName {
		return "", errLongName
	}
	return b.String() + suffix, nil
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// adapterName is the reverse of fileName. It returns false for the name of a
// file that fileName never gives.
func adapterName(file string) (string, bool) {
	s, ok := strings.CutSuffix(file, suffix)
	if !ok {
		return "", false
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", false
			}
			var v byte
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &v); err != nil {
				return "", false
			}
			c = v
			i += 2
		}
		b = append(b, c)
	}
	name := string(b)
	back, err := fileName(name)
	return name, err == nil && back == file
}

// temporaryName returns the name of a file that is to replace another one.
func temporaryName(file string) string { return "." + file + "0" }

// temporary reports whether a write that never ended left the file behind.
// Names of records do not begin with a dot.
func temporary(name string) bool {
	rest, ok := strings.CutPrefix(name, ".")
	if !ok {
		return false
	}
	rest = strings.TrimRight(rest, "0123456789")
	return len(rest) > len(suffix) && strings.HasSuffix(rest, suffix)
}
