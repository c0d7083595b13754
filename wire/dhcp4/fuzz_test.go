package dhcp4_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/wire/dhcp4"
)

// seed adds the captures and some messages that are odd in their structure.
func seed(f *testing.F) {
	f.Helper()
	for _, name := range captures(f) {
		f.Add(loadMessage(f, name))
	}
	f.Add(raw())
	f.Add(raw(53, 1, 5, 51))
	f.Add(raw(52, 1, 3, 53, 1, 5, 43, 0, 43, 2, 1, 2))
	f.Add(with(raw(52, 1, 3, 255), func(b []byte) {
		copy(b[44:], []byte{12, 1, 'a', 52, 1, 1, 255})
		copy(b[108:], []byte{12, 1, 'b', 0, 0, 53, 1, 2})
	}))
}

// checkError fails unless err is what a parser of n bytes may return.
func checkError(t *testing.T, err error, n int) {
	t.Helper()
	var e *dhcp4.Error
	if !errors.As(err, &e) || strings.HasPrefix(e.Reason.String(), "reason ") || e.Offset < 0 || e.Offset > n {
		t.Fatalf("%v for %d bytes", err, n)
	}
}

// FuzzParse: nothing panics, and the getters agree with each other.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		p, err := dhcp4.Parse(b)
		if err != nil {
			checkError(t, err, len(b))
			return
		}
		joined := map[dhcp4.OptionCode][]byte{}
		total := 0
		for code, v := range p.Options() {
			if code == dhcp4.OptionPad || code == dhcp4.OptionEnd {
				t.Fatalf("%v among the options", code)
			}
			joined[code] = append(joined[code], v...)
			total += 2 + len(v)
		}
		if total > len(b) {
			t.Fatalf("options of %d bytes in a message of %d", total, len(b))
		}
		for code := range 256 {
			code := dhcp4.OptionCode(code)
			want, present := joined[code]
			got, ok := p.Option(code)
			if ok != present || !bytes.Equal(got, want) {
				t.Fatalf("%v is %x, %v; its pieces are %x, %v", code, got, ok, want, present)
			}
			checkTyped(t, p, code, got)
		}
		if v, ok := p.Uint8(dhcp4.OptionMessageType); ok != (p.MessageType() != 0) || v != uint8(p.MessageType()) {
			t.Fatalf("type %v, option 53 %d %v", p.MessageType(), v, ok)
		}
		if p.Op() != dhcp4.OpRequest && p.Op() != dhcp4.OpReply || len(p.HardwareAddr()) > 16 ||
			len(p.File()) > 128 || len(p.ServerName()) > 64 {
			t.Fatal("header out of bounds")
		}
		if !bytes.Equal(b, before) {
			t.Fatal("reading changed the message")
		}
	})
}

func checkTyped(t *testing.T, p dhcp4.Packet, code dhcp4.OptionCode, joined []byte) {
	t.Helper()
	_, isAddr := p.Addr(code)
	_, is32 := p.Uint32(code)
	if isAddr != is32 || len(joined) == 4 && !is32 {
		t.Fatalf("%v: address %v, number %v, %d bytes", code, isAddr, is32, len(joined))
	}
	if _, ok := p.Uint16(code); len(joined) == 2 && !ok {
		t.Fatalf("%v of two bytes is no number", code)
	}
	if addrs, ok := p.Addrs(code); ok && 4*len(addrs) != len(joined) || ok != (len(joined) > 0 && len(joined)%4 == 0) {
		t.Fatalf("%v of %d bytes: %v, %v", code, len(joined), addrs, ok)
	}
	if s, _ := p.Text(code); !bytes.HasPrefix(joined, []byte(s)) || strings.HasSuffix(s, "\x00") {
		t.Fatalf("%v: %q from %q", code, s, joined)
	}
}

// rebuild writes what was read. Options from file and sname move to the options
// field, so option 52 is left out.
func rebuild(p dhcp4.Packet) []byte {
	b := dhcp4.NewBuilder(p.Op(), p.HardwareType(), p.HardwareAddr(), p.XID())
	b.SetHops(p.Hops())
	b.SetSecs(p.Secs())
	b.SetBroadcast(p.Broadcast())
	b.SetClientAddr(p.ClientAddr())
	b.SetYourAddr(p.YourAddr())
	b.SetNextServer(p.NextServer())
	b.SetRelay(p.Relay())
	b.SetServerName(p.ServerName())
	b.SetFile(p.File())
	for code, v := range p.Options() {
		if code != dhcp4.OptionOverload {
			b.AddOption(code, v)
		}
	}
	return b.Bytes()
}

// FuzzParseBuildParse: what was read, written and read again is the same.
func FuzzParseBuildParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := dhcp4.Parse(b)
		if err != nil {
			return
		}
		built := rebuild(p)
		q, err := dhcp4.Parse(built)
		if err != nil {
			t.Fatal(err)
		}
		if p.Op() != q.Op() || p.HardwareType() != q.HardwareType() || !bytes.Equal(p.HardwareAddr(), q.HardwareAddr()) ||
			p.XID() != q.XID() || p.Hops() != q.Hops() || p.Secs() != q.Secs() || p.Broadcast() != q.Broadcast() ||
			p.ClientAddr() != q.ClientAddr() || p.YourAddr() != q.YourAddr() || p.NextServer() != q.NextServer() ||
			p.Relay() != q.Relay() || p.MessageType() != q.MessageType() {
			t.Fatal("the header changed")
		}
		// A name that fills its field has no room for the zero byte that we write.
		if !strings.HasPrefix(p.File(), q.File()) || len(q.File()) != min(len(p.File()), 127) ||
			!strings.HasPrefix(p.ServerName(), q.ServerName()) || len(q.ServerName()) != min(len(p.ServerName()), 63) {
			t.Fatalf("file %q became %q, sname %q %q", p.File(), q.File(), p.ServerName(), q.ServerName())
		}
		for code := range 256 {
			code := dhcp4.OptionCode(code)
			v, ok := p.Option(code)
			w, still := q.Option(code)
			if code != dhcp4.OptionOverload && (ok != still || !bytes.Equal(v, w)) {
				t.Fatalf("%v: %x, %v became %x, %v", code, v, ok, w, still)
			}
		}
		if again := rebuild(q); !bytes.Equal(again, built) {
			t.Fatalf("written twice, it differs:\n%x\n%x", built, again)
		}
	})
}

// FuzzDomainSearch: names are valid, and the list is the same without compression.
func FuzzDomainSearch(f *testing.F) {
	for _, name := range captures(f) {
		if v, ok := mustParse(f, loadMessage(f, name)).Option(dhcp4.OptionDomainSearch); ok {
			f.Add(v)
		}
	}
	f.Add([]byte("\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"))
	f.Add([]byte("\x01a\xc0\x04\xc0\x00"))
	f.Add([]byte("\x01a\x00\x01b\xc0\x00\x01c\xc0\x03"))
	f.Fuzz(func(t *testing.T, value []byte) {
		list, err := dhcp4.ParseDomainSearch(value)
		if err != nil {
			checkError(t, err, len(value))
			return
		}
		names := texts(list)
		var plain []byte
		size := 0
		for _, name := range names {
			for label := range strings.SplitSeq(name, ".") {
				plain = append(append(plain, byte(len(label))), label...)
			}
			plain = append(plain, 0)
			size += len(name) + 1
		}
		if len(names) == 0 || size > dhcp4.MaxSearchLength {
			t.Fatalf("%d names, %d bytes", len(names), size)
		}
		for _, enc := range [][]byte{plain, compress(names)} {
			if again, err := dhcp4.ParseDomainSearch(enc); err != nil || !slices.Equal(again, list) {
				t.Fatalf("%q became %q, %v", names, again, err)
			}
		}
	})
}

// FuzzClasslessRoutes: routes are masked, and written and read again the same.
func FuzzClasslessRoutes(f *testing.F) {
	for _, name := range captures(f) {
		if v, ok := mustParse(f, loadMessage(f, name)).Option(dhcp4.OptionClasslessRoutes); ok {
			f.Add(v)
		}
	}
	f.Add([]byte{20, 10, 1, 0xff, 10, 0, 0, 1})
	f.Add([]byte{33, 10, 0, 0, 1, 10, 0, 0, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		routes, err := dhcp4.ParseClasslessRoutes(value)
		if err != nil {
			checkError(t, err, len(value))
			return
		}
		for _, r := range routes {
			if r.Destination != r.Destination.Masked() || !r.Destination.IsValid() || !r.Router.Is4() {
				t.Fatalf("route %v", r)
			}
		}
		enc := dhcp4.AppendClasslessRoutes(nil, routes...)
		if len(enc) != len(value) {
			t.Fatalf("%d bytes became %d", len(value), len(enc))
		}
		if again, err := dhcp4.ParseClasslessRoutes(enc); err != nil || !slices.Equal(again, routes) {
			t.Fatalf("%v became %v, %v", routes, again, err)
		}
	})
}
