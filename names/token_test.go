package names_test

import (
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
)

func TestParseToken(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"h2", "dot", "doq", "http/1.1", "acme-tls/1", strings.Repeat("a", names.MaxToken)} {
		if v, err := names.ParseToken(s); err != nil || v.String() != s || v.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, c := range []struct {
		s      string
		reason names.Reason
		offset int
	}{
		{"", names.ReasonEmpty, 0},
		{strings.Repeat("a", names.MaxToken+1), names.ReasonTooLong, names.MaxToken},
		{"/etc/passwd", names.ReasonCharacter, 0},
		{"-x", names.ReasonCharacter, 0},
		{"a/../b", names.ReasonForm, 2},
		{"h2\n", names.ReasonCharacter, 2},
		{"\x0a\x0a", names.ReasonCharacter, 0},
	} {
		_, err := names.ParseToken(c.s)
		wantError(t, err, c.reason, c.offset)
	}
}

func TestParseTemplate(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"/dns-query{?dns}", "/{dns}", "/q{?dns,name}", "/a%20b?x=1{&dns}", "/{/a}{?dns}"} {
		if v, err := names.ParseTemplate(s); err != nil || v.String() != s || v.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, c := range []struct {
		s      string
		reason names.Reason
		offset int
	}{
		{"", names.ReasonForm, 0},
		{"dns-query{?dns}", names.ReasonForm, 0},
		{"//evil.test/{?dns}", names.ReasonForm, 0},
		{"https://evil.test/{?dns}", names.ReasonForm, 0},
		{"/dns-query", names.ReasonForm, 10},
		{"/dns-query{?dnsx}", names.ReasonForm, 17},
		{"/dns-query{?dns", names.ReasonForm, 10},
		{"/dns-query{}", names.ReasonForm, 10},
		{"/dns-query{??dns}", names.ReasonForm, 10},
		{"/dns-query{dns,}", names.ReasonForm, 10},
		{"/dns-query{$(id)}", names.ReasonForm, 10},
		{"/dns-query{{dns}}", names.ReasonForm, 10},
		{"/dns-query{dns}}", names.ReasonCharacter, 15},
		{"/a#{dns}", names.ReasonCharacter, 2},
		{"/a b{dns}", names.ReasonCharacter, 2},
		{"/a%0a{dns}", names.ReasonEscape, 2},
		{"/" + strings.Repeat("a", 250) + "{dns}", names.ReasonTooLong, names.MaxTemplate},
	} {
		v, err := names.ParseTemplate(c.s)
		wantError(t, err, c.reason, c.offset)
		if !v.IsZero() {
			t.Errorf("%q became %q with an error", c.s, v)
		}
	}
}
