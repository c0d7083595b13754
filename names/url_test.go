package names_test

import (
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"http://a", "https://portal.example/", "HTTPS://portal.example:8443/api?x=1&y=a,b+c#top",
		"http://10.0.0.1/wpad.dat", "http://[2001:db8::1]:80/", "http://[::1]", "http://a?q=/?", "https://a/%24%C3%A9~-._@:",
		"http://a/" + strings.Repeat("b", names.MaxURL-9),
	} {
		if u, err := names.ParseURL(s); err != nil || u.String() != s || u.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, c := range []struct {
		s      string
		reason names.Reason
		offset int
	}{
		{"", names.ReasonEmpty, 0},
		{"http://a/" + strings.Repeat("b", names.MaxURL), names.ReasonTooLong, names.MaxURL},
		{"ftp://a/", names.ReasonScheme, 0},
		{"file:///etc/passwd", names.ReasonScheme, 0},
		{"//a/", names.ReasonScheme, 0},
		{"/etc/passwd", names.ReasonScheme, 0},
		{"http:/a", names.ReasonScheme, 0},
		{"javascript:alert(1)", names.ReasonScheme, 0},
		{"urn:ietf:params:capport:unrestricted", names.ReasonScheme, 0},
		{" http://a", names.ReasonScheme, 0},
		{"http://root:pw@a/", names.ReasonUserinfo, 14},
		{"http://", names.ReasonHost, 7},
		{"http:///a", names.ReasonHost, 7},
		{"http://a_b/", names.ReasonHost, 7},
		{"http://10.0.0.256/", names.ReasonHost, 7},
		{"http://a%41/", names.ReasonHost, 7},
		{"http://[10.0.0.1]/", names.ReasonHost, 7},
		{"http://[fe80::1%25eth0]/", names.ReasonHost, 7},
		{"http://[::1/", names.ReasonHost, 7},
		{"http://[::1]x/", names.ReasonHost, 12},
		{"http://a:/", names.ReasonPort, 9},
		{"http://a:0/", names.ReasonPort, 9},
		{"http://a:65536/", names.ReasonPort, 9},
		{"http://a:+80/", names.ReasonPort, 9},
		{"http://[::1]:x", names.ReasonPort, 13},
		{"http://a/ b", names.ReasonCharacter, 9},
		{"http://a/\n", names.ReasonCharacter, 9},
		{"http://a/\x1b[0m", names.ReasonCharacter, 9},
		{"http://a/$(id)", names.ReasonCharacter, 9},
		{"http://a/;id", names.ReasonCharacter, 9},
		{"http://a/\\b", names.ReasonCharacter, 9},
		{"http://a/\xc3\xa9", names.ReasonCharacter, 9},
		{"http://a/#a#b", names.ReasonCharacter, 11},
		{"http://a/%", names.ReasonEscape, 9},
		{"http://a/%4", names.ReasonEscape, 9},
		{"http://a/%zz", names.ReasonEscape, 9},
		{"http://a/%+1", names.ReasonEscape, 9},
		{"http://a/%0a", names.ReasonEscape, 9},
		{"http://a/%7f", names.ReasonEscape, 9},
	} {
		u, err := names.ParseURL(c.s)
		wantError(t, err, c.reason, c.offset)
		if !u.IsZero() {
			t.Errorf("%q became %q with an error", c.s, u)
		}
	}
}
