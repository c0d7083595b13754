//go:build !windows

package text

import "golang.org/x/text/language"

// systemLanguage: where nothing is said, it is English.
func systemLanguage() language.Tag { return language.English }
