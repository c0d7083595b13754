package names_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
)

// wantError fails unless err is what a Parse function of this package returns.
func wantError(t *testing.T, err error, reason names.Reason, offset int) {
	t.Helper()
	var e *names.Error
	if !errors.As(err, &e) || e.Reason != reason || e.Offset != offset || e.Kind == "" {
		t.Errorf("error is %v, want %q at byte %d", err, reason, offset)
	}
}

func TestParseHost(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, strings.Repeat("b", 61)}, ".")
	for _, s := range []string{"a", "A1", "3com.example", "host-1.lab.test", "x--y", "1.2.3", "1.2.3.4.5", "a.1.2.3", label, long} {
		h, err := names.ParseHost(s)
		if err != nil || h.String() != s || h.IsZero() {
			t.Errorf("%q: %q, %v", s, h, err)
		}
		if d, err := names.ParseDomain(s); err != nil || d.String() != s {
			t.Errorf("%q as a domain: %q, %v", s, d, err)
		}
	}
	for _, c := range []struct {
		s      string
		reason names.Reason
		offset int
	}{
		{"", names.ReasonEmpty, 0},
		{".", names.ReasonEmpty, 0},
		{".a", names.ReasonEmpty, 0},
		{"a.", names.ReasonEmpty, 2},
		{"a..b", names.ReasonEmpty, 2},
		{"-a", names.ReasonHyphen, 0},
		{"a-", names.ReasonHyphen, 1},
		{"a.b-.c", names.ReasonHyphen, 3},
		{"-", names.ReasonHyphen, 0},
		{label + "a", names.ReasonTooLong, 63},
		{"a." + label + "a.b", names.ReasonTooLong, 65},
		{long + "c", names.ReasonTooLong, names.MaxName},
		{"a b", names.ReasonCharacter, 1},
		{"a/b", names.ReasonCharacter, 1},
		{"a\nb", names.ReasonCharacter, 1},
		{"a\x00", names.ReasonCharacter, 1},
		{"h\xc3\xb6st", names.ReasonCharacter, 1},
		{"a_b", names.ReasonCharacter, 1},
		{"() { :; }; reboot", names.ReasonCharacter, 0},
		{"10.0.0.1", names.ReasonAddress, 0},
		{"010.0.0.1", names.ReasonAddress, 0},
		{"1.2.3.999", names.ReasonAddress, 0},
	} {
		h, err := names.ParseHost(c.s)
		wantError(t, err, c.reason, c.offset)
		if !h.IsZero() {
			t.Errorf("%q became %q with an error", c.s, h)
		}
	}
}

func TestParseDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"lab.test.":      "lab.test",
		"_sip._udp.test": "_sip._udp.test",
		"a_b":            "a_b",
	} {
		if d, err := names.ParseDomain(in); err != nil || d.String() != want {
			t.Errorf("%q: %q, %v", in, d, err)
		}
	}
	_, err := names.ParseDomain("a..")
	wantError(t, err, names.ReasonEmpty, 2)
	_, err = names.ParseDomain(".")
	wantError(t, err, names.ReasonEmpty, 0)
}

func TestHostParts(t *testing.T) {
	t.Parallel()
	h, err := names.ParseHost("web.lab.test")
	if err != nil {
		t.Fatal(err)
	}
	if !h.Qualified() || h.Label().String() != "web" || h.Label().Qualified() || h.Label().Label() != h.Label() {
		t.Errorf("%q, %q", h, h.Label())
	}
	d, err := names.ParseDomain("web.lab.test.")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := d.Host(); !ok || got != h {
		t.Errorf("%q, %v", got, ok)
	}
	d, _ = names.ParseDomain("_a.test")
	if got, ok := d.Host(); ok || !got.IsZero() {
		t.Errorf("%q, %v", got, ok)
	}
}
