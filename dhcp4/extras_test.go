package dhcp4

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/option"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// leaseWith returns the lease of an ACK that change adds options to.
func leaseWith(t *testing.T, change func(b *wire.Builder)) *Lease {
	t.Helper()
	w := newWorld(t, nil)
	begin(w)
	w.reply(w.newReply(wire.Offer))
	r := w.newReply(wire.ACK)
	r.change = change
	message := r.bytes()
	w.tell(Datagram{Message: message, From: testServer, Link: testLink})
	// The buffer is the caller's again, and a lease keeps nothing of it.
	for i := range message {
		message[i] = 0xff
	}
	l, ok := w.c.Lease()
	if !ok {
		t.Fatalf("no lease: %v", w.out)
	}
	return l
}

func TestExtras(t *testing.T) {
	t.Parallel()
	a := netip.MustParseAddr
	const dnr = "\x00\x13\x00\x01\x0b\x03dns\x05local\x00\x04\x0a\x4d\x00\x35"
	for name, c := range map[string]struct {
		option wire.OptionCode
		value  string
		get    func(*Extras) any
		want   any // nil: no extras at all
	}{
		"wins":               {wire.OptionNetBIOSNameServer, "\x09\x09\x09\x08", func(e *Extras) any { return e.WINS }, []netip.Addr{a("9.9.9.8")}},
		"wins of nobody":     {wire.OptionNetBIOSNameServer, "\x00\x00\x00\x00", nil, nil},
		"wins cut":           {wire.OptionNetBIOSNameServer, "\x09\x09\x09", nil, nil},
		"ntp":                {wire.OptionNTP, "\x0a\x4d\x00\x01\x00\x00\x00\x00", func(e *Extras) any { return e.NTP }, []netip.Addr{a("10.77.0.1")}},
		"zone":               {wire.OptionTZDatabase, "Europe/Paris", func(e *Extras) any { return e.Zone.String() }, "Europe/Paris"},
		"zone with NUL":      {wire.OptionTZDatabase, "Europe/Paris\x00", func(e *Extras) any { return e.Zone.String() }, "Europe/Paris"},
		"zone as a path":     {wire.OptionTZDatabase, "../../etc/passwd", nil, nil},
		"POSIX zone":         {wire.OptionPOSIXTimezone, "EST5EDT4,M3.2.0/02:00,M11.1.0/02:00", func(e *Extras) any { return e.POSIXZone.String() }, "EST5EDT4,M3.2.0/02:00,M11.1.0/02:00"},
		"POSIX zone, a path": {wire.OptionPOSIXTimezone, ":/etc/passwd", nil, nil},
		"offset":             {wire.OptionTimeOffset, "\xff\xff\xb9\xb0", func(e *Extras) any { return e.Offset }, -5 * time.Hour},
		"offset 0":           {wire.OptionTimeOffset, "\x00\x00\x00\x00", func(e *Extras) any { return e.HasOffset }, true},
		"offset of a day":    {wire.OptionTimeOffset, "\x00\x01\x51\x80", func(e *Extras) any { return e.Offset }, 24 * time.Hour},
		"offset of more":     {wire.OptionTimeOffset, "\x00\x01\x51\x81", nil, nil},
		"offset cut":         {wire.OptionTimeOffset, "\x00\x01", nil, nil},
		"SIP domains":        {wire.OptionSIPServers, "\x00\x03sip\x04test\x00", func(e *Extras) any { return e.SIPDomains[0].String() }, "sip.test"},
		"SIP servers":        {wire.OptionSIPServers, "\x01\x0a\x4d\x00\x05\xe0\x00\x00\x01", func(e *Extras) any { return e.SIPServers }, []netip.Addr{a("10.77.0.5")}},
		"SIP, nobody":        {wire.OptionSIPServers, "\x01\xe0\x00\x00\x01", nil, nil},
		"portal":             {wire.OptionCaptivePortal, "https://portal.test/api", func(e *Extras) any { return e.CaptivePortal.String() }, "https://portal.test/api"},
		"no portal":          {wire.OptionCaptivePortal, "urn:ietf:params:capport:unrestricted", func(e *Extras) any { return e.NoCaptivePortal && e.CaptivePortal.IsZero() }, true},
		"portal, a script":   {wire.OptionCaptivePortal, "javascript:alert(1)", nil, nil},
		"wpad":               {wire.OptionWPAD, "http://wpad.test/wpad.dat\n\x00", func(e *Extras) any { return e.WPAD.String() }, "http://wpad.test/wpad.dat"},
		"wpad of a file":     {wire.OptionWPAD, "file:///etc/passwd", nil, nil},
		"resolver":           {wire.OptionDNR, dnr, func(e *Extras) any { return e.Resolvers[0].Name.String() }, "dns.local"},
		"resolver cut":       {wire.OptionDNR, dnr[:12], nil, nil},
		"fqdn":               {wire.OptionClientFQDN, "\x05\xff\xff\x03web\x04test\x00", func(e *Extras) any { return e.FQDN.Name.String() }, "web.test"},
		"fqdn for a shell":   {wire.OptionClientFQDN, "\x00\x00\x00$(reboot)", nil, nil},
		"vendor":             {wire.OptionVIVendorOptions, "\x00\x00\x0d\xe9\x04\x01\x02hi", func(e *Extras) any { return e.Vendors }, []wire.VendorOptions{{Enterprise: 3561, Options: []wire.SubOption{{Code: 1, Value: []byte("hi")}}}}},
		"vendor cut":         {wire.OptionVIVendorOptions, "\x00\x00\x0d\xe9\x05\x01\x02hi", nil, nil},
		"option 43":          {wire.OptionVendorSpecific, "\x01\x02\x00\xff", func(e *Extras) any { return e.Other }, []Option{{43, []byte{1, 2, 0, 255}}}},
		"empty option 224":   {224, "", func(e *Extras) any { return e.Other }, []Option{{224, []byte{}}}},
		"in pieces": {
			66, strings.Repeat("a", 300), func(e *Extras) any { return e.Other },
			[]Option{{66, bytes.Repeat([]byte("a"), 300)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := leaseWith(t, func(b *wire.Builder) { b.AddOption(c.option, []byte(c.value)) })
			if c.want == nil {
				if l.More != nil {
					t.Errorf("%+v", l.More)
				}
				return
			}
			if l.More == nil {
				t.Fatal("nothing")
			}
			if got := c.get(l.More); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// An ordinary lease has no extras, whatever the protocol's own options are.
func TestExtrasAreRare(t *testing.T) {
	t.Parallel()
	l := leaseWith(t, func(b *wire.Builder) {
		for n, row := range option.All() {
			code := wire.OptionCode(n)
			if row.Use == option.Client && code != wire.OptionMessageType && code != wire.OptionClientID && code != wire.OptionOverload {
				b.AddOption(code, []byte{1})
			}
		}
	})
	if l.More != nil {
		t.Errorf("%+v", l.More)
	}
}

// Other options come in the order of their codes, and no server fills the memory.
func TestOtherOptions(t *testing.T) {
	t.Parallel()
	l := leaseWith(t, func(b *wire.Builder) {
		b.AddOption(230, make([]byte, 1000))
		b.AddOption(67, []byte("boot"))
		for code := wire.OptionCode(231); code < 250; code++ {
			if code != wire.OptionMSClasslessRoutes {
				b.AddOption(code, make([]byte, 1000))
			}
		}
		b.AddOption(250, []byte("end"))
	})
	total := 0
	var codes []wire.OptionCode
	for _, o := range l.More.Other {
		total += len(o.Value)
		codes = append(codes, o.Code)
	}
	if want := []wire.OptionCode{67, 230, 231, 232, 233, 250}; total > maxOther || !reflect.DeepEqual(codes, want) {
		t.Errorf("%d bytes, %v", total, codes)
	}
}

// RFC 3442's option counts, and Microsoft's only where it is not there.
func TestMicrosoftRoutes(t *testing.T) {
	t.Parallel()
	ms := []byte{8, 10, 10, 77, 0, 9}
	only := leaseWith(t, func(b *wire.Builder) { b.AddOption(wire.OptionMSClasslessRoutes, ms) })
	if want := []Route{{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParseAddr("10.77.0.9")}}; !reflect.DeepEqual(only.Routes, want) {
		t.Errorf("%v, want %v", only.Routes, want)
	}
	both := leaseWith(t, func(b *wire.Builder) {
		b.AddOption(wire.OptionMSClasslessRoutes, ms)
		b.AddOption(wire.OptionClasslessRoutes, []byte{16, 172, 16, 10, 77, 0, 8})
	})
	if want := []Route{{netip.MustParsePrefix("172.16.0.0/16"), netip.MustParseAddr("10.77.0.8")}}; !reflect.DeepEqual(both.Routes, want) {
		t.Errorf("%v, want %v", both.Routes, want)
	}
	bad := leaseWith(t, func(b *wire.Builder) {
		b.AddOption(wire.OptionMSClasslessRoutes, ms)
		b.AddOption(wire.OptionClasslessRoutes, []byte{33})
	})
	if bad.Routes != nil {
		t.Errorf("a malformed option 121 was replaced: %v", bad.Routes)
	}
}
