package names_test

import (
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
)

func TestParseZone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"UTC", "Europe/Paris", "Etc/GMT+5", "Etc/GMT-14", "America/Argentina/ComodRivadavia", "America/Port-au-Prince", "EST5EDT", "W-SU"} {
		if z, err := names.ParseZone(s); err != nil || z.String() != s || z.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, c := range []struct {
		s      string
		reason names.Reason
		offset int
	}{
		{"", names.ReasonEmpty, 0},
		{"/etc/passwd", names.ReasonEmpty, 0},
		{"Europe/", names.ReasonEmpty, 7},
		{"Europe//Paris", names.ReasonEmpty, 7},
		{"..", names.ReasonCharacter, 0},
		{"../../etc/passwd", names.ReasonCharacter, 0},
		{"Europe/../../../etc/passwd", names.ReasonCharacter, 7},
		{"zone.tab", names.ReasonCharacter, 4},
		{":Europe/Paris", names.ReasonCharacter, 0},
		{"-x", names.ReasonCharacter, 0},
		{"5", names.ReasonCharacter, 0},
		{"Europe/Paris\n", names.ReasonCharacter, 12},
		{"$(id)", names.ReasonCharacter, 0},
		{strings.Repeat("a", 33), names.ReasonTooLong, 32},
		{strings.Repeat("a/", 33), names.ReasonTooLong, names.MaxZone},
	} {
		z, err := names.ParseZone(c.s)
		wantError(t, err, c.reason, c.offset)
		if !z.IsZero() {
			t.Errorf("%q became %q with an error", c.s, z)
		}
	}
}

func TestParsePOSIXZone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		// RFC 4833, section 2.
		"EST5EDT4,M3.2.0/02:00,M11.1.0/02:00",
		"UTC0", "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30<+0430>,J79/24,J263/24",
		"NZST-12:00:00NZDT-13:00:00,M10.1.0,M3.3.0", "AAA+24", "IST-1GMT0,M10.5.0,M3.5.0/1", "EST5EDT,0/0,J365/25",
		"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "XXX3EDT4,M1.1.0/167:59:59,365",
	} {
		if z, err := names.ParsePOSIXZone(s); err != nil || z.String() != s || z.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, c := range []struct {
		s      string
		reason names.Reason
		offset int
	}{
		{"", names.ReasonEmpty, 0},
		{":Europe/Paris", names.ReasonForm, 0},
		{"/etc/passwd", names.ReasonForm, 0},
		{"ES5", names.ReasonForm, 2},
		{"EST", names.ReasonForm, 3},
		{"<ES>5", names.ReasonForm, 4},
		{"<EST5", names.ReasonForm, 5},
		{"<E T>5", names.ReasonForm, 2},
		{"EST25", names.ReasonRange, 5},
		{"EST5:60", names.ReasonRange, 7},
		{"EST5:", names.ReasonForm, 5},
		{"EST5:00:00:00", names.ReasonForm, 10},
		{"EST1234", names.ReasonRange, 6},
		{"EST5,M3.2.0,M11.1.0", names.ReasonForm, 4},
		{"EST5ED", names.ReasonForm, 6},
		{"EST5EDT,", names.ReasonForm, 8},
		{"EST5EDT,M3.2.0", names.ReasonForm, 14},
		{"EST5EDT,M3.2.0,", names.ReasonForm, 15},
		{"EST5EDT,M3.2.0,M11.1.0,", names.ReasonForm, 22},
		{"EST5EDT,M13.2.0,M11.1.0", names.ReasonRange, 11},
		{"EST5EDT,M3.6.0,M11.1.0", names.ReasonRange, 12},
		{"EST5EDT,M3.2.7,M11.1.0", names.ReasonRange, 14},
		{"EST5EDT,M3-2,M11.1.0", names.ReasonForm, 10},
		{"EST5EDT,J0,J1", names.ReasonRange, 10},
		{"EST5EDT,366,J1", names.ReasonRange, 11},
		{"EST5EDT,J1/168,J2", names.ReasonRange, 14},
		{"EST5\nEDT", names.ReasonForm, 4},
		{"EST5$(id)", names.ReasonForm, 4},
		{strings.Repeat("E", 33) + "5", names.ReasonTooLong, 33},
		{strings.Repeat("E", 129), names.ReasonTooLong, names.MaxPOSIXZone},
	} {
		z, err := names.ParsePOSIXZone(c.s)
		wantError(t, err, c.reason, c.offset)
		if !z.IsZero() {
			t.Errorf("%q became %q with an error", c.s, z)
		}
	}
}
