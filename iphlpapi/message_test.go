package iphlpapi

import (
	"strings"
	"testing"
)

func TestFormatMessage(t *testing.T) {
	t.Setenv("LC_ALL", "fr_FR.UTF-8")
	for _, c := range []struct {
		code   Errno
		langid uint16
		want   string
	}{
		{ERROR_ACCESS_DENIED, MakeLangID(LANG_ENGLISH, 1), "permission denied"},
		{ERROR_ACCESS_DENIED, MakeLangID(LANG_ENGLISH, 2), "permission denied"},
		{ERROR_ACCESS_DENIED, MakeLangID(LANG_FRENCH, 3), "permission refusée"},
		{ERROR_ACCESS_DENIED, MakeLangID(LANG_NEUTRAL, 0), "permission refusée"},
		{ERROR_ACCESS_DENIED, MakeLangID(LANG_NEUTRAL, 1), "permission refusée"},
		{ERROR_ACCESS_DENIED, 0x0407, "permission refusée"}, // German
		{NO_ERROR, LANG_ENGLISH, "the operation succeeded"},
		{234, LANG_FRENCH, "il y a d'autres données"},
		{4242, LANG_ENGLISH, "system error 4242"},
		{4242, LANG_NEUTRAL, "erreur système 4242"},
	} {
		if got := FormatMessage(c.code, c.langid); got != c.want {
			t.Errorf("%d, LANGID %#04x: %q, want %q", c.code, c.langid, got, c.want)
		}
	}
	t.Setenv("LC_ALL", "C")
	if got := FormatMessage(ERROR_ACCESS_DENIED, LANG_NEUTRAL); got != "permission denied" {
		t.Errorf("neutral in C: %q", got)
	}
	if got := FormatMessage(ERROR_SEM_TIMEOUT, MakeLangID(LANG_FRENCH, 1)); !strings.Contains(got, "DHCP") {
		t.Errorf("got %q", got)
	}
}
