package dhcp4

import (
	"bytes"
	"slices"
	"testing"

	wire "github.com/lessee/lessee/wire/dhcp4"
)

// talkative is a Config that says all there is to say.
func talkative(t testing.TB) func(*Config) {
	return func(cfg *Config) {
		cfg.ClientID = []byte{255, 1, 2, 3, 4, 5}
		cfg.HostName = "box"
		cfg.Profile = &Profile{
			FQDN: host(t, "box.example.org"), VendorClass: "v", UserClasses: []string{"u"},
			Send: []Option{{43, []byte{1}}},
		}
		cfg.Parameters = []wire.OptionCode{66, 67}
		cfg.RapidCommit, cfg.IPv6Only, cfg.AutoConfigure = true, true, true
	}
}

// TestAnonymous: the messages of a client with all settings say no more than
// RFC 7844 section 3 lets them.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	allowed := map[wire.OptionCode]bool{
		wire.OptionMessageType: true, wire.OptionClientID: true, wire.OptionRequestedAddress: true,
		wire.OptionParameterList: true, wire.OptionServerID: true,
	}
	id := append([]byte{1}, testMAC...)
	for _, m := range life(t, func(cfg *Config) { talkative(t)(cfg); cfg.Anonymous = true }) {
		p := parse(t, m)
		for code, v := range p.Options() {
			if !allowed[code] {
				t.Errorf("%v: option %d", m.Type, code)
			}
			if code == wire.OptionClientID && !bytes.Equal(v, id) {
				t.Errorf("%v: client identifier %x, want %x", m.Type, v, id)
			}
		}
		if list, ok := p.Option(wire.OptionParameterList); ok {
			if slices.Index(list, 121) > slices.Index(list, 3) {
				t.Errorf("%v asks for routers before classless routes: %v", m.Type, list)
			}
			slices.Sort(list)
			if !bytes.Equal(list, []byte{1, 3, 6, 15, 121}) {
				t.Errorf("%v asks for %v", m.Type, list)
			}
		}
	}
}

// TestAnonymousOrder: neither the order of options nor that of parameters is the
// same from client to client, and both are the seed's.
func TestAnonymousOrder(t *testing.T) {
	t.Parallel()
	order := func(seed uint64) string {
		w := newWorld(t, func(cfg *Config) { cfg.Anonymous, cfg.Seed = true, seed })
		begin(w)
		p := parse(t, w.sent()[0])
		var codes []byte
		for code := range p.Options() {
			codes = append(codes, byte(code))
		}
		list, _ := p.Option(wire.OptionParameterList)
		return string(codes) + "|" + string(list)
	}
	orders := map[string]bool{}
	for seed := range uint64(50) {
		first := order(seed)
		orders[first] = true
		if first != order(seed) {
			t.Fatalf("seed %d: two orders", seed)
		}
	}
	if len(orders) < 20 {
		t.Errorf("50 clients have %d orders", len(orders))
	}
}

// TestAnonymousLease: a lease that was got under another identifier is not asked
// for, in none of the ways that a client learns of one.
func TestAnonymousLease(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"start", "in use", "remember", "confirm"} {
		w := newWorld(t, func(cfg *Config) { cfg.Anonymous = true })
		l := w.oldLease()
		l.ClientID = []byte{255, 9, 9}
		w.tell(LinkUp{})
		switch name {
		case "start", "in use":
			outs := w.tell(Start{Lease: l, InUse: name == "in use"})
			if lost, ok := find[Lost](outs); !ok || lost.Lease != l {
				t.Errorf("%s: %v", name, outs)
			}
		case "remember":
			w.tell(LinkDown{})
			w.tell(Start{})
			w.tell(Remember{Lease: l})
			w.tell(LinkUp{})
		case "confirm":
			w.tell(Start{})
			if outs := w.tell(Confirmed{Lease: l}); len(outs) != 0 {
				t.Errorf("%s: %v", name, outs)
			}
			w.wait()
		}
		for _, m := range w.sent() {
			p := parse(t, m)
			if a, asks := p.Addr(wire.OptionRequestedAddress); m.Type != wire.Discover || asks {
				t.Errorf("%s: %v for %v", name, m.Type, a)
			}
		}
		if _, held := w.c.Lease(); held || len(w.sent()) == 0 {
			t.Errorf("%s: a lease, or nothing sent: %v", name, w.out)
		}
	}
	// Its own is.
	w := newWorld(t, func(cfg *Config) { cfg.Anonymous = true })
	w.tell(LinkUp{})
	w.tell(Start{Lease: w.oldLease()})
	if w.c.State() != StateRebooting {
		t.Errorf("a lease of its own: in %v", w.c.State())
	}
}
