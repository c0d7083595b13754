package text

import (
	"golang.org/x/sys/windows"
	"golang.org/x/text/language"
)

// systemLanguage returns the language of the user's desktop.
func systemLanguage() language.Tag {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return language.English
	}
	for _, n := range names {
		if tag, ok := parse(n); ok {
			return tag
		}
	}
	return language.English
}
