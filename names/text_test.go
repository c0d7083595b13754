package names_test

import (
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
)

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          "",
		"wrong network":             "wrong network",
		"it's 10.0.0.1 (ours); ok?": "it's 10.0.0.1 (ours); ok?",
		`address "10.0.0.1"`:        "address '10.0.0.1'",
		"a\nb\x00\x1b[31m":          "a?b??[31m",
		"$(id) `id` \\":             "?(id) ?id? ?",
		"{a|b} <c> & d":             "?a?b? ?c? ? d",
		"\xc0\xaf\xc3\xa9\x7f":      "?????",
		strings.Repeat("a", 300):    strings.Repeat("a", names.MaxText),
	} {
		got := names.CleanText(in)
		if got.String() != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		parsed, err := names.ParseText(in)
		if ok := err == nil; ok != (in == want && in != "") || ok && parsed != got {
			t.Errorf("%q: %q, %v", in, parsed, err)
		}
	}
	_, err := names.ParseText("a\tb")
	wantError(t, err, names.ReasonCharacter, 1)
	_, err = names.ParseText("")
	wantError(t, err, names.ReasonEmpty, 0)
	_, err = names.ParseText(strings.Repeat("a", 256))
	wantError(t, err, names.ReasonTooLong, names.MaxText)
}
