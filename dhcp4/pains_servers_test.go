package dhcp4

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// What servers do to clients, and what other clients did then.

// A server that knows nothing of rapid commit, but copies option 80 into its
// OFFER, is answered with a REQUEST (systemd#29904: the OFFER was refused).
func TestPain_systemd29904_OfferWithRapidCommit(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		w := newWorld(t, func(cfg *Config) { cfg.RapidCommit = asked })
		begin(w)
		r := w.newReply(wire.Offer)
		r.change = func(b *wire.Builder) { b.AddOption(wire.OptionRapidCommit, nil) }
		if w.reply(r); len(w.sent()) != 1 || w.sent()[0].Type != wire.Request {
			t.Errorf("rapid commit %v: the OFFER comes to %v", asked, w.out)
		}
		if w.reply(w.newReply(wire.ACK)); w.c.State() != StateBound {
			t.Errorf("rapid commit %v: in %v", asked, w.c.State())
		}
	}
}

// A server that does not answer a DISCOVER with option 80 costs one retry, about
// a second (systemd#31117: no address at all); and the option can be off.
func TestPain_systemd31117_SilentOnRapidCommit(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		w := newWorld(t, func(cfg *Config) { cfg.RapidCommit = asked })
		begin(w)
		at, discovers := w.now, 0
		for w.c.State() == StateSelecting {
			p, err := wire.Parse(w.sent()[0].Message)
			if err != nil {
				t.Fatal(err)
			}
			discovers++
			if _, has := p.Option(wire.OptionRapidCommit); has {
				w.wait()
				continue
			}
			w.reply(w.newReply(wire.Offer))
			w.reply(w.newReply(wire.ACK))
		}
		if took := w.now.Sub(at); w.c.State() != StateBound || took > 1250*time.Millisecond {
			t.Errorf("rapid commit %v: in %v after %v", asked, w.c.State(), took)
		}
		if want := map[bool]int{false: 1, true: 2}[asked]; discovers != want {
			t.Errorf("rapid commit %v: %d DISCOVERs, want %d", asked, discovers, want)
		}
	}
}

// A message that is cut off anywhere, or whose options lie about their length,
// does not crash the client in any state; the good one after it is taken
// (n-dhcp4#53, insomniacslk#507).
func TestPain_ndhcp4_53_ShortMessages(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(situations)) {
		w := newWorld(t, nil)
		situations[name](w)
		for _, typ := range []wire.MessageType{wire.Offer, wire.ACK, wire.NAK} {
			good := w.newReply(typ).bytes()
			for n := range good {
				if n >= 300 && n < len(good)-1 {
					continue // padding
				}
				w := newWorld(t, nil)
				situations[name](w)
				w.tell(Datagram{Message: good[:n], From: testServer, Link: testLink})
				if _, taken := find[Acquired](w.out); taken && n < 255 {
					t.Fatalf("%s: %v of %d bytes gave a lease", name, typ, n)
				}
			}
			for i := 240; i < 280; i++ { // each byte of the options is a wrong length once
				for _, v := range []byte{0, 1, 255} {
					w := newWorld(t, nil)
					situations[name](w)
					bad := slices.Clone(good)
					bad[i] = v
					w.tell(Datagram{Message: bad, From: testServer, Link: testLink})
				}
			}
		}
	}
	w := newWorld(t, nil)
	begin(w)
	for _, typ := range []wire.MessageType{wire.Offer, wire.ACK} {
		good := w.newReply(typ).bytes()
		for n := range 241 {
			w.tell(Datagram{Message: good[:n], From: testServer, Link: testLink})
		}
		w.tell(Datagram{Message: good, From: testServer, Link: testLink})
	}
	if w.c.State() != StateBound {
		t.Errorf("the good messages after the short ones are not taken: in %v", w.c.State())
	}
}

// Strings of a server that mean something to a shell, a configuration file, a
// lease file or a terminal never become part of the lease, whatever option
// they come in; the lease itself is not lost for them (FreeBSD CVE-2026-42511,
// Shellshock, NetworkManager CVE-2026-10805).
func TestPain_CVE_2026_42511_ServerStrings(t *testing.T) {
	t.Parallel()
	evil := []string{
		"() { :;}; reboot", "$(reboot)", "`reboot`", "a;reboot", "a|reboot", "a&reboot", "a>b", "a b", "a\tb", "a\nnameserver 6.6.6.6",
		"a\r\noptions x", "a\"b", "a'b", "a\\b", "a\x00b", "a\x1b[2Jb", "a{b", "a}\nlease {", "../../etc/passwd", "/etc/passwd", "a#b", "a%sb",
		"-rf", "a..b", "\xff\xfe", "a\u202eb", strings.Repeat("a", 64) + ".b", strings.Repeat("a.", 127) + "b", "*", "~", "!", "a=b", "a<b",
	}
	labels := func(s string) []byte { // as option 119 has names, whatever is in them
		var v []byte
		for part := range strings.SplitSeq(s, ".") {
			if len(part) > 63 {
				part = part[:63]
			}
			v = append(append(v, byte(len(part))), part...)
		}
		return append(v, 0)
	}
	for _, s := range evil {
		w := newWorld(t, nil)
		begin(w)
		w.reply(w.newReply(wire.Offer))
		r := w.newReply(wire.ACK)
		r.change = func(b *wire.Builder) {
			for _, code := range []wire.OptionCode{
				wire.OptionHostName, wire.OptionDomainName, wire.OptionMessage, wire.OptionRootPath, wire.OptionTFTPServer,
				wire.OptionBootFile, wire.OptionNISDomain, 100, 101, 114, 252,
			} {
				b.AddText(code, s)
			}
			b.AddOption(wire.OptionDomainSearch, labels(s))
			b.SetServerName(s)
			b.SetFile(s)
		}
		w.reply(r)
		l, ok := w.c.Lease()
		if !ok {
			t.Errorf("%q: the lease is lost: %v", s, w.out)
			continue
		}
		checkStrings(t, s, reflect.ValueOf(l).Elem())
		got, _ := find[Received](w.out)
		checkPrintable(t, s, got.Text.String())
	}
}

// checkStrings looks at every string in a value, and at what every typed string says.
func checkStrings(t *testing.T, evil string, v reflect.Value) {
	t.Helper()
	if v.CanInterface() {
		switch name := v.Interface().(type) {
		case names.Host:
			checkName(t, evil, name.String())
			return
		case names.Domain:
			checkName(t, evil, name.String())
			return
		case netip.Addr, netip.Prefix:
			return
		case fmt.Stringer:
			if v.Type().PkgPath() == "github.com/lessee/lessee/names" {
				checkPrintable(t, evil, name.String())
				return
			}
		}
	}
	switch v.Kind() { //nolint:exhaustive // The others hold no string.
	case reflect.String:
		checkPrintable(t, evil, v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			checkStrings(t, evil, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkStrings(t, evil, v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			checkStrings(t, evil, v.Elem())
		}
	}
}

// checkName checks that a name has the characters of one, and is no option of a command.
func checkName(t *testing.T, evil, name string) {
	t.Helper()
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._", c) {
			t.Errorf("%q: the lease has the name %q", evil, name)
			return
		}
	}
	if strings.HasPrefix(name, "-") || len(name) > 253 {
		t.Errorf("%q: the lease has the name %q", evil, name)
	}
}

// checkPrintable checks that a text does nothing to a terminal.
func checkPrintable(t *testing.T, evil, text string) {
	t.Helper()
	for _, c := range text {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar {
			t.Errorf("%q: the text %q", evil, text)
			return
		}
	}
}

// What a client asks for in RENEWING and after a reboot: ciaddr is its address
// and the server is asked itself (talos#3366, #7263), and a lease that is known
// is asked for by its address (talos#10086).
func TestPain_talos3366_RenewingRequest(t *testing.T) {
	t.Parallel()
	request := func(w *world) (Transmit, wire.Packet) {
		t.Helper()
		sent := w.sent()
		if len(sent) != 1 || sent[0].Type != wire.Request {
			t.Fatalf("in %v: %v", w.c.State(), w.out)
		}
		p, err := wire.Parse(sent[0].Message)
		if err != nil {
			t.Fatal(err)
		}
		return sent[0], p
	}
	w := newWorld(t, nil)
	w.bind()
	for w.wait(); w.c.State() == StateRenewing || w.c.State() == StateRebinding; w.wait() {
		if len(w.sent()) == 0 {
			continue
		}
		sent, p := request(w)
		to := map[State]netip.Addr{StateRenewing: testServer, StateRebinding: broadcast}[w.c.State()]
		if p.ClientAddr() != testAddr || sent.Source != testAddr || sent.Destination != to {
			t.Errorf("in %v: from %v to %v, ciaddr %v", w.c.State(), sent.Source, sent.Destination, p.ClientAddr())
		}
	}
	w = newWorld(t, nil)
	w.tell(Start{Lease: w.oldLease()})
	w.tell(LinkUp{})
	_, p := request(w)
	if a, ok := p.Addr(wire.OptionRequestedAddress); !ok || a != testAddr || p.ClientAddr() != unspecified {
		t.Errorf("after a reboot: option 50 is %v, ciaddr %v", a, p.ClientAddr())
	}
	// Also where nobody confirms it: the search begins with the old address as a wish.
	for w.c.State() != StateSelecting {
		w.wait()
	}
	p, err := wire.Parse(w.sent()[0].Message)
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := p.Addr(wire.OptionRequestedAddress); a != testAddr {
		t.Errorf("the DISCOVER asks for %v", a)
	}
}

// After a suspend the client does at once what was due meanwhile: it renews,
// rebinds, or gives the address up (incus#1479, dhcpcd#596).
func TestPain_incus1479_WakeChecksAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asleep time.Duration
		state  State
		lost   bool
	}{
		{20 * time.Minute, StateBound, false},
		{40 * time.Minute, StateRenewing, false},
		{57 * time.Minute, StateRebinding, false},
		{61 * time.Minute, StateSelecting, true},
		{72 * time.Hour, StateSelecting, true},
	} {
		w := newWorld(t, nil)
		w.bind()
		w.now = w.now.Add(c.asleep)
		w.tell(Timeout{})
		_, lost := find[Lost](w.out)
		if w.c.State() != c.state || lost != c.lost || len(w.sent()) == 0 && c.state != StateBound {
			t.Errorf("after %v: in %v, %v", c.asleep, w.c.State(), w.out)
		}
	}
}
