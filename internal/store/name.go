package store

import (
	"errors"
	"fmt"
	"strings"
)

const (
	suffix = ".json"
	// aheadSuffix is that of the write-ahead file.
	aheadSuffix = ".ahead"
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

// aheadName returns the name of the adapter's write-ahead file.
func aheadName(adapter string) (string, error) {
	file, err := fileName(adapter)
	return strings.TrimSuffix(file, suffix) + aheadSuffix, err
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// adapterName is the reverse of fileName and aheadName. It returns false for
// the name of a file that they never give.
func adapterName(file string) (string, bool) {
	s, ok := strings.CutSuffix(file, suffix)
	if !ok {
		if s, ok = strings.CutSuffix(file, aheadSuffix); !ok {
			return "", false
		}
		file = s + suffix
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
