package dhcp4

import (
	"slices"
	"testing"
	"time"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// TestIPv6OnlyIsAsked: option 108 stands in the parameter list of every DISCOVER
// and REQUEST of a host that can do without IPv4, and in no other's (RFC 8925
// section 3.2).
func TestIPv6OnlyIsAsked(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		w := newWorld(t, func(cfg *Config) { cfg.IPv6Only = on })
		check := func() {
			t.Helper()
			for _, m := range w.sent() {
				p, err := wire.Parse(m.Message)
				if err != nil {
					t.Fatal(err)
				}
				list, _ := p.Option(wire.OptionParameterList)
				if slices.Contains(list, byte(wire.OptionIPv6OnlyPreferred)) != on {
					t.Errorf("IPv6 only %v: %v asks for %v", on, m.Type, list)
				}
			}
		}
		w.tell(LinkUp{})
		w.tell(Start{})
		check()
		w.reply(w.newReply(wire.Offer))
		check()
		w.reply(w.newReply(wire.ACK))
		w.wait()
		check()
		w.tell(LinkDown{})
		w.tell(LinkUp{})
		check()
	}
}

// TestIPv6OnlyWait: the wait is what the server says, and 300 s at least; an
// option of another length is none (RFC 8925 sections 3.1 and 3.4).
func TestIPv6OnlyWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value []byte
		want  time.Duration // 0: the offer is taken
	}{
		{[]byte{0, 0, 0, 0}, 300 * time.Second},
		{[]byte{0, 0, 1, 43}, 300 * time.Second},
		{[]byte{0, 0, 1, 45}, 301 * time.Second},
		{[]byte{0, 1, 0x51, 0x80}, 24 * time.Hour},
		{[]byte{0xff, 0xff, 0xff, 0xff}, 0xffffffff * time.Second},
		{[]byte{0, 0, 1}, 0},
		{[]byte{0, 0, 0, 0, 0}, 0},
		{nil, 0},
	} {
		w := newWorld(t, func(cfg *Config) { cfg.IPv6Only = true })
		begin(w)
		r := w.newReply(wire.Offer)
		r.change = func(b *wire.Builder) { b.AddOption(wire.OptionIPv6OnlyPreferred, c.value) }
		w.reply(r)
		if c.want == 0 {
			if w.c.State() != StateRequesting {
				t.Errorf("%v: in %v", c.value, w.c.State())
			}
			continue
		}
		at, _, ok := w.c.Deadline()
		if w.c.State() != StateIPv6Only || !ok || at.Sub(w.now) != c.want {
			t.Errorf("%v: in %v for %v, want %v", c.value, w.c.State(), at.Sub(w.now), c.want)
		}
	}
}
