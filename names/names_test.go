package names_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lessee/lessee/names"
)

// A kind is one of the package's types, as the tests see it.
type kind struct {
	name string
	max  int
	// allowed are the characters besides letters and digits that it may have.
	allowed string
	parse   func(string) (fmt.Stringer, error)
	// empty is a pointer to a none of the type.
	empty func() encoding.TextUnmarshaler
	good  string
}

func parser[T fmt.Stringer](parse func(string) (T, error)) func(string) (fmt.Stringer, error) {
	return func(s string) (fmt.Stringer, error) { return parse(s) }
}

var kinds = []kind{
	{"Host", names.MaxName, "-.", parser(names.ParseHost), func() encoding.TextUnmarshaler { return new(names.Host) }, "web.lab.test"},
	{"Domain", names.MaxName, "-._", parser(names.ParseDomain), func() encoding.TextUnmarshaler { return new(names.Domain) }, "_sip.lab.test"},
	{"URL", names.MaxURL, "-._~&+,=:@/?#%[]", parser(names.ParseURL), func() encoding.TextUnmarshaler { return new(names.URL) }, "https://a.test/b?c=1&d=%20"},
	{"Zone", names.MaxZone, "+-_/", parser(names.ParseZone), func() encoding.TextUnmarshaler { return new(names.Zone) }, "Europe/Paris"},
	{"POSIXZone", names.MaxPOSIXZone, "+-:,./<>", parser(names.ParsePOSIXZone), func() encoding.TextUnmarshaler { return new(names.POSIXZone) }, "<+03>-3<+04>,M3.5.0/2:00,J300"},
	{"Token", names.MaxToken, "-._/+", parser(names.ParseToken), func() encoding.TextUnmarshaler { return new(names.Token) }, "http/1.1"},
	{"Template", names.MaxTemplate, "-._~&+,=:@/?%{}", parser(names.ParseTemplate), func() encoding.TextUnmarshaler { return new(names.Template) }, "/dns-query{?dns}"},
	{"Text", names.MaxText, " !#%'()*+,-./:;=?@[]^_~", parser(names.ParseText), func() encoding.TextUnmarshaler { return new(names.Text) }, "wrong network"},
}

// Hostile are strings that no type may pass on.
var hostile = []string{
	"() { :; }; /bin/sh -c 'id'", "() { _; } >_[$($())] { id; }", "a\nnameserver 10.6.6.6", "a\r\nb", "a\x1b[2J", "a\x1b]0;x\x07",
	"a\x00b", "\xc0\xae\xc0\xae\xc0\xaf", "\xe2\x80\xae", "$(id)", "`id`", "a\\", "\"a\"", "a\x7f", "a\x85", "\xff",
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		for _, s := range hostile {
			if v, err := k.parse(s); err == nil {
				t.Errorf("%s took %q as %q", k.name, s, v)
			} else if strings.ContainsAny(err.Error(), "\n\r\x1b\x00$`") {
				t.Errorf("%s: the error has the string in it: %q", k.name, err)
			}
		}
	}
}

// A value survives text and JSON; a file with another does not get in.
func TestMarshal(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		v, err := k.parse(k.good)
		if err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		into := k.empty()
		if err := json.Unmarshal(b, into); err != nil || fmt.Sprint(into) != k.good {
			t.Errorf("%s: %s became %v, %v", k.name, b, into, err)
		}
		for _, s := range append(hostile, strings.Repeat("a", k.max+1)) {
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, into); err == nil {
				t.Errorf("%s: %s was read as %v", k.name, b, into)
			}
			if fmt.Sprint(into) != k.good {
				t.Fatalf("%s: %s left %v behind", k.name, b, into)
			}
		}
		if err := into.UnmarshalText(nil); err != nil || fmt.Sprint(into) != "" {
			t.Errorf("%s: nothing became %v, %v", k.name, into, err)
		}
	}
}

// omitzero leaves none out.
func TestOmitZero(t *testing.T) {
	t.Parallel()
	var all struct {
		H names.Host      `json:"h,omitzero"`
		D names.Domain    `json:"d,omitzero"`
		U names.URL       `json:"u,omitzero"`
		Z names.Zone      `json:"z,omitzero"`
		P names.POSIXZone `json:"p,omitzero"`
		T names.Text      `json:"t,omitzero"`
		O names.Token     `json:"o,omitzero"`
		M names.Template  `json:"m,omitzero"`
	}
	if b, err := json.Marshal(all); err != nil || string(b) != "{}" {
		t.Errorf("%s, %v", b, err)
	}
}

// FuzzNames: what any Parse accepts is within its length, has no character
// beyond those that its type needs, and survives a second reading.
func FuzzNames(f *testing.F) {
	for _, k := range kinds {
		f.Add(k.good)
	}
	for _, s := range hostile {
		f.Add(s)
	}
	for _, s := range []string{"a.b.", "10.0.0.1", "http://[::1]:80/?a#b", "EST5EDT4,M3.2.0/02:00,M11.1.0/02:00", "../../etc/passwd", ":a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range kinds {
			v, err := k.parse(s)
			if err != nil {
				if v.String() != "" {
					t.Fatalf("%s: %q with an error", k.name, v)
				}
				continue
			}
			got := v.String()
			if got != s && got+"." != s || got == "" || len(got) > k.max {
				t.Fatalf("%s: %q became %q", k.name, s, got)
			}
			for i := range len(got) {
				c := got[i]
				if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(k.allowed, c) >= 0) {
					t.Fatalf("%s: %q has %q", k.name, got, c)
				}
			}
			if k.name != "Text" && k.name != "URL" && k.name != "Template" && (got[0] == '/' || got[0] == '-' || strings.Contains(got, "..")) {
				t.Fatalf("%s: %q has a meaning as a path or an option", k.name, got)
			}
			if again, err := k.parse(got); err != nil || again != v {
				t.Fatalf("%s: %q became %q, %v", k.name, got, again, err)
			}
			into := k.empty()
			if err := into.UnmarshalText([]byte(got)); err != nil || fmt.Sprint(into) != got {
				t.Fatalf("%s: %q became %v, %v", k.name, got, into, err)
			}
		}
		if c := names.CleanText(s); c.IsZero() != (s == "") || len(c.String()) != min(len(s), names.MaxText) {
			t.Fatalf("%q became %q", s, c)
		} else if again, err := names.ParseText(c.String()); s != "" && (err != nil || again != c) {
			t.Fatalf("%q became %q, %v", s, c, err)
		}
	})
}
